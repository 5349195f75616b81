package middleware_test

import (
	"bytes"
	"fmt"
	"io"
	"net/url"
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

// The stack is what its example spells out, and both have the order of the
// document.
func TestRecommendedOrder(t *testing.T) {
	find := func(file, from, to string, names *regexp.Regexp) (list []string) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, part, _ := strings.Cut(string(text), from)
		part, _, _ = strings.Cut(part, to)
		for _, found := range names.FindAllStringSubmatch(part, -1) {
			list = append(list, found[1])
		}
		return list
	}
	made := find("recommended.go", "var stack []", "return Chain", regexp.MustCompile(`(?:return |add\(true, )(?:c\.)?([A-Z]\w+)[ ()]`))
	example := find("recommended_test.go", "func Example"+"Recommended", "\n}\n", regexp.MustCompile(`\t(?:middleware\.|static\.|session\.)(\w+)\(.*// `))
	document := find("../doc/middleware.md", "## The stack", "\n## ", regexp.MustCompile("(?m)^\\| `\\w+\\.(\\w+)` \\|"))
	for i, name := range made {
		made[i] = map[string]string{"Static": "New", "Session": "New"}[name]
		if made[i] == "" {
			made[i] = name
		}
	}
	if len(made) != 27 {
		t.Fatalf("%d middlewares were found, expected 27: %q", len(made), made)
	}
	if diff := cmp.Diff(example, made); diff != "" {
		t.Errorf("order (-example +Recommended):\n%s", diff)
	}
	document = slices.DeleteFunc(document, func(name string) bool { return !slices.Contains(made, name) })
	if diff := cmp.Diff(document, made); diff != "" {
		t.Errorf("order (-document +Recommended):\n%s", diff)
	}
}

// everyChoice is a stack with all that can be chosen.
func everyChoice(log io.Writer) middleware.RecommendedConfig {
	return middleware.RecommendedConfig{
		Hosts:      []string{"127.0.0.1", "localhost"},
		Proxy:      &middleware.ProxyFixConfig{For: 1},
		CORS:       &middleware.CORSConfig{Origins: []string{"https://a.example"}},
		DecodeBody: &middleware.DecodeBodyConfig{},
		Override:   &middleware.MethodOverrideConfig{},
		Debug:      true,
		Static:     static.New(static.Config{Files: public, Index: []string{}}),
		Session:    session.New(sessionConfig),
		AccessLog:  middleware.AccessLogConfig{Output: log},
		RateLimit:  middleware.RateLimitConfig{Every: 1},
	}
}

func TestRecommended(t *testing.T) {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		switch environ.Var("PATH_INFO") {
		case "/fails":
			return nil, errApp
		case "/session":
			s, err := session.From(environ)
			if err != nil {
				return nil, err
			}
			if err := s.Set("a", "b"); err != nil {
				return nil, err
			}
		}
		return text("hello").Call(environ, start)
	})
	tests := []struct {
		name   string
		config middleware.RecommendedConfig
		req    *wsgitest.Request
		code   int
	}{
		{"zero", middleware.RecommendedConfig{}, get("http://localhost/"), 200},
		{"zero, another host", middleware.RecommendedConfig{}, get("http://evil.example/"), 400},
		{"zero, failure", middleware.RecommendedConfig{}, get("/fails"), 500},
		{"zero, another site", middleware.RecommendedConfig{}, wsgitest.NewRequest("POST", "/").With("Sec-Fetch-Site", "cross-site"), 403},
		{"zero, large body", middleware.RecommendedConfig{}, wsgitest.NewRequest("POST", "/").Content("text/plain", strings.Repeat("x", 1<<20+1)), 413},
		{"no limit", middleware.RecommendedConfig{BodyLimit: -1, Timeout: -1}, wsgitest.NewRequest("POST", "/").Content("text/plain", strings.Repeat("x", 1<<20+1)), 200},
		{"https", middleware.RecommendedConfig{HTTPS: &middleware.HTTPSRedirectConfig{}}, get("http://localhost/"), 301},
		{"one host", middleware.RecommendedConfig{CanonicalHost: "localhost"}, get("http://127.0.0.1/"), 301},
		{"password", middleware.RecommendedConfig{Auth: &middleware.BasicAuthConfig{Users: map[string]string{"a": "b"}}}, get("/"), 401},
		{"file", everyChoice(io.Discard), get("/style.css"), 200},
		{"session", everyChoice(io.Discard), get("/session"), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			tt.config.AccessLog.Output = &log
			tt.req.ExpectErrors = true
			res := wsgitest.Do(t, middleware.Recommended(tt.config)(app), tt.req)
			if res.Code != tt.code || res.Err != nil {
				t.Errorf("got %s, error %v, expected %d", res.Status, res.Err, tt.code)
			}
			if !res.Headers.Has("X-Request-Id") || !res.Headers.Has("X-Content-Type-Options") || !strings.Contains(log.String(), fmt.Sprintf(" %d ", tt.code)) {
				t.Errorf("headers %v, log %q", res.Headers, &log)
			}
		})
	}
	keeps(t, middleware.Recommended(everyChoice(io.Discard)))
}

