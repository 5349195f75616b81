package middleware_test

import (
	"bytes"
	"io"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
)

// public are the files of the tests: of a time that is past, so that their tags
// are strong.
var public = fstest.MapFS{
	"index.html": {Data: []byte(page), ModTime: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)},
	"style.css":  {Data: []byte("body{}"), ModTime: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)},
}

// sessionConfig keeps sessions in cookies.
var sessionConfig = session.Config{Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}}

// everything is each middleware of the package and of those below it, with the choices that let the
// requests of the tests pass. A new one is made at each call: some keep a state.
func everything() map[string]wsgi.Middleware {
	return map[string]wsgi.Middleware{
		"Chain":    middleware.Chain(),
		"When":     middleware.When(never, middleware.Chain()),
		"Mount":    middleware.Mount("/mounted", wsgi.Response{Status: "200 OK"}),
		"Dispatch": middleware.Dispatch(map[string]wsgi.Application{"/table": wsgi.Response{Status: "200 OK"}}),
		"Cascade":  middleware.Cascade(answer("404 Not Found", "")),

		"MapStatus":  middleware.MapStatus(teapot),
		"MapHeaders": middleware.MapHeaders(func(_ *wsgi.Environ, _ string, h wsgi.Headers) wsgi.Headers { return h }),
		"Filter":     middleware.Filter(upper),
		"SetEnv":     middleware.SetEnv(map[string]any{"my.key": 1}),
		"Observe":    middleware.Observe(middleware.ObserveConfig{Finish: func(*middleware.Observation) {}}),
		"OnClose":    middleware.OnClose(func(*wsgi.Environ) error { return nil }),

		"RequestID":        middleware.RequestID(middleware.RequestIDConfig{New: func() string { return "id" }}),
		"ProxyFix":         middleware.ProxyFix(middleware.ProxyFixConfig{For: 1, Proto: 1}),
		"AccessLog":        middleware.AccessLog(middleware.AccessLogConfig{Output: io.Discard}),
		"SecureHeaders":    middleware.SecureHeaders(middleware.SecureHeadersConfig{}),
		"Recommended":      middleware.Recommended(middleware.RecommendedConfig{AccessLog: middleware.AccessLogConfig{Output: io.Discard}, RequestID: middleware.RequestIDConfig{New: func() string { return "id" }}, RateLimit: middleware.RateLimitConfig{Every: 1}}),
		"DecodeBody":       middleware.DecodeBody(middleware.DecodeBodyConfig{}),
		"Sendfile":         middleware.Sendfile(middleware.SendfileConfig{Header: "X-Sendfile", Folders: map[string]string{"/nowhere": ""}}),
		"ProfileLabels":    middleware.ProfileLabels(nil),
		"Profile":          middleware.Profile(func(*wsgi.Environ) io.WriteCloser { return nil }),
		"FinishHooks":      middleware.FinishHooks(),
		"AllowMethods":     middleware.AllowMethods("GET", "POST"),
		"AllowContentType": middleware.AllowContentType("application/json"),
		"NoCache":          middleware.NoCache(),
		"Sunset":           middleware.Sunset(middleware.SunsetConfig{Gone: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}),
		"Recursive":        middleware.Recursive(),
		"ErrorPages":       middleware.ErrorPages(middleware.ErrorPagesConfig{}),
		"Recover":          middleware.Recover(middleware.RecoverConfig{}),
		"DebugPage":        middleware.DebugPage(middleware.DebugPageConfig{}),
		"Timeout":          middleware.Timeout(time.Hour),
		"BodyLimit":        middleware.BodyLimit(1 << 20),
		"CORS":             middleware.CORS(middleware.CORSConfig{Origins: []string{"https://a.example"}}),
		"Health":           middleware.Health(middleware.HealthConfig{}),
		"AllowedHosts":     middleware.AllowedHosts(middleware.AllowedHostsConfig{}),
		"HTTPSRedirect":    middleware.HTTPSRedirect(middleware.HTTPSRedirectConfig{}),
		"CanonicalHost":    middleware.CanonicalHost("127.0.0.1"),
		"Throttle":         middleware.Throttle(middleware.ThrottleConfig{}),
		"RateLimit":        middleware.RateLimit(middleware.RateLimitConfig{Every: 1}),

		"CrossOrigin":    middleware.CrossOrigin(middleware.CrossOriginConfig{}),
		"MethodOverride": middleware.MethodOverride(middleware.MethodOverrideConfig{}),
		"BasicAuth":      middleware.BasicAuth(middleware.BasicAuthConfig{}),
		"Head":           middleware.Head(),
		"ConditionalGet": middleware.ConditionalGet(),
		"Compress":       middleware.Compress(middleware.CompressConfig{}),
		"ETag":           middleware.ETag(),
		"ContentLength":  middleware.ContentLength(),
		"ContentType":    middleware.ContentType(middleware.ContentTypeConfig{}),

		"static.New":  static.New(static.Config{Files: public}),
		"session.New": session.New(sessionConfig),
	}
}

// The families keep the contract with what is on both sides of them, as the
// others do, whose own tests see to it.
func TestFamilies(t *testing.T) {
	for _, name := range []string{"static.New", "session.New"} {
		t.Run(name, func(t *testing.T) { keeps(t, everything()[name]) })
	}
	t.Run("static.New, every answer its own", func(t *testing.T) {
		keeps(t, func(next wsgi.Application) wsgi.Application {
			files := static.Application(static.Config{Files: public, List: true, Index: []string{}})
			return middleware.Cascade(files)(next)
		})
	})
	t.Run("session.New, in use", func(t *testing.T) {
		uses := func(next wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				s, err := session.From(environ)
				if err != nil {
					return nil, err
				}
				if err := s.Set("visits", "1"); err != nil {
					return nil, err
				}
				return next.Call(environ, start)
			})
		}
		keeps(t, middleware.Chain(session.New(sessionConfig), uses))
	})
}
