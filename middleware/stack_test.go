package middleware_test

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// wholeStack is the stack of doc/middleware.md, with everything in it.
func wholeStack(log io.Writer) wsgi.Middleware {
	return middleware.Chain(
		middleware.RequestID(middleware.RequestIDConfig{New: func() string { return "id" }}),
		middleware.ProxyFix(middleware.ProxyFixConfig{Proto: 1, Host: 1, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}),
		middleware.AccessLog(middleware.AccessLogConfig{Output: log, Format: `%h %u "%r" %s %b %{gowsgi.request_id}e`}),
		middleware.SecureHeaders(middleware.SecureHeadersConfig{}),
		middleware.CORS(middleware.CORSConfig{Origins: []string{"https://app.example"}}),
		middleware.ErrorPages(middleware.ErrorPagesConfig{}),
		middleware.Recover(middleware.RecoverConfig{}),
		middleware.DebugPage(middleware.DebugPageConfig{}),
		middleware.Health(middleware.HealthConfig{}),
		middleware.AllowedHosts(middleware.AllowedHostsConfig{Hosts: []string{"site.example", "127.0.0.1"}}),
		middleware.When(
			func(environ *wsgi.Environ) bool { return environ.Var("HTTP_X_PLAIN") != "" },
			middleware.HTTPSRedirect(middleware.HTTPSRedirectConfig{})),
		middleware.Timeout(time.Minute),
		middleware.Throttle(middleware.ThrottleConfig{}),
		middleware.RateLimit(middleware.RateLimitConfig{Every: time.Microsecond, Burst: 1 << 20}),
		middleware.BodyLimit(1<<10),
		middleware.CrossOrigin(middleware.CrossOriginConfig{}),
		middleware.MethodOverride(middleware.MethodOverrideConfig{}),
		middleware.When(
			func(environ *wsgi.Environ) bool { return strings.HasPrefix(environ.Var("PATH_INFO"), "/admin") },
			middleware.BasicAuth(middleware.BasicAuthConfig{Users: map[string]string{"ada": "password"}})),
		middleware.Head(),
		middleware.ConditionalGet(),
		middleware.Compress(middleware.CompressConfig{}),
		middleware.ETag(),
		static.New(static.Config{Files: public, Index: []string{}}),
		session.New(sessionConfig),
	)
}

