package cgi

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plain is what every request below has, unless it says otherwise.
var plain = []string{"REQUEST_METHOD", "GET", "SERVER_PROTOCOL", "HTTP/1.1", "SERVER_NAME", "s", "SERVER_PORT", "8080",
	"SCRIPT_NAME", "", "PATH_INFO", "/a"}

// settle makes the variables of list, which go before those of plain.
func settle(terms Terms, list ...string) (*Vars, error) {
	v := new(Vars)
	given := map[string]bool{}
	for i := 0; i < len(list); i += 2 {
		given[list[i]] = true
		if list[i+1] == "absent" {
			continue
		}
		if err := v.Add(list[i], list[i+1]); err != nil {
			return v, err
		}
	}
	for i := 0; i < len(plain); i += 2 {
		if !given[plain[i]] {
			v.Add(plain[i], plain[i+1])
		}
	}
	return v, v.Settle(terms)
}

// TestSettle is about what becomes of single variables, and what is refused.
func TestSettle(t *testing.T) {
	tests := []struct {
		name string
		vars []string
		want map[string]string // "absent" for none
		code string            // of the refusal
	}{
		{name: "repeated header", vars: []string{"HTTP_X", "one", "HTTP_X", "two"}, want: map[string]string{"HTTP_X": "one, two"}},
		{name: "repeated cookie", vars: []string{"HTTP_COOKIE", "a=1", "HTTP_COOKIE", "b=2"}, want: map[string]string{"HTTP_COOKIE": "a=1; b=2"}},
		{name: "repeated Host", vars: []string{"HTTP_HOST", "a", "HTTP_HOST", "b"}, code: "400"},
		{name: "repeated Host, the same", vars: []string{"HTTP_HOST", "a", "HTTP_HOST", "a"}, want: map[string]string{"HTTP_HOST": "a"}},
		{name: "repeated method", vars: []string{"REQUEST_METHOD", "GET", "REQUEST_METHOD", "POST"}, code: "400"},
		{name: "repeated length", vars: []string{"CONTENT_LENGTH", "5", "CONTENT_LENGTH", "6"}, code: "400"},
		{name: "what describes the coded body", vars: []string{"HTTP_TRANSFER_ENCODING", "chunked", "HTTP_TRAILER", "X", "HTTP_CONTENT_TYPE", "a/b", "HTTP_CONTENT_LENGTH", "0"},
			want: map[string]string{"HTTP_TRANSFER_ENCODING": "absent", "HTTP_TRAILER": "absent", "HTTP_CONTENT_TYPE": "absent", "HTTP_CONTENT_LENGTH": "absent"}},
		{name: "Proxy", vars: []string{"HTTP_PROXY", "http://evil.example/"}, want: map[string]string{"HTTP_PROXY": "absent"}},
		{name: "the server's own", vars: []string{"wsgi.url_scheme", "https", "gowsgi.http", "x", "HTTP_X.DOT", "x"},
			want: map[string]string{"wsgi.url_scheme": "absent", "gowsgi.http": "absent", "HTTP_X.DOT": "absent"}},
		{name: "no method", vars: []string{"REQUEST_METHOD", "absent"}, code: "400"},
		{name: "no token", vars: []string{"REQUEST_METHOD", "GE T"}, code: "400"},
		{name: "a method in small letters", vars: []string{"REQUEST_METHOD", "get"}, want: map[string]string{"REQUEST_METHOD": "get"}},
		{name: "no protocol", vars: []string{"SERVER_PROTOCOL", "absent"}, want: map[string]string{"SERVER_PROTOCOL": "HTTP/1.0"}},
		{name: "HTTP/2.0", vars: []string{"SERVER_PROTOCOL", "HTTP/2.0"}, want: map[string]string{"SERVER_PROTOCOL": "HTTP/2.0"}},
		{name: "HTTP/2", vars: []string{"SERVER_PROTOCOL", "HTTP/2"}, want: map[string]string{"SERVER_PROTOCOL": "HTTP/2"}},
		{name: "INCLUDED", vars: []string{"SERVER_PROTOCOL", "INCLUDED"}, want: map[string]string{"SERVER_PROTOCOL": "INCLUDED"}},
		{name: "junk protocol", vars: []string{"SERVER_PROTOCOL", "HTTP/1.x"}, code: "400"},
		{name: "long protocol", vars: []string{"SERVER_PROTOCOL", "HTTP/1.10"}, code: "400"},
		{name: "empty name", vars: []string{"", "x"}, code: "400"},
		{name: "NUL in a name", vars: []string{"A\x00B", "x"}, code: "400"},
		{name: "= in a name", vars: []string{"A=B", "x"}, code: "400"},
		{name: "CR in a name", vars: []string{"A\rB", "x"}, code: "400"},
		{name: "LF in a header", vars: []string{"HTTP_X", "a\nb"}, code: "400"},
		{name: "NUL in a header", vars: []string{"HTTP_X", "a\x00b"}, code: "400"},
		{name: "LF in another variable", vars: []string{"SERVER_SIGNATURE", "<address>\n"}, want: map[string]string{"SERVER_SIGNATURE": "<address>\n"}},
		{name: "Latin-1", vars: []string{"HTTP_X", "caf\xe9"}, want: map[string]string{"HTTP_X": "caf\xe9"}},
		{name: "no name", vars: []string{"SERVER_NAME", "", "SERVER_ADDR", "192.0.2.1"}, want: map[string]string{"SERVER_NAME": "192.0.2.1"}},
		{name: "neither name nor address", vars: []string{"SERVER_NAME", "", "HTTP_HOST", "evil.example"}, want: map[string]string{"SERVER_NAME": "127.0.0.1"}},
		{name: "nginx on a socket", vars: []string{"SERVER_NAME", "", "SERVER_ADDR", "unix:/run/nginx.sock"}, want: map[string]string{"SERVER_NAME": "127.0.0.1"}},
		{name: "nothing to say", vars: []string{"REMOTE_USER", "", "CONTENT_TYPE", "", "CONTENT_LENGTH", "", "HTTPS", "", "HTTP_X", ""},
			want: map[string]string{"REMOTE_USER": "absent", "CONTENT_TYPE": "absent", "CONTENT_LENGTH": "absent", "HTTPS": "absent", "HTTP_X": ""}},
		{name: "no port", vars: []string{"SERVER_PORT", ""}, want: map[string]string{"SERVER_PORT": "80"}},
		{name: "no port with TLS", vars: []string{"SERVER_PORT", "", "HTTPS", "on"}, want: map[string]string{"SERVER_PORT": "443"}},
		{name: "a port that is none", vars: []string{"SERVER_PORT", "http"}, want: map[string]string{"SERVER_PORT": "80"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := settle(Terms{Local: func() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9} }}, tt.vars...)
			if got := statusCode(err); got != tt.code {
				t.Fatalf("refused with %q (%v), expected %q", got, err, tt.code)
			}
			all := maps.Collect(v.All)
			for name, want := range tt.want {
				got, ok := v.Lookup(name)
				if !ok {
					got = "absent"
				}
				if got != want {
					t.Errorf("%s is %q, expected %q", name, got, want)
				}
				if value, ok2 := all[name]; ok2 != ok || ok && value != got {
					t.Errorf("All has %q, %t for %s, Lookup %q, %t", value, ok2, name, got, ok)
				}
			}
		})
	}
}

