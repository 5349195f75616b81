package middleware_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestETag(t *testing.T) {
	const tag = `"LPJNul-wow4m6Dsqxbning"` // of hello
	tests := []struct {
		name, method string
		app          wsgi.Application
		want         string
	}{
		{"one block", "GET", text("hello"), tag},
		{"HEAD", "HEAD", text("hello"), tag},
		{"HEAD without a body", "HEAD", answer("200 OK", ""), ""},
		{"empty", "GET", answer("200 OK", ""), ""},
		{"POST", "POST", text("hello"), ""},
		{"a tag of its own", "GET", answer("200 OK", "hello", "etag", `"mine"`), `"mine"`},
		{"not to be stored", "GET", answer("200 OK", "hello", "Cache-Control", "private, no-store"), ""},
		{"another status", "GET", answer("404 Not Found", "hello"), ""},
		{"a stream is not collected", "GET", streams(nil, "hello"), ""},
		{"written", "GET", writes("hello"), ""},
		{"late", "GET", late("200 OK", "hello"), ""},
		{"a file", "GET", file(t, "hello"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, middleware.ETag()(tt.app), &wsgitest.Request{Method: tt.method})
			if got := res.Headers.Get("ETag"); got != tt.want {
				t.Errorf("got %s, expected %s", got, tt.want)
			}
		})
	}
	app, want := oneBody()
	if got := bodyOf(t, middleware.ETag()(app)); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
	t.Run("in a stack", func(t *testing.T) {
		stack := middleware.Chain(middleware.ConditionalGet(), middleware.Compress(middleware.CompressConfig{}), middleware.ETag())
		app := stack(answer("200 OK", page, "Content-Type", "text/html"))
		req := &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip")}
		first := wsgitest.Do(t, app, req)
		given := first.Headers.Get("ETag")
		if given[:3] != `W/"` || first.Headers.Get("Content-Encoding") != "gzip" {
			t.Errorf("headers: %v", first.Headers)
		}
		if res := wsgitest.Do(t, app, req.With("If-None-Match", given)); res.Code != 304 || res.Headers.Get("ETag") != given || res.Headers.Get("Vary") != "Accept-Encoding" || res.Headers.Has("Content-Encoding") {
			t.Errorf("got %s, headers %v", res.Status, res.Headers)
		}
		plain := wsgitest.Do(t, app, &wsgitest.Request{})
		if got := plain.Headers.Get("ETag"); "W/"+got != given {
			t.Errorf("the tag of the plain body is %s, of the other %s", got, given)
		}
	})
	keeps(t, middleware.ETag())
}

func TestContentLength(t *testing.T) {
	tests := []struct {
		name, method string
		app          wsgi.Application
		want         string
	}{
		{"one block", "GET", text("hello"), "5"},
		{"HEAD", "HEAD", text("hello"), "5"},
		{"empty", "GET", wsgi.Response{Status: "200 OK"}, "0"},
		{"Plack, Rack: HEAD without a body", "HEAD", wsgi.Response{Status: "200 OK"}, ""},
		{"Plack, Rack: HEAD with an empty block", "HEAD", answer("200 OK", ""), ""},
		{"204", "GET", answer("204 No Content", "hello"), ""},
		{"304", "GET", answer("304 Not Modified", ""), ""},
		{"304 with that of the body", "GET", answer("304 Not Modified", "", "Content-Length", "9"), "9"},
		{"one of its own", "GET", answer("200 OK", "hello", "content-length", "5"), "5"},
		{"several blocks", "GET", wsgi.Response{Status: "200 OK", Body: wsgi.Strings("a", "b")}, ""},
		{"written", "GET", writes("a", "b"), ""},
		{"written, and one block", "GET", wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			write([]byte("more"))
			return wsgi.Strings("hello"), err
		}), ""},
		{"a stream", "GET", streams(nil, "a"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			body, err := middleware.ContentLength()(tt.app).Call(wsgitest.NewRequest(tt.method, "/").Environ(), func(_ string, h wsgi.Headers, _ error) (wsgi.Write, error) {
				got = h.Get("Content-Length")
				return func(b []byte) (int, error) { return len(b), nil }, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			body.Close()
			if got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
		})
	}
	app, want := oneBody()
	if got := bodyOf(t, middleware.ContentLength()(app)); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
	keeps(t, middleware.ContentLength())
}

func TestContentType(t *testing.T) {
	type config = middleware.ContentTypeConfig
	utf8 := config{Default: "text/html", Charset: "utf-8"}
	tests := []struct {
		name   string
		config config
		app    wsgi.Application
		want   string
	}{
		{"none", config{}, answer("200 OK", "x"), "application/octet-stream"},
		{"one", config{}, answer("200 OK", "x", "content-type", "image/png"), "image/png"},
		{"default with charset", utf8, answer("200 OK", "x"), "text/html; charset=utf-8"},
		{"text", utf8, answer("200 OK", "x", "Content-Type", "Text/Plain"), "Text/Plain; charset=utf-8"},
		{"text with one", utf8, answer("200 OK", "x", "Content-Type", "text/plain; format=flowed; Charset=latin1"), "text/plain; format=flowed; Charset=latin1"},
		{"text with another parameter", utf8, answer("200 OK", "x", "Content-Type", `text/plain; x="; charset=no"`), `text/plain; x="; charset=no"; charset=utf-8`},
		{"no text", utf8, answer("200 OK", "x", "Content-Type", "application/json"), "application/json"},
		{"text without a charset wanted", config{}, answer("200 OK", "x", "Content-Type", "text/plain"), "text/plain"},
		{"204", utf8, answer("204 No Content", ""), ""},
		{"304", utf8, answer("304 Not Modified", ""), ""},
		{"late", utf8, late("404 Not Found", "x"), "text/plain; charset=utf-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, middleware.ContentType(tt.config)(tt.app), &wsgitest.Request{})
			if got := res.Headers.Get("Content-Type"); got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
		})
	}
	for _, c := range []config{{Default: "text"}, {Default: "a\nb/c"}, {Default: "/x"}, {Charset: "a b"}} {
		panics(t, func() { middleware.ContentType(c) }, "ContentType")
	}
	keeps(t, middleware.ContentType(utf8))
}
