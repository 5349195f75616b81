package middleware_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// apart is a middleware that does nothing, and that keeps its neighbours from being
// made one.
func apart(next wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return next.Call(environ, start)
	})
}

var kept = wsgi.Headers{{Name: "X-Kept", Value: "1"}, {Name: "Vary", Value: "Accept"}}

// headOnly are the middlewares that change nothing but heads.
var headOnly = map[string]wsgi.Middleware{
	"MapStatus": middleware.MapStatus(teapot),
	"MapHeaders": middleware.MapHeaders(func(environ *wsgi.Environ, status string, h wsgi.Headers) wsgi.Headers {
		h.Add("X-Seen", fmt.Sprint(environ.Var("REQUEST_METHOD"), status, len(h)))
		return h
	}),
	"a list of its own": middleware.MapHeaders(func(*wsgi.Environ, string, wsgi.Headers) wsgi.Headers { return kept[:1] }),
	"SecureHeaders":     middleware.SecureHeaders(middleware.SecureHeadersConfig{}),
	"CORS":              middleware.CORS(middleware.CORSConfig{Origins: []string{"https://a.example"}, Methods: []string{"PUT"}}),
	"CORS, everybody":   middleware.CORS(middleware.CORSConfig{Origins: []string{"*"}, Expose: []string{"X-Seen"}}),
	"NoCache":           middleware.NoCache(),
	"Sunset":            middleware.Sunset(middleware.SunsetConfig{Gone: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}),
	"ContentType":       middleware.ContentType(middleware.ContentTypeConfig{Default: "text/plain", Charset: "utf-8"}),
}

// Those that follow each other are made one, which nobody must notice.
func TestHeadLayers(t *testing.T) {
	shared := append(make(wsgi.Headers, 0, 32), headers("Cache-Control", "private", "Expires", "0", "Content-Type", "text/html")...)
	apps := map[string]wsgi.Application{
		"plain":   text("x"),
		"missing": late("404 Not Found", "x"),
		"a list for all its responses": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", shared, nil)
			return wsgi.Empty(), err
		}),
		"changes its environ": wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			environ.Delete("HTTP_ORIGIN")
			return text("x").Call(environ, start)
		}),
		"replaces its head": kinds(t)["recovers"],
	}
	requests := map[string]func() *wsgitest.Request{
		"plain":   func() *wsgitest.Request { return get("/") },
		"origin":  func() *wsgitest.Request { return get("/").With("Origin", "https://a.example") },
		"another": func() *wsgitest.Request { return get("/").With("Origin", "https://b.example") },
		"preflight": func() *wsgitest.Request {
			return wsgitest.NewRequest("OPTIONS", "/").With("Origin", "https://a.example").With("Access-Control-Request-Method", "PUT")
		},
		"preflight of another": func() *wsgitest.Request {
			return wsgitest.NewRequest("OPTIONS", "/").With("Origin", "https://b.example").With("Access-Control-Request-Method", "PUT")
		},
	}
	for outer, a := range headOnly {
		for inner, b := range headOnly {
			for third, c := range map[string]wsgi.Middleware{"": middleware.Chain(), " in SecureHeaders": headOnly["SecureHeaders"]} {
				for kind, app := range apps {
					for visit, request := range requests {
						want := wsgitest.Do(t, middleware.Chain(c, apart, a, apart, b)(app), request())
						got := wsgitest.Do(t, middleware.Chain(c, a, b)(app), request())
						if got.Status != want.Status || got.Text() != want.Text() {
							t.Errorf("%s in %s%s, %s, %s: got %s %q, apart from each other they give %s %q", inner, outer, third, kind, visit, got.Status, got.Text(), want.Status, want.Text())
						}
						if diff := cmp.Diff(want.Headers, got.Headers); diff != "" {
							t.Errorf("%s in %s%s, %s, %s: headers (-apart +together):\n%s", inner, outer, third, kind, visit, diff)
						}
					}
				}
			}
		}
	}
	if extra := shared[:4]; extra[3] != (wsgi.Header{}) || shared[0].Value != "private" || shared[2].Value != "text/html" {
		t.Errorf("the application's list was changed: %v", extra)
	}
	if kept[1].Value != "Accept" || kept[0].Value != "1" {
		t.Errorf("the list of a function for MapHeaders was changed: %v", kept)
	}
}

// An application that takes the origin out of its environ, for a backend perhaps, is
// told of as if it had not.
func TestCORSOriginThatIsTakenOut(t *testing.T) {
	res := wsgitest.Do(t, headOnly["CORS"](wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Delete("HTTP_ORIGIN")
		return text("x").Call(environ, start)
	})), get("/").With("Origin", "https://a.example"))
	if got := res.Headers.Get("Access-Control-Allow-Origin"); got != "https://a.example" {
		t.Errorf("Access-Control-Allow-Origin is %q", got)
	}
}

// However many there are, they take one start_response and one list.
func TestHeadLayersMemory(t *testing.T) {
	m := middleware.Chain(headOnly["SecureHeaders"], headOnly["CORS"], headOnly["NoCache"], headOnly["Sunset"])
	app := m(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", kept[:1], nil)
		return nil, err
	}))
	environ := get("/").Environ()
	if n := testing.AllocsPerRun(100, func() {
		app.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	}); n > 2 {
		t.Errorf("%v allocations, expected 2", n)
	}
}
