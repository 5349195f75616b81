package middleware_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

const browserAccept = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"

// What is asked for decides on the form.
func TestErrorPagesAccept(t *testing.T) {
	app := middleware.ErrorPages(middleware.ErrorPagesConfig{})(&middleware.HTTPError{Code: 404, Detail: "There is no <page>."})
	tests := []struct {
		accept string
		html   bool
	}{
		{"", false},
		{"*/*", false}, // curl, and fetch of a script
		{browserAccept, true},
		{"text/html", true},
		{"TEXT/HTML;q=0.1", true},
		{"application/xhtml+xml", true},
		{"text/html;q=0", false},
		{"text/html;q=0.5, application/json", false},
		{"application/json;q=0.5, text/html;q=0.5", true},
		{"application/problem+json, text/html;q=0.9", false},
		{"text/html;level=1;q=0.4, application/json;q=0.3", true},
		{"text/*", false},
		{"text/html;q=nonsense", false},
	}
	for _, tt := range tests {
		res := wsgitest.Do(t, app, get("/missing").With("Accept", tt.accept))
		kind, inside := "application/problem+json", `"detail":"There is no \u003cpage\u003e."`
		if tt.html {
			kind, inside = "text/html; charset=utf-8", "There is no &lt;page&gt;."
		}
		if res.Code != 404 || res.Headers.Get("Content-Type") != kind || !strings.Contains(res.Text(), inside) {
			t.Errorf("Accept %q: %s %s, expected a 404 of %s with %s:\n%s", tt.accept, res.Status, res.Headers.Get("Content-Type"), kind, inside, res.Text())
		}
		if res.Headers.Get("Vary") != "Accept" || res.Headers.Get("Cache-Control") != "no-store" {
			t.Errorf("Accept %q: headers %v", tt.accept, res.Headers)
		}
	}
}

func TestErrorPagesProblem(t *testing.T) {
	stack := middleware.Chain(
		middleware.RequestID(middleware.RequestIDConfig{New: func() string { return "id-1" }}),
		middleware.ErrorPages(middleware.ErrorPagesConfig{}),
		middleware.Recover(middleware.RecoverConfig{}),
	)
	app := wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errApp })
	req := get("/")
	req.ExpectErrors = true
	res := wsgitest.Do(t, stack(app), req)
	var got map[string]any
	if err := json.Unmarshal([]byte(res.Text()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "about:blank", "title": "Internal Server Error", "status": 500.0, "request_id": "id-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problem (-want +got):\n%s", diff)
	}
}