// Validate says what Recommended would panic with.
func TestRecommendedValidate(t *testing.T) {
	address := middleware.RecommendedConfig{CanonicalHost: "2001:db8::1"}
	for _, good := range []middleware.RecommendedConfig{everyChoice(io.Discard), address} {
		middleware.Recommended(good)
		if err := good.Validate(); err != nil {
			t.Error(err)
		}
	}
	for name, bad := range map[string]middleware.RecommendedConfig{
		"AllowedHosts":  {Hosts: []string{"a b"}},
		"CORS":          {CORS: &middleware.CORSConfig{Origins: []string{"x"}}},
		"CrossOrigin":   {CrossOrigin: middleware.CrossOriginConfig{Trusted: []string{"x"}}},
		"AccessLog":     {AccessLog: middleware.AccessLogConfig{Format: "%Z"}},
		"HTTPSRedirect": {HTTPS: &middleware.HTTPSRedirectConfig{Hosts: []string{"a/b"}}},
		"ProxyFix":      {Proxy: &middleware.ProxyFixConfig{For: -1}},
		"CanonicalHost": {CanonicalHost: "a/b"},
	} {
		panics(t, func() { middleware.Recommended(bad) }, name)
		if name == "ProxyFix" {
			continue // whose numbers are literals
		}
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Validate returns %v", name, err)
		}
	}
}