// statusCode is the number of a Refusal, "" when there is none.
func statusCode(err error) string {
	if err == nil {
		return ""
	}
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return refusal.Status[:3]
	}
	return "no refusal"
}

func TestLength(t *testing.T) {
	tests := []struct {
		length, sent string // CONTENT_LENGTH and HTTP_CONTENT_LENGTH
		unknown      bool
		want         int64
		code         string
	}{
		{length: "absent", want: -1}, {length: "", want: -1}, {length: "0", want: 0}, {length: "5", want: 5},
		{length: "999999999999999999", code: "413"},
		{length: "1000", want: 1000}, {length: "1001", code: "413"},
		{length: "+5", code: "400"}, {length: "-1", code: "400"}, {length: "5, 5", code: "400"}, {length: "0x5", code: "400"},
		{length: "5 ", code: "400"}, {length: "9223372036854775808", code: "400"}, {length: "abc", code: "400"},
		{length: "-1", unknown: true, want: -1}, {length: "-2", unknown: true, code: "400"},
		{length: "5", sent: "10", code: "400"}, // nginx over SCGI, unbuffered
		{length: "10", sent: "10", want: 10}, {length: "10", sent: "5", want: 10}, {length: "5", sent: "junk", want: 5},
		{length: "0", sent: "10", want: 0}, {length: "", sent: "10", want: -1}, // nginx auth_request
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%q %q", tt.length, tt.sent), func(t *testing.T) {
			list := []string{"CONTENT_LENGTH", tt.length}
			if tt.sent != "" {
				list = append(list, "HTTP_CONTENT_LENGTH", tt.sent)
			}
			v, err := settle(Terms{Unknown: tt.unknown, MaxBody: 1000}, list...)
			if got := statusCode(err); got != tt.code {
				t.Fatalf("refused with %q (%v), expected %q", got, err, tt.code)
			}
			if err == nil && v.Length() != tt.want {
				t.Errorf("length is %d, expected %d", v.Length(), tt.want)
			}
			if value, ok := v.Lookup("CONTENT_LENGTH"); tt.unknown && err == nil && ok {
				t.Errorf("CONTENT_LENGTH is %q, expected none", value)
			}
		})
	}
}