// Which responses get a page, and what is left of their heads.
func TestErrorPagesReplaces(t *testing.T) {
	stale := headers("Content-Length", "0", "Content-Encoding", "gzip", "ETag", `"x"`, "Last-Modified", dayTwo,
		"Content-Range", "bytes */3", "Accept-Ranges", "bytes", "Content-Language", "de", "Cache-Control", "max-age=9",
		"Digest", "x", "Allow", "GET", "Set-Cookie", "a=b")
	tests := []struct {
		name    string
		app     wsgi.Application
		method  string
		page    bool
		headers wsgi.Headers // that are kept
	}{
		{"bare 404", answer("404 Not Found", ""), "GET", true, nil},
		{"bare, with headers of a body", wsgi.Response{Status: "405 Method Not Allowed", Headers: stale, Body: wsgi.Empty()}, "GET", true, headers("Allow", "GET", "Set-Cookie", "a=b")},
		{"no list at all", wsgi.Response{Status: "503 Sorry"}, "POST", true, nil},
		{"unknown status", answer("599 Odd", ""), "GET", true, nil},
		{"HEAD of a bare one", answer("404 Not Found", ""), "HEAD", true, nil},
		{"HTTPError, its headers", &middleware.HTTPError{Code: 429, Headers: headers("Retry-After", "3", "ETag", `"x"`)}, "GET", true, headers("Retry-After", "3")},
		{"a body of its own", answer("404 Not Found", "gone", "Content-Type", "text/plain"), "GET", false, nil},
		{"a stream, which may have a body", late("404 Not Found", ""), "GET", false, nil},
		{"write", writes("written"), "GET", false, nil},
		{"success without a body", answer("200 OK", ""), "GET", false, nil},
		{"redirect", answer("302 Found", "", "Location", "/"), "GET", false, nil},
		{"HEAD whose GET has a length", answer("404 Not Found", "", "Content-Type", "text/plain", "Content-Length", "9"), "HEAD", false, nil},
		{"HEAD whose GET has a type", answer("404 Not Found", "", "Content-Type", "text/plain"), "HEAD", false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := middleware.ErrorPages(middleware.ErrorPagesConfig{})(tt.app)
			res := wsgitest.Do(t, app, wsgitest.NewRequest(tt.method, "/").With("Accept", browserAccept))
			bare := wsgitest.Do(t, tt.app, wsgitest.NewRequest(tt.method, "/"))
			if res.Status != bare.Status {
				t.Errorf("status %s, expected the %s of the application", res.Status, bare.Status)
			}
			if !tt.page {
				if res.Text() != bare.Text() || cmp.Diff(bare.Headers, res.Headers) != "" {
					t.Errorf("the response has changed: %v %q", res.Headers, res.Text())
				}
				return
			}
			if shown := strings.Contains(res.Text(), "<h1>"); shown != (tt.method != "HEAD") {
				t.Errorf("the body is %q", res.Text())
			}
			own := append(headers("Content-Type", "text/html; charset=utf-8", "X-Content-Type-Options", "nosniff",
				"Cache-Control", "no-store", "Content-Length", res.Headers.Get("Content-Length"), "Vary", "Accept"), tt.headers...)
			if diff := cmp.Diff(ownHeaders(own), ownHeaders(res.Headers)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

// The body that a page replaces is closed; the environ of whoever called stays.
func TestErrorPagesCloses(t *testing.T) {
	var closed atomic.Int32
	app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("404 Not Found", nil, nil)
		return sizedTracked{tracked{Generator: blocks(nil), closed: &closed}}, err
	})
	environ := get("/").Environ()
	before := len(environ.Map())
	body, err := middleware.ErrorPages(middleware.ErrorPagesConfig{})(app).Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if closed.Load() != 0 {
		t.Error("the body was closed before the response has ended")
	}
	body.Close()
	if closed.Load() != 1 {
		t.Errorf("the body was closed %d times", closed.Load())
	}
	if after := len(environ.Map()); after != before {
		t.Errorf("the environ has %d variables, %d before", after, before)
	}
}

// sizedTracked is an empty list that counts how often it is closed.
type sizedTracked struct{ tracked }

func (sizedTracked) Len() int { return 0 }

// A page of the site's own is asked for by GET, without a body, keeps the status
// and cannot ask for a page itself.
func TestErrorPagesOwn(t *testing.T) {
	asked := 0
	pages := map[int]wsgi.Application{
		404: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			asked++
			n, declared := environ.ContentLength()
			if m := environ.Var("REQUEST_METHOD"); m != "GET" || declared || environ.Header("Range") != "" || environ.Header("Content-Type") != "" {
				t.Errorf("the page is asked for by %s with a body of %d bytes", m, n)
			}
			_, err := start("200 OK", headers("Content-Type", "text/html", "Content-Length", "9", "ETag", `"x"`, "X-Own", "1"), nil)
			return wsgi.Strings("<p>", "own", "</p>"), err
		}),
		410: &middleware.HTTPError{Code: 410, Detail: "recursion"},
		500: wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errApp }),
		501: raises("oh", true),
		502: streams(errors.New("half a page"), "half"),
		503: answer("200 OK", strings.Repeat("x", 2<<20), "Content-Type", "text/html"),
	}
	m := middleware.ErrorPages(middleware.ErrorPagesConfig{Page: func(code int) wsgi.Application { return pages[code] }})
	for code, inside := range map[int]string{404: "<p>own</p>", 410: "recursion", 500: "<h1>", 501: "<h1>", 502: "<h1>", 503: "<h1>", 418: "<h1>"} {
		req := wsgitest.NewRequest("POST", "/").With("Accept", browserAccept).With("Range", "bytes=0-1").Content("text/plain", "posted")
		req.ExpectErrors = true
		res := wsgitest.Do(t, m(&middleware.HTTPError{Code: code}), req)
		if res.Code != code || !strings.Contains(res.Text(), inside) || res.Err != nil {
			t.Errorf("%d: %s %q, error %v", code, res.Status, res.Text(), res.Err)
		}
		if failed := code == 500 || code == 501 || code == 502 || code == 503; failed != strings.Contains(res.Errors, "ErrorPages") {
			t.Errorf("%d: wsgi.errors has %q", code, res.Errors)
		}
		if code == 404 && (res.Headers.Has("ETag") || res.Headers.Get("X-Own") != "1") {
			t.Errorf("headers %v", res.Headers)
		}
	}
	if res := wsgitest.Do(t, m(&middleware.HTTPError{Code: 404}), get("/")); asked != 1 || !strings.HasPrefix(res.Text(), "{") {
		t.Errorf("a program was given %q, and the page was asked for %d times", res.Text(), asked)
	}
}

// The body of a page is closed once, whatever becomes of it.
func TestErrorPagesOwnCloses(t *testing.T) {
	for name, body := range map[string]wsgi.Generator{"whole": blocks(nil, "<p>own"), "none": blocks(nil), "cut": blocks(errApp, "<p>"), "too large": blocks(nil, strings.Repeat("x", 2<<20))} {
		var closed atomic.Int32
		m := middleware.ErrorPages(middleware.ErrorPagesConfig{Page: func(int) wsgi.Application {
			return wsgi.Response{Status: "200 OK", Headers: headers("Content-Type", "text/html"), Body: tracked{Generator: body, closed: &closed}}
		}})
		req := get("/").With("Accept", browserAccept)
		req.ExpectErrors = true
		if res := wsgitest.Do(t, m(&middleware.HTTPError{Code: 404}), req); closed.Load() != 1 || res.Code != 404 {
			t.Errorf("%s: closed %d times, %s", name, closed.Load(), res.Status)
		}
	}
}

func TestErrorPagesContract(t *testing.T) {
	keeps(t, middleware.ErrorPages(middleware.ErrorPagesConfig{}))
	t.Run("with Recover", func(t *testing.T) {
		keeps(t, middleware.Chain(middleware.ErrorPages(middleware.ErrorPagesConfig{}), middleware.Recover(middleware.RecoverConfig{})))
	})
}