// The order above is that of the document.
func TestStackOrder(t *testing.T) {
	document, err := os.ReadFile("../doc/middleware.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "## The stack")
	section, _, _ = strings.Cut(section, "\n## ")
	var documented []string
	for _, row := range rowName.FindAllStringSubmatch(section, -1) {
		documented = append(documented, row[1])
	}
	source, err := os.ReadFile("stack_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, stack, _ := strings.Cut(string(source), "func wholeStack")
	stack, _, _ = strings.Cut(stack, "\n}\n")
	var used []string
	for _, call := range regexp.MustCompile(`\b((?:middleware|static|session)\.[A-Z]\w*)\(`).FindAllStringSubmatch(stack, -1) {
		if name := call[1]; name != "middleware.Chain" && name != "middleware.When" {
			used = append(used, name)
		}
	}
	documented = slices.DeleteFunc(documented, func(name string) bool { return !slices.Contains(used, name) })
	if len(used) < 15 {
		t.Fatalf("only %q were found in the stack", used)
	}
	if diff := cmp.Diff(documented, used); diff != "" {
		t.Errorf("order (-document +stack):\n%s", diff)
	}
}

func TestStack(t *testing.T) {
	app := func(log io.Writer) wsgi.Application {
		return wholeStack(log)(middleware.Dispatch(map[string]wsgi.Application{
			"/":       answer("200 OK", page, "Content-Type", "text/html"),
			"/fails":  wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errApp }),
			"/panics": raises("oh", true),
			"/missing": wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, &middleware.HTTPError{Code: 404}
			}),
			"/reads":  reads(),
			"/admin":  vars("REMOTE_USER"),
			"/method": vars("REQUEST_METHOD"),
		})(text("never")))
	}
	chunked := func(n int) *wsgitest.Request {
		req := wsgitest.NewRequest("POST", "/reads")
		req.Stream = strings.NewReader(strings.Repeat("x", n))
		return req
	}
	tests := []struct {
		name string
		req  *wsgitest.Request
		code int
		log  string
	}{
		{"page", get("/"), 200, `192.0.2.1 - "GET / HTTP/1.1" 200 3900 id`},
		{"HEAD", wsgitest.NewRequest("HEAD", "/"), 200, `192.0.2.1 - "HEAD / HTTP/1.1" 200 - id`},
		{"file", get("/style.css"), 200, `192.0.2.1 - "GET /style.css HTTP/1.1" 200 6 id`},
		{"failure", get("/fails"), 500, `192.0.2.1 - "GET /fails HTTP/1.1" 500 86 id`},
		{"panic", get("/panics"), 500, `192.0.2.1 - "GET /panics HTTP/1.1" 500 86 id`},
		{"HTTPError", get("/missing"), 404, `192.0.2.1 - "GET /missing HTTP/1.1" 404 74 id`},
		{"too large", wsgitest.NewRequest("POST", "/reads").Content("text/plain", strings.Repeat("x", 2000)), 413, `192.0.2.1 - "POST /reads HTTP/1.1" 413 150 id`},
		{"too large, undeclared", chunked(2000), 413, `192.0.2.1 - "POST /reads HTTP/1.1" 413 150 id`},
		{"large enough", chunked(1024), 200, `192.0.2.1 - "POST /reads HTTP/1.1" 200 1024 id`},
		{"another host", get("http://evil.example/"), 400, `192.0.2.1 - "GET / HTTP/1.1" 400 122 id`},
		{"health by a bare address", get("http://10.1.2.3/healthz"), 200, `192.0.2.1 - "GET /healthz HTTP/1.1" 200 3 id`},
		{"another site", wsgitest.NewRequest("POST", "/reads").With("Sec-Fetch-Site", "cross-site"), 403, `192.0.2.1 - "POST /reads HTTP/1.1" 403 125 id`},
		{"preflight", wsgitest.NewRequest("OPTIONS", "/").With("Origin", "https://app.example").With("Access-Control-Request-Method", "GET"), 204, `192.0.2.1 - "OPTIONS / HTTP/1.1" 204 - id`},
		{"no password", get("/admin"), 401, `192.0.2.1 - "GET /admin HTTP/1.1" 401 77 id`},
		{"password", get("/admin").BasicAuth("ada", "password"), 200, `192.0.2.1 ada "GET /admin HTTP/1.1" 200 15 id`},
		{"not modified", get("/style.css").With("If-Modified-Since", dayTwo), 304, `192.0.2.1 - "GET /style.css HTTP/1.1" 304 - id`},
		{"redirect", get("/a?b").With("X-Plain", "1"), 301, `192.0.2.1 - "GET /a?b HTTP/1.1" 301 - id`},
		{"override", wsgitest.NewRequest("POST", "/method").With("X-HTTP-Method-Override", "PUT"), 200, `192.0.2.1 - "POST /method HTTP/1.1" 200 18 id`},
		{"forged client", get("/missing").With("X-Forwarded-For", "6.6.6.6").With("X-Forwarded-Host", "evil.example"), 404, `192.0.2.1 - "GET /missing HTTP/1.1" 404 74 id`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			tt.req.ExpectErrors = true
			res := wsgitest.Do(t, app(&log), tt.req)
			if res.Code != tt.code || res.Err != nil {
				t.Errorf("got %s, error %v, expected %d", res.Status, res.Err, tt.code)
			}
			if diff := cmp.Diff(tt.log+"\n", log.String()); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
			// Whoever answers: the headers are there.
			for _, name := range []string{"X-Request-ID", "X-Content-Type-Options", "Content-Security-Policy", "Vary"} {
				if !res.Headers.Has(name) {
					t.Errorf("the response lacks %s: %v", name, res.Headers)
				}
			}
		})
	}
	t.Run("through a proxy", func(t *testing.T) {
		var log bytes.Buffer
		req := get("/missing").With("X-Forwarded-For", "198.51.100.7, 10.0.0.9").With("X-Forwarded-Proto", "https").With("X-Forwarded-Host", "site.example").With("Host", "internal")
		req.RemoteAddr = "10.0.0.1:5"
		res := wsgitest.Do(t, app(&log), req)
		if got := log.String(); !strings.HasPrefix(got, "198.51.100.7 - ") || res.Code != 404 || !res.Headers.Has("Strict-Transport-Security") {
			t.Errorf("got %s, headers %v, log %s", res.Status, res.Headers, got)
		}
	})
	t.Run("compressed, and not again", func(t *testing.T) {
		stack := app(io.Discard)
		first := wsgitest.Do(t, stack, get("/").With("Accept-Encoding", "gzip"))
		if unpack(t, first) != page || first.Headers.Get("Content-Encoding") != "gzip" || first.Headers.Get("Vary") != "Accept-Encoding, Origin" {
			t.Errorf("headers %v", first.Headers)
		}
		again := wsgitest.Do(t, stack, get("/").With("Accept-Encoding", "gzip").With("If-None-Match", first.Headers.Get("ETag")))
		if again.Code != 304 {
			t.Errorf("got %s", again.Status)
		}
	})
	keeps(t, wholeStack(io.Discard))
}