func TestScheme(t *testing.T) {
	for _, tt := range []struct{ https, scheme, want string }{
		{"absent", "absent", "http"}, {"on", "absent", "https"}, {"On", "http", "https"}, {"1", "absent", "https"},
		{"", "https", "https"}, {"", "HTTPS", "https"}, {"off", "https", "http"}, {"absent", "ftp", "http"},
	} {
		v, err := settle(Terms{}, "HTTPS", tt.https, "REQUEST_SCHEME", tt.scheme, "HTTP_X_FORWARDED_PROTO", "https")
		if err != nil || v.Scheme() != tt.want {
			t.Errorf("HTTPS %q with REQUEST_SCHEME %q makes %q, %v, expected %q", tt.https, tt.scheme, v.Scheme(), err, tt.want)
		}
	}
}

// TestPath has what web servers send, see the table of section 2.3.
func TestPath(t *testing.T) {
	const uri = "/app/a%2Fb%20c;x=1/%C3%A9?q=1"
	tests := []struct {
		name                     string
		script, info, uri, mount string
		want                     [2]string
		code                     string
	}{
		{name: "divided", script: "/app", info: "/a", want: [2]string{"/app", "/a"}},
		{name: "root", script: "", info: "/a", want: [2]string{"", "/a"}},
		{name: "SCRIPT_NAME is a slash", script: "/", info: "/a", want: [2]string{"", "/a"}},
		{name: "SCRIPT_NAME is a slash, and all", script: "/", info: "absent", want: [2]string{"", "/"}},
		{name: "Apache uwsgi", script: "/app/", info: "/", want: [2]string{"/app", "/"}},
		{name: "nginx scgi stock", script: "absent", info: "absent", uri: uri, want: [2]string{"", "/app/a/b c;x=1/\xc3\xa9"}},
		{name: "nginx scgi stock, mounted", script: "absent", info: "absent", uri: uri, mount: "/app", want: [2]string{"/app", "/a/b c;x=1/\xc3\xa9"}},
		{name: "nginx uwsgi stock, mounted", script: "absent", info: "/app/a b", mount: "/app", want: [2]string{"/app", "/a b"}},
		{name: "nginx fastcgi stock", script: "/app/a", info: "absent", want: [2]string{"/app/a", ""}},
		{name: "nginx fastcgi stock, at the root", script: "/app/a", info: "absent", mount: "/", want: [2]string{"", "/app/a"}},
		{name: "nginx fastcgi stock, mounted", script: "/app/a", info: "absent", mount: "/app", want: [2]string{"/app", "/a"}},
		{name: "the mount itself", script: "/app", info: "", mount: "/app", want: [2]string{"/app", ""}},
		{name: "Apache scgi with pathinfo", script: "/app/a b", info: "/a%20b", uri: "/app/a%20b", mount: "/app", want: [2]string{"/app", "/a b"}},
		{name: "Apache scgi with pathinfo, slash", script: "/app/a%2Fb", info: "/a%252Fb", uri: "/app/a%2fb", mount: "/app", want: [2]string{"/app", "/a%2Fb"}},
		{name: "never decoded again", script: "", info: "/a%2Fb", want: [2]string{"", "/a%2Fb"}},
		{name: "outside", script: "", info: "/other", mount: "/app", code: "404"},
		{name: "a sibling", script: "", info: "/application", mount: "/app", code: "404"},
		{name: "absolute target", script: "absent", info: "absent", uri: "http://abs.example:81/app/x?q=1", want: [2]string{"", "/app/x"}},
		{name: "absolute target without path", script: "absent", info: "absent", uri: "http://abs.example", want: [2]string{"", "/"}},
		{name: "undecodable target", script: "absent", info: "absent", uri: "/%zz", code: "400"},
		{name: "NUL", script: "", info: "/a\x00b", code: "400"},
		{name: "no slash", script: "", info: "a", code: "400"},
		{name: "no slash in the script", script: "app", info: "/a", code: "400"},
		{name: "asterisk of GET", script: "", info: "*", code: "400"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := settle(Terms{ScriptName: tt.mount}, "SCRIPT_NAME", tt.script, "PATH_INFO", tt.info, "REQUEST_URI", tt.uri)
			if got := statusCode(err); got != tt.code {
				t.Fatalf("refused with %q (%v), expected %q", got, err, tt.code)
			}
			if err != nil {
				return
			}
			script, _ := v.Lookup("SCRIPT_NAME")
			info, _ := v.Lookup("PATH_INFO")
			if diff := cmp.Diff(tt.want, [2]string{script, info}); diff != "" {
				t.Errorf("SCRIPT_NAME and PATH_INFO (-want +got):\n%s", diff)
			}
		})
	}
	if v, err := settle(Terms{}, "REQUEST_METHOD", "OPTIONS", "PATH_INFO", "*"); err != nil || v.info != "*" {
		t.Errorf("OPTIONS * has PATH_INFO %q, %v", v.info, err)
	}
	if v, err := settle(Terms{}, "SCRIPT_NAME", "absent", "PATH_INFO", "absent", "DOCUMENT_URI", "/d", "REQUEST_URI", "/u"); err != nil || v.info != "/d" {
		t.Errorf("with DOCUMENT_URI PATH_INFO is %q, %v, expected /d", v.info, err)
	}
}

