package middleware_test

import (
	"io"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// everything is each middleware of the package, with the choices that let the
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

		"RequestID":     middleware.RequestID(middleware.RequestIDConfig{New: func() string { return "id" }}),
		"ProxyFix":      middleware.ProxyFix(middleware.ProxyFixConfig{For: 1, Proto: 1}),
		"AccessLog":     middleware.AccessLog(middleware.AccessLogConfig{Output: io.Discard}),
		"SecureHeaders": middleware.SecureHeaders(middleware.SecureHeadersConfig{}),
		"Recover":       middleware.Recover(middleware.RecoverConfig{}),
		"Timeout":       middleware.Timeout(time.Hour),
		"BodyLimit":     middleware.BodyLimit(1 << 20),
		"CORS":          middleware.CORS(middleware.CORSConfig{Origins: []string{"https://a.example"}}),
		"Health":        middleware.Health(middleware.HealthConfig{}),
		"AllowedHosts":  middleware.AllowedHosts(middleware.AllowedHostsConfig{}),
		"HTTPSRedirect": middleware.HTTPSRedirect(middleware.HTTPSRedirectConfig{}),
		"CanonicalHost": middleware.CanonicalHost("127.0.0.1"),
		"Throttle":      middleware.Throttle(middleware.ThrottleConfig{}),
		"RateLimit":     middleware.RateLimit(middleware.RateLimitConfig{Every: 1}),

		"CrossOrigin":    middleware.CrossOrigin(middleware.CrossOriginConfig{}),
		"MethodOverride": middleware.MethodOverride(middleware.MethodOverrideConfig{}),
		"BasicAuth":      middleware.BasicAuth(middleware.BasicAuthConfig{}),
		"Head":           middleware.Head(),
		"ConditionalGet": middleware.ConditionalGet(),
		"Compress":       middleware.Compress(middleware.CompressConfig{}),
		"ETag":           middleware.ETag(),
		"ContentLength":  middleware.ContentLength(),
		"ContentType":    middleware.ContentType(middleware.ContentTypeConfig{}),
		"Static":         middleware.Static(middleware.StaticConfig{FS: files("index.html", page)}),
	}
}
