package docs

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Every field of server.Server is in the guide or in the package documentation.
func TestServerFieldsAreDocumented(t *testing.T) {
	text := read(t, "doc/guide.md") + read(t, "server/doc.go")
	for field := range reflect.TypeFor[server.Server]().Fields() {
		if !field.IsExported() {
			continue
		}
		// As code, for App and Name are also words.
		if !regexp.MustCompile("`" + field.Name + "`|\\bServer\\." + field.Name + "\\b|\\b" + field.Name + ":").MatchString(text) {
			t.Errorf("Server.%s is neither in doc/guide.md nor in server/doc.go", field.Name)
		}
	}
}

// doc/differences.md has each ambiguity once, in order.
func TestEveryAmbiguityIsListed(t *testing.T) {
	const last = 42
	rows := regexp.MustCompile(`(?m)^\| (AMB-\d+) \|`).FindAllStringSubmatch(read(t, "doc/differences.md"), -1)
	if len(rows) != last {
		t.Errorf("doc/differences.md has %d ambiguities, expected %d", len(rows), last)
	}
	for i, row := range rows {
		if want := fmt.Sprintf("AMB-%02d", i+1); row[1] != want {
			t.Errorf("row %d of the ambiguities is %s, expected %s", i+1, row[1], want)
		}
	}
}

func TestReadmeIsShort(t *testing.T) {
	if n := strings.Count(read(t, "README.md"), "\n"); n >= 200 {
		t.Errorf("README.md has %d lines, expected less than 200", n)
	}
}

// The variables that a running server provides are those in doc/environ.md.
func TestVariablesAreDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(read(t, "doc/environ.md"), -1) {
		documented[row[1]] = true
	}

	provided := map[string]string{} // variable: one request that showed it
	for _, c := range cases(t) {
		environ := c.run(t)
		for key := range environ {
			provided[key] = c.name
			if _, deployer := deployers[key]; deployer || strings.HasPrefix(key, "HTTP_") {
				continue
			}
			if !documented[key] {
				t.Errorf("%s: the variable %s is not in doc/environ.md", c.name, key)
			}
		}
		for _, key := range c.withheld {
			if value, ok := environ[key]; ok {
				t.Errorf("%s: the variable %s is %q, and doc/environ.md says that it is withheld", c.name, key, value)
			}
		}
		for key, want := range c.want {
			if got, ok := environ[key]; !ok || got != want {
				t.Errorf("%s: the variable %s is %#v, expected %#v", c.name, key, got, want)
			}
		}
	}
	for key := range documented {
		if provided[key] == "" {
			t.Errorf("doc/environ.md has the variable %s, and no request shows it", key)
		}
	}
}

var deployers = map[string]string{"example.key": "of the deployer", "PATH_INFO": "/deployer"}

// environCase is a request to a running server.
type environCase struct {
	name     string
	network  string
	tls      *tls.Config // of the server
	request  string
	want     map[string]any
	withheld []string
}

func cases(t *testing.T) []environCase {
	t.Helper()
	ts := httptest.NewTLSServer(nil) // for its certificate
	ts.Close()
	config := &tls.Config{Certificates: ts.TLS.Certificates, ClientAuth: tls.RequestClientCert}
	return []environCase{
		{
			name: "plain", network: "tcp",
			request: "POST /a%20b//c?x=%20 HTTP/1.1\r\nHost: example.com:81\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n" +
				"Proxy: evil\r\nX_Under: u\r\nPragma: no-cache\r\nCookie: a=1\r\nCookie: b=2\r\nX-Two: 1\r\nX-Two: 2\r\n" +
				"X-Empty:\r\nX-Forwarded-Proto: https\r\nAuthorization: Basic Og==\r\nConnection: close\r\n\r\nhi",
			want: map[string]any{
				"REQUEST_METHOD": "POST", "SCRIPT_NAME": "", "PATH_INFO": "/a b//c", "QUERY_STRING": "x=%20",
				"REQUEST_URI": "/a%20b//c?x=%20", "RAW_URI": "/a%20b//c?x=%20", "CONTENT_TYPE": "text/plain",
				"CONTENT_LENGTH": "2", "SERVER_NAME": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1",
				"SERVER_SOFTWARE": "gowsgi", "GATEWAY_INTERFACE": "CGI/1.1", "REMOTE_ADDR": "127.0.0.1",
				"HTTP_HOST": "example.com:81", "HTTP_COOKIE": "a=1; b=2", "HTTP_X_TWO": "1, 2", "HTTP_X_EMPTY": "",
				"HTTP_PRAGMA": "no-cache", "HTTP_AUTHORIZATION": "Basic Og==", "HTTP_X_FORWARDED_PROTO": "https",
				"wsgi.version": [2]int{1, 0}, "wsgi.url_scheme": "http", "wsgi.multithread": true,
				"wsgi.multiprocess": false, "wsgi.run_once": false, "wsgi.input_terminated": true,
				"example.key": "of the deployer",
			},
			withheld: []string{"HTTP_PROXY", "HTTP_X_UNDER", "HTTP_CACHE_CONTROL", "HTTP_CONTENT_TYPE",
				"HTTP_CONTENT_LENGTH", "HTTPS", "SSL_PROTOCOL", "REMOTE_USER", "AUTH_TYPE"},
		},
		{
			name: "chunked", network: "tcp",
			request: "POST http://other.example/p HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n" +
				"Connection: close\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
			want: map[string]any{"PATH_INFO": "/p", "HTTP_HOST": "other.example", "QUERY_STRING": ""},
			withheld: []string{"HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH", "CONTENT_TYPE",
				"HTTP_CACHE_CONTROL"},
		},
		{
			name: "Unix socket", network: "unix",
			request:  "GET / HTTP/1.0\r\n\r\n",
			want:     map[string]any{"SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.0"},
			withheld: []string{"REMOTE_ADDR", "REMOTE_PORT", "HTTP_HOST"},
		},
		{
			name: "TLS", network: "tcp", tls: config,
			request: "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n",
			want: map[string]any{"wsgi.url_scheme": "https", "HTTPS": "on", "SSL_PROTOCOL": "TLSv1.3",
				"SSL_TLS_SNI": "example.com", "SSL_CLIENT_VERIFY": "GENEROUS"},
		},
	}
}

// run sends the request to a server of its own and returns the environ that
// the application was called with.
func (c environCase) run(t *testing.T) map[string]any {
	t.Helper()
	seen := make(chan map[string]any, 1)
	s := &server.Server{
		App: wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
			seen <- environ.Map()
			return wsgi.Response{Status: "204 No Content"}.Call(environ, startResponse)
		}),
		Environ:   deployers,
		TLSConfig: c.tls,
		Logger:    slog.New(slog.DiscardHandler),
	}
	addr := "127.0.0.1:0"
	if c.network == "unix" {
		dir, err := os.MkdirTemp("", "s") // t.TempDir may be too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		addr = "unix:" + filepath.Join(dir, "s")
	}
	l, err := server.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(l)
	defer s.Close()

	conn, err := new(net.Dialer).DialContext(context.Background(), c.network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if c.tls != nil {
		conn = tls.Client(conn, &tls.Config{
			InsecureSkipVerify: true, ServerName: "example.com", Certificates: c.tls.Certificates,
		})
	}
	io.WriteString(conn, c.request)
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	if want := fmt.Sprint(http.StatusNoContent); !strings.Contains(string(answer), " "+want+" ") {
		t.Fatalf("%s: the answer is %q, expected %s", c.name, answer, want)
	}
	return <-seen
}
