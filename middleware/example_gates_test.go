package middleware_test

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func ExampleCORS() {
	app := middleware.CORS(middleware.CORSConfig{
		Origins: []string{"https://app.example.org"},
		Methods: []string{"PUT"},
		MaxAge:  time.Hour,
	})(text("data"))
	preflight := wsgitest.NewRequest("OPTIONS", "/").
		With("Origin", "https://app.example.org").
		With("Access-Control-Request-Method", "PUT")
	res := wsgitest.Record(app, preflight)
	fmt.Println(res.Status)
	fmt.Println(res.Headers.Get("Access-Control-Allow-Origin"))
	fmt.Println(res.Headers.Get("Access-Control-Allow-Methods"))
	// Output:
	// 204 No Content
	// https://app.example.org
	// GET, HEAD, POST, PUT
}

func ExampleHealth() {
	database := func(ctx context.Context) error { return nil }
	app := middleware.Health(middleware.HealthConfig{Check: database})(text("application"))
	show(app, get("/healthz"), get("/"))
	// Output:
	// GET /healthz: 200 OK: ok
	// GET /: 200 OK: application
}

func ExampleAllowedHosts() {
	app := middleware.AllowedHosts(middleware.AllowedHostsConfig{
		Hosts: []string{"example.org", "*.example.org"},
	})(text("application"))
	show(app, get("http://www.example.org/"), get("http://evil.example/"))
	// Output:
	// GET http://www.example.org/: 200 OK: application
	// GET http://evil.example/: 400 Bad Request: This is not the host of this site.
}

func ExampleHTTPSRedirect() {
	app := middleware.Chain(
		middleware.AllowedHosts(middleware.AllowedHostsConfig{Hosts: []string{"example.org"}}),
		middleware.HTTPSRedirect(middleware.HTTPSRedirectConfig{}),
	)(text("application"))
	res := wsgitest.Record(app, get("http://example.org/a?b=c"))
	fmt.Println(res.Status, res.Headers.Get("Location"))
	// Output:
	// 301 Moved Permanently https://example.org/a?b=c
}

func ExampleCanonicalHost() {
	app := middleware.CanonicalHost("www.example.org")(text("application"))
	res := wsgitest.Record(app, get("https://example.org/a"))
	fmt.Println(res.Status, res.Headers.Get("Location"))
	// Output:
	// 301 Moved Permanently https://www.example.org/a
}

func ExampleThrottle() {
	app := middleware.Throttle(middleware.ThrottleConfig{
		Requests: 1, // one after another, as for an application that is not safe for more
		Backlog:  20,
		Wait:     5 * time.Second,
	})(text("application"))
	show(app, get("/"))
	// Output:
	// GET /: 200 OK: application
}

func ExampleRateLimit() {
	app := middleware.RateLimit(middleware.RateLimitConfig{
		Every: time.Minute,
		Burst: 2,
		Key: func(environ *wsgi.Environ) string {
			if environ.Var("PATH_INFO") != "/login" {
				return "" // no limit
			}
			return middleware.ClientAddress(environ)
		},
	})(text("application"))
	show(app, get("/login"), get("/login"), get("/login"), get("/"))
	// Output:
	// GET /login: 200 OK: application
	// GET /login: 200 OK: application
	// GET /login: 429 Too Many Requests: Too many requests.
	// GET /: 200 OK: application
}

func ExampleCrossOrigin() {
	app := middleware.CrossOrigin(middleware.CrossOriginConfig{})(text("transferred"))
	show(app,
		wsgitest.NewRequest("POST", "/transfer").With("Sec-Fetch-Site", "same-origin"),
		wsgitest.NewRequest("POST", "/transfer").With("Sec-Fetch-Site", "cross-site"))
	// Output:
	// POST /transfer: 200 OK: transferred
	// POST /transfer: 403 Forbidden: The request was sent from another site.
}

func ExampleMethodOverride() {
	app := middleware.MethodOverride(middleware.MethodOverrideConfig{})(vars("REQUEST_METHOD"))
	show(app, wsgitest.NewRequest("POST", "/").Form(url.Values{"_method": {"delete"}}))
	// Output:
	// POST /: 200 OK: REQUEST_METHOD=DELETE
}

func ExampleBasicAuth() {
	app := middleware.BasicAuth(middleware.BasicAuthConfig{
		Realm: "metrics",
		Users: map[string]string{"prometheus": "a long random password"},
	})(vars("REMOTE_USER"))
	show(app, get("/metrics"), get("/metrics").BasicAuth("prometheus", "a long random password"))
	// Output:
	// GET /metrics: 401 Unauthorized: Unauthorized
	// GET /metrics: 200 OK: REMOTE_USER=prometheus
}

func ExampleHead() {
	app := middleware.Head()(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", wsgi.Headers{{Name: "Content-Length", Value: "1000"}}, nil)
		return wsgi.Generator(func(func([]byte, error) bool) { fmt.Println("hard work") }), err
	}))
	res := wsgitest.Record(app, wsgitest.NewRequest("HEAD", "/"))
	fmt.Println(res.Status, res.Headers.Get("Content-Length"))
	// Output:
	// 200 OK 1000
}

func ExampleConditionalGet() {
	app := middleware.ConditionalGet()(answer("200 OK", "page", "ETag", `"v7"`))
	show(app, get("/"), get("/").With("If-None-Match", `"v6", "v7"`))
	// Output:
	// GET /: 200 OK: page
	// GET /: 304 Not Modified
}