func TestTooManyVariables(t *testing.T) {
	v := new(Vars)
	for i := range MaxVars {
		if err := v.Add(fmt.Sprint("HTTP_X", i), "v"); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Add("HTTP_ONE_MORE", "v"); err != ErrTooMany {
		t.Errorf("variable 1001: %v, expected %v", err, ErrTooMany)
	}
	for i := range MaxVars {
		if _, ok := v.Lookup(fmt.Sprint("HTTP_X", i)); !ok {
			t.Fatalf("variable %d is not found", i)
		}
	}
}

func TestName(t *testing.T) {
	for header, want := range map[string]string{
		"Host": "HTTP_HOST", "x-fOO-bar-2": "HTTP_X_FOO_BAR_2", "Content-Type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH",
		"X_Under": "", "X.Dot": "", "": "", "X Y": "", "Caf\xe9": "",
	} {
		if got, ok := Name(header); ok != (want != "") || got != want {
			t.Errorf("Name(%q) is %q, %t, expected %q", header, got, ok, want)
		}
	}
}

// FuzzSettle checks that whatever comes is refused or makes an environ that
// keeps the contract.
func FuzzSettle(f *testing.F) {
	f.Add("REQUEST_METHOD\x00GET\x00PATH_INFO\x00/a\x00HTTP_X\x00a\x00HTTP_X\x00b\x00CONTENT_LENGTH\x005", "/app")
	f.Add("REQUEST_METHOD\x00GET\x00REQUEST_URI\x00http://h/app/%41?q\x00HTTPS\x00on\x00SERVER_PORT\x00", "/")
	f.Fuzz(func(t *testing.T, list, mount string) {
		if mount != "" && (mount[0] != '/' || len(mount) > 1 && mount[len(mount)-1] == '/') {
			return
		}
		v := new(Vars)
		fields := strings.Split(list, "\x00")
		for i := 0; i+1 < len(fields); i += 2 {
			if err := v.Add(fields[i], fields[i+1]); err != nil {
				return
			}
		}
		if err := v.Settle(Terms{ScriptName: mount}); err != nil {
			if statusCode(err) == "no refusal" {
				t.Fatalf("%v is no refusal", err)
			}
			return
		}
		seen := map[string]bool{}
		for name, value := range v.All {
			if seen[name] {
				t.Errorf("All has %q twice", name)
			}
			seen[name] = true
			if got, ok := v.Lookup(name); !ok || got != value {
				t.Errorf("Lookup(%q) is %q, %t, All has %q", name, got, ok, value)
			}
			if strings.Contains(name, ".") || name == "HTTP_PROXY" {
				t.Errorf("%q is in the environ", name)
			}
		}
		for _, name := range []string{"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"} {
			if value, _ := v.Lookup(name); value == "" {
				t.Errorf("%s is empty", name)
			}
		}
		for _, name := range []string{"SCRIPT_NAME", "PATH_INFO"} {
			if value, _ := v.Lookup(name); value != "" && value[0] != '/' && !(value == "*" && v.Method() == "OPTIONS") {
				t.Errorf("%s is %q", name, value)
			}
		}
	})
}

func BenchmarkVars(b *testing.B) {
	list := []string{"HTTP_HOST", "h", "HTTP_ACCEPT", "*/*", "HTTP_USER_AGENT", "b", "QUERY_STRING", "q=1", "REQUEST_URI", "/a?q=1",
		"CONTENT_LENGTH", "", "REMOTE_ADDR", "127.0.0.1", "REMOTE_PORT", "1", "REQUEST_SCHEME", "http", "SERVER_ADDR", "127.0.0.1"}
	b.ReportAllocs()
	for b.Loop() {
		v, err := new(Vars), error(nil)
		for i := 0; i < len(plain); i += 2 {
			v.Add(plain[i], plain[i+1])
		}
		for i := 0; i < len(list); i += 2 {
			v.Add(list[i], list[i+1])
		}
		if err = v.Settle(Terms{}); err != nil {
			b.Fatal(err)
		}
	}
}
