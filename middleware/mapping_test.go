package middleware_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func teapot(_ *wsgi.Environ, status string) string {
	if status == "404 Not Found" {
		return "418 Teapot"
	}
	return status
}

func TestMapStatus(t *testing.T) {
	m := middleware.MapStatus(teapot)
	for name, app := range map[string]wsgi.Application{"at once": answer("404 Not Found", "x"), "late": late("404 Not Found", "x")} {
		if res := wsgitest.Do(t, m(app), &wsgitest.Request{}); res.Status != "418 Teapot" || res.Text() != "x" {
			t.Errorf("%s: got %s %q", name, res.Status, res.Text())
		}
	}
	app, want := oneBody()
	if got := bodyOf(t, m(app)); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
	panics(t, func() { middleware.MapStatus(nil) }, "MapStatus", "nil")
	keeps(t, m)
}

func TestMapHeaders(t *testing.T) {
	m := middleware.MapHeaders(func(environ *wsgi.Environ, status string, h wsgi.Headers) wsgi.Headers {
		for i := range h {
			h[i].Value += "+"
		}
		h.Set("X-Seen", environ.Var("REQUEST_METHOD")+" "+status)
		return h
	})
	shared := append(make(wsgi.Headers, 0, 8), wsgi.Header{Name: "X-Mine", Value: "1"})
	app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", shared, nil)
		return wsgi.Empty(), err
	})
	for range 2 { // a list that is changed would grow
		res := wsgitest.Do(t, m(app), &wsgitest.Request{})
		if diff := cmp.Diff([]string{"content-length: 0", "x-mine: 1+", "x-seen: GET 200 OK"}, ownHeaders(res.Headers)); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	}
	if extra := shared[:2]; extra[1] != (wsgi.Header{}) {
		t.Errorf("the application's array was written to: %v", extra)
	}
	other, want := oneBody()
	if got := bodyOf(t, m(other)); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
	bad := middleware.MapHeaders(func(*wsgi.Environ, string, wsgi.Headers) wsgi.Headers { return headers("X", "a\r\nb: c") })
	if res := wsgitest.Do(t, bad(text("x")), &wsgitest.Request{ExpectErrors: true}); res.Code != 500 {
		t.Errorf("got %s, expected the server to refuse a line end", res.Status)
	}
	panics(t, func() { middleware.MapHeaders(nil) }, "MapHeaders", "nil")
	keeps(t, middleware.MapHeaders(func(_ *wsgi.Environ, _ string, h wsgi.Headers) wsgi.Headers { h.Set("X", "y"); return h }))
}

func TestSetEnv(t *testing.T) {
	given := map[string]any{"my.key": "mine", "HTTP_X_USER": nil, "REQUEST_METHOD": "PUT"}
	m := middleware.SetEnv(given)
	given["my.key"] = "changed"
	req := wsgitest.NewRequest("GET", "/").With("X-User", "root")
	res := wsgitest.Do(t, m(vars("my.key", "HTTP_X_USER", "REQUEST_METHOD")), req)
	if want := "my.key=mine\nHTTP_X_USER=absent\nREQUEST_METHOD=PUT"; res.Text() != want {
		t.Errorf("got %q, expected %q", res.Text(), want)
	}
	if _, set := res.Environ.Lookup("my.key"); set || res.Environ.Var("HTTP_X_USER") != "root" {
		t.Error("the environ of whoever called was changed")
	}
	app := new(wsgi.Response)
	if middleware.SetEnv(nil)(app) != wsgi.Application(app) {
		t.Error("without variables, expected the application itself")
	}
	keeps(t, middleware.SetEnv(map[string]any{"my.key": 1}))
}