// BenchmarkStack is what ten middlewares cost for a small response.
func BenchmarkStack(b *testing.B) {
	ten := middleware.Chain(
		middleware.RequestID(middleware.RequestIDConfig{}),
		middleware.AccessLog(middleware.AccessLogConfig{Output: io.Discard}),
		middleware.SecureHeaders(middleware.SecureHeadersConfig{}),
		middleware.CORS(middleware.CORSConfig{Origins: []string{"https://app.example"}}),
		middleware.Recover(middleware.RecoverConfig{}),
		middleware.Health(middleware.HealthConfig{}),
		middleware.Timeout(time.Minute),
		middleware.Throttle(middleware.ThrottleConfig{}),
		middleware.BodyLimit(1<<20),
		middleware.Compress(middleware.CompressConfig{}),
	)(text("hello"))
	environ := get("/").Environ()
	start := func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil }
	yield := func([]byte, error) bool { return true }
	b.ReportAllocs()
	for b.Loop() {
		body, err := ten.Call(environ, start)
		if err != nil {
			b.Fatal(err)
		}
		body.Blocks(yield)
		body.Close()
	}
}

// A stack in the order of doc/middleware.md, of what a small site wants.
func Example_stack() {
	stack := middleware.Chain(
		middleware.AccessLog(middleware.AccessLogConfig{Output: os.Stdout, Format: `%m %U %s`}), // sees what all the others answer
		middleware.SecureHeaders(middleware.SecureHeadersConfig{}),                              // on pages of errors too
		middleware.Recover(middleware.RecoverConfig{}),                                          // outside all that may fail
		middleware.AllowedHosts(middleware.AllowedHostsConfig{}),                                // before what trusts the Host
		middleware.BodyLimit(1<<20),                                                             // before anybody reads the body
		middleware.CrossOrigin(middleware.CrossOriginConfig{}),                                  // compares with the Host
	)
	app := stack(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return nil, &middleware.HTTPError{Code: 404}
	}))
	for _, target := range []string{"http://localhost/page", "http://evil.example/page"} {
		fmt.Println(wsgitest.Record(app, get(target)).Status)
	}
	// Output:
	// GET /page 404
	// 404 Not Found
	// GET /page 400
	// 400 Bad Request
}