// Recommended with every choice is this chain. Each line says why it stands where
// it does.
func ExampleRecommended() {
	var choices struct {
		Users map[string]string
		Log   io.Writer
	}
	choices.Log = os.Stdout
	spelt := middleware.Chain(
		middleware.RequestID(middleware.RequestIDConfig{}),                                        // the log has to name the request
		middleware.ProxyFix(middleware.ProxyFixConfig{For: 1}),                                    // the log has to name the true peer, and so has everything below
		middleware.Observe(middleware.ObserveConfig{}),                                            // sees what all the others answer, and how long it took
		middleware.AccessLog(middleware.AccessLogConfig{Output: choices.Log, Format: `%m %U %s`}), // the same
		middleware.SecureHeaders(middleware.SecureHeadersConfig{}),                                // on a 500, a 413 and a 429 too
		middleware.CORS(middleware.CORSConfig{Origins: []string{"https://app.example"}}),          // the same: an unmarked 500 cannot be read by a script
		middleware.ErrorPages(middleware.ErrorPagesConfig{}),                                      // whatever is refused or fails below gets a page
		middleware.Recover(middleware.RecoverConfig{}),                                            // outside all that may fail
		middleware.DebugPage(middleware.DebugPageConfig{}),                                        // Recover answers whoever is not shown it
		middleware.Health(middleware.HealthConfig{}),                                              // probes come by a bare address and without a password
		middleware.AllowedHosts(middleware.AllowedHostsConfig{}),                                  // before everything that trusts the Host
		middleware.HTTPSRedirect(middleware.HTTPSRedirectConfig{}),                                // builds a URL of the Host
		middleware.CanonicalHost("localhost"),                                                     // after https, or there are two redirects
		middleware.Timeout(30*time.Second),                                                        // the wait for a turn counts
		middleware.Throttle(middleware.ThrottleConfig{}),                                          // nothing expensive is outside
		middleware.RateLimit(middleware.RateLimitConfig{}),                                        // by the peer that ProxyFix has found
		middleware.BodyLimit(1<<20),                                                               // before anybody reads the body
		middleware.DecodeBody(middleware.DecodeBodyConfig{}),                                      // inside BodyLimit, which counts what is sent
		middleware.CrossOrigin(middleware.CrossOriginConfig{}),                                    // looks at the Host, and at the method that was sent
		middleware.MethodOverride(middleware.MethodOverrideConfig{}),                              // inside CrossOrigin, which it would deceive
		middleware.BasicAuth(middleware.BasicAuthConfig{Users: choices.Users}),                    // outside what may answer from memory
		middleware.Head(),                                // outside what measures the body
		middleware.ConditionalGet(),                      // compares the ETag that the client was given
		middleware.Compress(middleware.CompressConfig{}), // marks the ETag of what it changes
		middleware.ETag(),                                // of the bytes as they were made
		static.New(static.Config{Files: public}),         // a file needs no session
		session.New(session.Config{Keys: [][]byte{[]byte("32 bytes that nobody can guess..")}}), // next to the application
	)
	short := middleware.Recommended(middleware.RecommendedConfig{
		AccessLog: middleware.AccessLogConfig{Output: choices.Log, Format: `%m %U %s`},
	})
	hello := wsgi.Response{Status: "200 OK", Headers: wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, Body: wsgi.Strings("hello\n")}
	for _, stack := range []wsgi.Middleware{spelt, short} {
		for _, target := range []string{"http://localhost/healthz", "http://localhost/", "http://evil.example/"} {
			fmt.Println(wsgitest.Record(stack(hello), wsgitest.NewRequest("GET", target)).Status)
		}
	}
	// Output:
	// GET /healthz 200
	// 200 OK
	// GET / 301
	// 301 Moved Permanently
	// GET / 400
	// 400 Bad Request
	// GET /healthz 200
	// 200 OK
	// GET / 200
	// 200 OK
	// GET / 400
	// 400 Bad Request
}

// A 404 without a body gets a page, whatever stands between the application and
// ErrorPages: that there is no body must not get lost on the way.
func TestRecommendedPages(t *testing.T) {
	for name, config := range map[string]middleware.RecommendedConfig{
		"zero value": {},
		"debug":      {Debug: true},
		"more": {
			DecodeBody: &middleware.DecodeBodyConfig{}, Override: &middleware.MethodOverrideConfig{},
			Throttle: middleware.ThrottleConfig{Requests: 2}, Session: session.New(session.Config{Store: new(session.Memory)}),
		},
	} {
		config.AccessLog.Output = io.Discard
		stack := middleware.Recommended(config)
		for _, body := range []wsgi.Iterable{nil, wsgi.Empty(), wsgi.Strings(), wsgi.Blocks()} {
			app := stack(wsgi.Response{Status: "404 Not Found", Body: body})
			chunked := wsgitest.NewRequest("POST", "/none")
			chunked.Stream = strings.NewReader("abc")
			for _, req := range []*wsgitest.Request{
				get("/none"),
				wsgitest.NewRequest("POST", "/none").Form(url.Values{"a": {"b"}}),
				chunked,
			} {
				res := wsgitest.Do(t, app, req.With("Host", "localhost").With("Accept", browserAccept))
				if res.Code != 404 || !strings.Contains(res.Text(), "Not Found") || res.Headers.Get("Content-Type") != "text/html; charset=utf-8" {
					t.Errorf("%s: %s with a body of %T: %s, %v\n%q\nwant the page of ErrorPages", name, req.Method, body, res.Status, res.Headers, res.Text())
				}
			}
		}
	}
}
