package server_test

import (
	"maps"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// absent is what the tables below expect of a variable that must not exist.
const absent = "\x00absent"

// TestServerEnviron sends raw requests and looks at the environ that the
// application gets.
func TestServerEnviron(t *testing.T) {
	l := serve(t, &server.Server{App: wsgi.AppFunc(dump), Environ: map[string]string{
		"DEPLOYED": "yes", "REQUEST_METHOD": "FORGED", "HTTP_HOST": "forged.example"}})
	_, port, _ := net.SplitHostPort(l.addr.String())

	tests := []struct {
		name    string // requirement id first
		request string // without the ending empty line
		want    map[string]string
		reason  string
	}{
		{"CGI-01/method", "GET / HTTP/1.1\r\nHost: h", map[string]string{"REQUEST_METHOD": "GET"}, "CFG-04: the request wins over the deployer"},
		{"CGI-30/extension-method", "PROPFIND / HTTP/1.1\r\nHost: h", map[string]string{"REQUEST_METHOD": "PROPFIND"}, ""},
		{"CGI-30/lower-case", "get / HTTP/1.1\r\nHost: h", map[string]string{"REQUEST_METHOD": "get"}, "methods are case-sensitive tokens"},
		{"CGI-02/CGI-15/root", "GET / HTTP/1.1\r\nHost: h", map[string]string{"SCRIPT_NAME": "", "PATH_INFO": "/"}, "set even when empty: ENV-25, CGI-15"},
		{"CGI-03/path", "GET /a/b HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "/a/b"}, ""},
		{"CGI-04/none", "GET /p HTTP/1.1\r\nHost: h", map[string]string{"QUERY_STRING": ""}, "AMB-24: always present"},
		{"CGI-04/empty", "GET /p? HTTP/1.1\r\nHost: h", map[string]string{"QUERY_STRING": "", "REQUEST_URI": "/p?"}, ""},
		{"CGI-04/question-marks", "GET /p?a?b HTTP/1.1\r\nHost: h", map[string]string{"QUERY_STRING": "a?b"}, "only the first one splits"},
		{"CGI-18/undecoded", "GET /p?x=%20y&z=%C3 HTTP/1.1\r\nHost: h", map[string]string{"QUERY_STRING": "x=%20y&z=%C3"}, ""},
		{"CGI-05/absent", "GET / HTTP/1.1\r\nHost: h", map[string]string{"CONTENT_TYPE": absent, "CONTENT_LENGTH": absent}, "AMB-24: nothing is invented: CGI-06, ENV-08"},
		{"CGI-05/given", "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 0", map[string]string{"CONTENT_TYPE": "a/b", "CONTENT_LENGTH": "0"}, "N-22: the header, not the number of net/http"},
		{"CGI-05/empty", "POST / HTTP/1.1\r\nHost: h\r\nContent-Type:\r\nContent-Length: 0", map[string]string{"CONTENT_TYPE": ""}, ""},
		{"CGI-05/repeated", "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Type: a/b\r\nContent-Length: 0", map[string]string{"CONTENT_TYPE": "a/b"}, "AMB-19: one opinion, as net/http/fcgi behind nginx gives it twice"},
		{"CGI-06/as-sent", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 000", map[string]string{"CONTENT_LENGTH": "000"}, "N-22"},
		{"CGI-12/no-HTTP-form", "POST / HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Length: 0", map[string]string{"HTTP_CONTENT_TYPE": absent, "HTTP_CONTENT_LENGTH": absent}, ""},
		{"CGI-07/local-address", "GET / HTTP/1.0\r\n", map[string]string{"SERVER_NAME": "127.0.0.1", "SERVER_PORT": port, "HTTP_HOST": "forged.example"}, "AMB-23; and CFG-04: without a Host header the deployer's pair stands"},
		{"CGI-08/CGI-22/not-from-host", "GET / HTTP/1.1\r\nHost: evil:81", map[string]string{"SERVER_NAME": "127.0.0.1", "SERVER_PORT": port, "HTTP_HOST": "evil:81"}, "CGI-22"},
		{"CGI-09/1.1", "GET / HTTP/1.1\r\nHost: h", map[string]string{"SERVER_PROTOCOL": "HTTP/1.1"}, ""},
		{"CGI-09/1.0", "GET / HTTP/1.0\r\nHost: h", map[string]string{"SERVER_PROTOCOL": "HTTP/1.0"}, "AMB-38: the client's version"},
		{"CGI-11/mapping", "GET / HTTP/1.1\r\nHost: h\r\nX-Foo-Bar: 1\r\nx-lower: 2", map[string]string{"HTTP_X_FOO_BAR": "1", "HTTP_X_LOWER": "2"}, ""},
		{"CGI-17/once", "GET /%2c/%252c HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "/,/%2c"}, "AMB-21"},
		{"CGI-17/utf-8", "GET /%E3%81%82 HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "/\xe3\x81\x82"}, ""},
		{"CGI-17/slash", "GET /a%2Fb HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "/a/b", "REQUEST_URI": "/a%2Fb"}, "AMB-21: COM-05 has the original"},
		{"STR-06/path", "GET /%FF%C3%A9 HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "/\xff\xc3\xa9"}, "every byte survives"},
		{"STR-06/raw-bytes", "GET /caf\xe9?q=\xe9 HTTP/1.1\r\nHost: h\r\nX-Raw: \xe9", map[string]string{"PATH_INFO": "/caf\xe9", "QUERY_STRING": "q=\xe9", "HTTP_X_RAW": "\xe9"}, ""},
		{"CGI-19/slashes", "GET //foo///bar/baz HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "//foo///bar/baz"}, "AMB-21: nothing is normalised"},
		{"CGI-19/dots", "GET /a/./../b HTTP/1.1\r\nHost: h", map[string]string{"PATH_INFO": "/a/./../b"}, ""},
		{"CGI-20/whole", "GET /x%20y/z HTTP/1.1\r\nHost: h", map[string]string{"SCRIPT_NAME": "", "PATH_INFO": "/x y/z"}, ""},
		{"CGI-10/host", "GET / HTTP/1.1\r\nHost: h", map[string]string{"HTTP_HOST": "h"}, "N-19: net/http keeps it apart"},
		{"CGI-10/pragma", "GET / HTTP/1.1\r\nHost: h\r\nPragma: no-cache", map[string]string{"HTTP_PRAGMA": "no-cache", "HTTP_CACHE_CONTROL": absent}, "N-02: net/http invents one"},
		{"CGI-10/cache-control", "GET / HTTP/1.1\r\nHost: h\r\nPragma: no-cache\r\nCache-Control: max-age=0", map[string]string{"HTTP_CACHE_CONTROL": "max-age=0"}, ""},
		{"CGI-23/joined", "GET / HTTP/1.1\r\nHost: h\r\nFoo: bar\r\nFoo: baz", map[string]string{"HTTP_FOO": "bar, baz"}, ""},
		{"CGI-23/cookie", "GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1\r\nCookie: b=2", map[string]string{"HTTP_COOKIE": "a=1; b=2"}, "a comma would corrupt it"},
		{"CGI-24/underscore", "GET / HTTP/1.1\r\nHost: h\r\nX_Under: u\r\nX-Under: h", map[string]string{"HTTP_X_UNDER": "h"}, "N-20, AMB-20"},
		{"CGI-24/alone", "GET / HTTP/1.1\r\nHost: h\r\nX_Under: u", map[string]string{"HTTP_X_UNDER": absent}, "AMB-20"},
		{"CGI-25/httpoxy", "GET / HTTP/1.1\r\nHost: h\r\nProxy: http://evil", map[string]string{"HTTP_PROXY": absent}, "AMB-39"},
		{"CGI-26/blanks", "GET / HTTP/1.1\r\nHost: h\r\nX-Sp:   v w  \r\nX-Empty:", map[string]string{"HTTP_X_SP": "v w", "HTTP_X_EMPTY": ""}, ""},
		{"CGI-27/long", "GET / HTTP/1.1\r\nHost: h\r\nX-Long: " + strings.Repeat("x", 300), map[string]string{"HTTP_X_LONG": strings.Repeat("x", 300)}, ""},
		{"CGI-27/latin-1", "GET / HTTP/1.1\r\nHost: h\r\nX-Latin: caf\xe9", map[string]string{"HTTP_X_LATIN": "caf\xe9"}, ""},
		{"CGI-28/absolute", "GET http://abs:99/p?q HTTP/1.1\r\nHost: other", map[string]string{"PATH_INFO": "/p", "QUERY_STRING": "q", "REQUEST_URI": "http://abs:99/p?q"}, ""},
		{"CGI-28/absolute-empty-path", "GET http://abs:99 HTTP/1.1\r\nHost: other", map[string]string{"PATH_INFO": "/", "SCRIPT_NAME": ""}, "CGI-15"},
		{"CGI-29/target-wins", "GET http://abs:99/ HTTP/1.1\r\nHost: other", map[string]string{"HTTP_HOST": "abs:99"}, ""},
		{"CGI-33/authorization", "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eDp5", map[string]string{"HTTP_AUTHORIZATION": "Basic eDp5"}, "AMB-39"},
		{"CGI-33/COM-15/none", "GET / HTTP/1.1\r\nHost: h", map[string]string{"HTTP_AUTHORIZATION": absent, "REMOTE_USER": absent, "AUTH_TYPE": absent}, "COM-15, ENV-08"},
		{"CGI-34/prefixed", "GET / HTTP/1.1\r\nHost: h\r\nCookie: a=1", map[string]string{"COOKIE": absent, "HTTP_COOKIE": "a=1"}, ""},
		{"COM-03/chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", map[string]string{"CONTENT_LENGTH": absent, "HTTP_TRANSFER_ENCODING": absent, "wsgi.input_terminated": "true"}, "AMB-18, HTTP-07, N-21, COM-01, COM-02"},
		{"COM-05/COM-06/raw-uri", "GET /foo/bar%20baz%73?x=a HTTP/1.1\r\nHost: h", map[string]string{"REQUEST_URI": "/foo/bar%20baz%73?x=a", "RAW_URI": "/foo/bar%20baz%73?x=a"}, "COM-05"},
		{"COM-13/peer", "GET / HTTP/1.1\r\nHost: h", map[string]string{"REMOTE_ADDR": "127.0.0.1", "REMOTE_HOST": absent}, ""},
		{"ENV-09/COM-14/software", "GET / HTTP/1.1\r\nHost: h", map[string]string{"SERVER_SOFTWARE": "gowsgi", "GATEWAY_INTERFACE": "CGI/1.1"}, "ENV-09"},
		{"COM-17/forwarded", "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nForwarded: for=9.9.9.9;proto=https", map[string]string{"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "HTTP_HOST": "h", "HTTPS": absent}, "nobody is trusted unasked"},
		{"COM-17/script-name", "GET /x HTTP/1.1\r\nHost: h\r\nScript-Name: /x\r\nX-Script-Name: /x\r\nX-Forwarded-Prefix: /x", map[string]string{"SCRIPT_NAME": "", "PATH_INFO": "/x", "HTTP_SCRIPT_NAME": "/x"}, "AMB-34: never from a request header"},
		{"CFG-04/pairs", "GET / HTTP/1.1\r\nHost: h", map[string]string{"DEPLOYED": "yes", "REQUEST_METHOD": "GET", "HTTP_HOST": "h"}, ""},
		{"ENV-06/no-process-environment", "GET / HTTP/1.1\r\nHost: h", map[string]string{"PATH": absent, "HOME": absent}, ""},
		{"ENV-14/version", "GET / HTTP/1.1\r\nHost: h", map[string]string{"wsgi.version": "[1 0]"}, ""},
		{"ENV-15/scheme", "GET / HTTP/1.1\r\nHost: h", map[string]string{"wsgi.url_scheme": "http"}, ""},
		{"ENV-18/flags", "GET / HTTP/1.1\r\nHost: h", map[string]string{"wsgi.multithread": "true", "wsgi.multiprocess": "false", "wsgi.run_once": "false"}, "ENV-19, ENV-20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := l.in(t)
			got := l.environ(tt.request + "\r\n\r\n")
			for key, want := range tt.want {
				value, ok := got[key]
				if !ok {
					value = absent
				}
				if diff := cmp.Diff(want, value); diff != "" {
					t.Errorf("%s (-want +got), %s:\n%s", key, tt.reason, diff)
				}
			}
		})
	}
	t.Run("ENV-03/required", func(t *testing.T) {
		got := l.environ("GET / HTTP/1.0\r\n\r\n")
		for _, key := range []string{"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "SERVER_NAME",
			"SERVER_PORT", "SERVER_PROTOCOL", "wsgi.version", "wsgi.url_scheme", "wsgi.input", "wsgi.errors",
			"wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"} {
			if _, ok := got[key]; !ok {
				t.Errorf("%s is missing", key)
			}
		}
	})
	t.Run("ENV-05/names", func(t *testing.T) {
		for key := range l.environ(get("/")) {
			if strings.Contains(key, ".") && strings.Trim(key, "abcdefghijklmnopqrstuvwxyz0123456789._") != "" {
				t.Errorf("key %q, expected lower-case letters, digits, dots and underscores", key)
			}
		}
	})
	// Nothing is found by a key that All would not list.
	t.Run("CGI-11/keys-are-upper-case", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			found := ""
			for _, key := range []string{"HTTP_X_Given", "HTTP_x_given", "HTTP_X-GIVEN", "HTTP_X-Given", "HTTP_"} {
				if _, ok := e.Lookup(key); ok {
					found += key + " "
				}
			}
			return text(found)(e, start)
		})})
		if a := l.roundTrip("GET / HTTP/1.1\r\nHost: h\r\nX-Given: x\r\n\r\n"); a.body != "" {
			t.Errorf("found %s", a.body)
		}
	})
	t.Run("COM-13/port", func(t *testing.T) {
		got := l.environ(get("/"))
		if n, err := strconv.Atoi(got["REMOTE_PORT"]); err != nil || n <= 0 {
			t.Errorf("REMOTE_PORT is %q, expected digits", got["REMOTE_PORT"])
		}
	})
	t.Run("CGI-10/exact-set", func(t *testing.T) {
		got := l.environ("GET / HTTP/1.1\r\nHost: h\r\nAccept: */*\r\nX-One: 1\r\n\r\n")
		maps.DeleteFunc(got, func(key, _ string) bool { return !strings.HasPrefix(key, "HTTP_") })
		want := map[string]string{"HTTP_HOST": "h", "HTTP_ACCEPT": "*/*", "HTTP_X_ONE": "1"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("HTTP_ variables (-want +got):\n%s", diff)
		}
	})
}

// TestServerUnixSocket looks at what has no port.
func TestServerUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := server.Listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	live := serveOn(t, &server.Server{App: wsgi.AppFunc(dump)}, l)
	t.Run("CGI-07/unix", func(t *testing.T) {
		got := live.environ("GET / HTTP/1.0\r\n\r\n")
		want := map[string]string{"SERVER_NAME": "localhost", "SERVER_PORT": "80"}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s is %q, expected %q", key, got[key], value)
			}
		}
	})
	t.Run("COM-13/unix", func(t *testing.T) {
		got := live.environ("GET / HTTP/1.0\r\n\r\n")
		for _, key := range []string{"REMOTE_ADDR", "REMOTE_PORT"} {
			if value, ok := got[key]; ok {
				t.Errorf("%s is %q, expected it to be absent", key, value)
			}
		}
	})
}

// TestServerScriptName mounts the application below a path.
func TestServerScriptName(t *testing.T) {
	l := serve(t, &server.Server{App: wsgi.AppFunc(dump), ScriptName: "/sub", Name: "app.example", Software: "probe/1"})
	tests := []struct{ name, target, script, info string }{
		{"CGI-02/below", "/sub/x/y", "/sub", "/x/y"},
		{"CGI-03/without-slash", "/sub", "/sub", ""},
		{"CGI-03/with-slash", "/sub/", "/sub", "/"},
		{"CGI-20/encoded", "/s%75b/%41", "/sub", "/A"},
		{"CGI-14/CGI-16/never-a-slash", "/sub//", "/sub", "//"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := l.environ(get(tt.target))
			if got["SCRIPT_NAME"] != tt.script || got["PATH_INFO"] != tt.info {
				t.Errorf("SCRIPT_NAME and PATH_INFO are %q and %q, expected %q and %q",
					got["SCRIPT_NAME"], got["PATH_INFO"], tt.script, tt.info)
			}
		})
	}
	// AMB-34: by segments, and 404 outside.
	t.Run("CGI-13/outside", func(t *testing.T) {
		for _, target := range []string{"/", "/subway", "/su", "//sub"} {
			if a := l.roundTrip(get(target)); a.StatusCode != 404 {
				t.Errorf("answer to %s is %s, expected 404", target, a.Status)
			}
		}
	})
	t.Run("CGI-07/configured", func(t *testing.T) {
		if got := l.environ(get("/sub")); got["SERVER_NAME"] != "app.example" || got["SERVER_SOFTWARE"] != "probe/1" {
			t.Errorf("SERVER_NAME and SERVER_SOFTWARE are %q and %q", got["SERVER_NAME"], got["SERVER_SOFTWARE"])
		}
	})
	t.Run("HDR-16/server", func(t *testing.T) {
		a := l.roundTrip(get("/sub"))
		if a.Header.Get("Server") != "probe/1" || a.Header.Get("Date") == "" {
			t.Errorf("Server and Date are %q and %q", a.Header.Get("Server"), a.Header.Get("Date"))
		}
	})
}
