package wsgitest_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// serve runs app on a server of its own and returns the server's address.
func serve(t *testing.T, s *server.Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Logger = slog.New(slog.DiscardHandler)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(listener) }()
	t.Cleanup(func() {
		s.Close()
		<-ended
	})
	return listener.Addr().String()
}

// The recorder and the live server agree, case by case.
func TestAgreement(t *testing.T) {
	recorded, live := cases(files(t)), cases(files(t)) // a Stream can be read once
	for i, tc := range live {
		t.Run(tc.name, func(t *testing.T) {
			addr := serve(t, &server.Server{App: tc.app})
			got := visible(wsgitest.Live("tcp", addr)(tc.request))
			want := visible(wsgitest.Record(recorded[i].app, recorded[i].request))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-recorded +live):\n%s", tc.why, diff)
			}
		})
	}
}

// The recorder and the live server make the same environ of a request.
func TestAgreementEnviron(t *testing.T) {
	for name, req := range map[string]*wsgitest.Request{
		"zero":     {},
		"HTTP/1.0": {Proto: "HTTP/1.0"},
		"absolute": wsgitest.NewRequest("GET", "http://h.example:81/p?q"),
		"path":     {Target: "//a%2Fb/./../%252e%C3%A9%FF?x?y=%20"},
		"query":    {Target: "/?"},
		"mounted":  {ScriptName: "/app", Target: "/app/x"},
		"at mount": {ScriptName: "/app", Target: "/app"},
		"OPTIONS":  {Method: "OPTIONS", Target: "/"},
		"method":   {Method: "Get"},
		"sized":    wsgitest.NewRequest("POST", "/").Content("text/plain", "hello"),
		"chunked":  {Method: "POST", Stream: strings.NewReader("hello")},
		"empty":    {Method: "POST", Body: []byte{}},
		"cookies":  get().Cookie("a", "1").With("cookie", "b=2"),
		"headers": get().With("X-A", "1").With("x-a", "\t2 ").With("X_A", "3").With("X-Empty", "").
			With("X-Latin", "caf\xe9").With("Proxy", "p").With("Authorization", "Basic x"),
		"framing": get().With("Transfer-Encoding", "identity").With("Connection", "keep-alive").With("TE", "trailers"),
		"no host": get().With("Host", ""),
	} {
		t.Run(name, func(t *testing.T) {
			var live map[string]any
			addr := serve(t, &server.Server{ScriptName: req.ScriptName, App: wsgi.AppFunc(
				func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					live = environ.Map()
					return wsgi.Response{Status: "200 OK"}.Call(environ, start)
				})})
			if res := wsgitest.Live("tcp", addr)(req); res.Code != 200 {
				t.Fatalf("the server answered %q, error %v", res.Status, res.Err)
			}
			recorded := wsgitest.Record(wsgi.Response{Status: "200 OK"}, req).Environ.Map()
			for _, key := range []string{
				"SERVER_PORT", "SERVER_SOFTWARE", "REMOTE_ADDR", "REMOTE_PORT", // the connection's
				"wsgi.input", "wsgi.errors", "wsgi.file_wrapper", "wsgi.early_hints", // not comparable
				"gowsgi.http", // the server's own extension
			} {
				if key != "gowsgi.http" && live[key] == nil || recorded[key] == nil && key != "gowsgi.http" {
					t.Errorf("%s: recorded %v, live %v; expected both", key, recorded[key], live[key])
				}
				delete(live, key)
				delete(recorded, key)
			}
			if diff := cmp.Diff(recorded, live); diff != "" {
				t.Errorf("(-recorded +live):\n%s", diff)
			}
		})
	}
}

// What a Request refuses to be, the live server refuses to hand on.
func TestAgreementRefused(t *testing.T) {
	addr := serve(t, &server.Server{App: answer("200 OK", nil, wsgi.Empty())})
	for name, head := range map[string]string{
		"escape":       "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
		"blank":        "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n",
		"no slash":     "GET cart HTTP/1.1\r\nHost: h\r\n\r\n",
		"fragment":     "GET /p#f HTTP/1.1\r\nHost: h\r\n\r\n",
		"NUL":          "GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n",
		"CONNECT":      "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n",
		"protocol":     "GET / SPDY\r\nHost: h\r\n\r\n",
		"header name":  "GET / HTTP/1.1\r\nHost: h\r\nX Y: 1\r\n\r\n",
		"header value": "GET / HTTP/1.1\r\nHost: h\r\nX: a\x01b\r\n\r\n",
		"two hosts":    "GET / HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
		"host":         "GET / HTTP/1.1\r\nHost: h i\r\n\r\n",
		"two types":    "GET / HTTP/1.1\r\nHost: h\r\nContent-Type: a\r\nContent-Type: b\r\n\r\n",
		"two lengths":  "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, head)
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode < 400 {
				t.Errorf("the server answered %s, expected a refusal", res.Status)
			}
		})
	}
}
