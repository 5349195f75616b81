package middleware_test

import (
	"context"
	"errors"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestAllowMethods(t *testing.T) {
	m := middleware.AllowMethods("GET", "PUT")
	for method, code := range map[string]int{"GET": 200, "HEAD": 200, "PUT": 200, "POST": 405, "get": 405, "OPTIONS": 405, "X": 405} {
		res := wsgitest.Do(t, m(text("hello")), wsgitest.NewRequest(method, "/"))
		if res.Code != code || code == 405 && res.Headers.Get("Allow") != "GET, PUT, HEAD" {
			t.Errorf("%s: %s, headers %v", method, res.Status, res.Headers)
		}
	}
	panics(t, func() { middleware.AllowMethods() }, "AllowMethods")
	panics(t, func() { middleware.AllowMethods("GET,PUT") }, "AllowMethods", "GET,PUT")
	keeps(t, middleware.AllowMethods("GET", "POST", "OPTIONS"))
}

func TestAllowContentType(t *testing.T) {
	m := middleware.AllowContentType("application/json", "text/*x")
	body := func(method, kind string) *wsgitest.Request {
		return wsgitest.NewRequest(method, "/").Content(kind, "{}")
	}
	stream := func(method, kind string) *wsgitest.Request {
		req := wsgitest.NewRequest(method, "/")
		if kind != "" {
			req.With("Content-Type", kind)
		}
		req.Stream = strings.NewReader("{}")
		return req
	}
	tests := []struct {
		name string
		req  *wsgitest.Request
		code int
	}{
		{"allowed", body("POST", "application/json"), 200},
		{"with a charset, in another case", body("POST", "Application/JSON; charset=utf-8"), 200},
		{"another", body("POST", "text/plain"), 415},
		{"one that begins alike", body("POST", "application/json5"), 415},
		{"one hidden in a parameter", body("POST", "text/plain; a=application/json"), 415},
		{"malformed", body("POST", "application/json, text/plain"), 415},
		{"none", body("POST", ""), 415},
		{"unknown length", stream("POST", "text/plain"), 415},
		{"unknown length, no type", stream("PUT", ""), 415},
		{"unknown length, allowed", stream("POST", "application/json"), 200},
		{"GET without a body", get("/"), 200},
		{"DELETE without a body", wsgitest.NewRequest("DELETE", "/"), 200},
		{"DELETE with a type", stream("DELETE", "text/plain"), 415},
		{"GET with a type", stream("GET", "text/plain"), 415},
		{"a length of 0", wsgitest.NewRequest("POST", "/").Content("text/plain", "").With("Content-Length", "0"), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, m(text("hello")), tt.req)
			if res.Code != tt.code || tt.code == 415 && !strings.HasPrefix(res.Headers.Get("Accept"), "application/json") {
				t.Errorf("got %s, expected %d; headers %v", res.Status, tt.code, res.Headers)
			}
		})
	}
	t.Run("chi: the caller's list is its own", func(t *testing.T) {
		list := []string{"Text/Plain", "application/json"}
		m := middleware.AllowContentType(list...)
		if diff := cmp.Diff([]string{"Text/Plain", "application/json"}, list); diff != "" {
			t.Errorf("the list was changed (-was +is):\n%s", diff)
		}
		list[0], list[1] = "image/png", "image/png"
		if res := wsgitest.Do(t, m(text("hello")), body("POST", "text/plain")); res.Code != 200 {
			t.Errorf("got %s once the caller has changed its list", res.Status)
		}
	})
	panics(t, func() { middleware.AllowContentType() }, "AllowContentType")
	panics(t, func() { middleware.AllowContentType("json") }, "AllowContentType", "json")
	keeps(t, middleware.AllowContentType("text/plain"))
}

func TestNoCache(t *testing.T) {
	shared := headers("Cache-Control", "public", "Expires", "0", "Pragma", "x", "Content-Type", "text/plain", "ETag", `"x"`)
	app := wsgi.Response{Status: "404 Not Found", Headers: shared, Body: wsgi.Strings("a")}
	res := wsgitest.Do(t, middleware.NoCache()(app), get("/"))
	if diff := cmp.Diff(ownHeaders(headers("Content-Type", "text/plain", "ETag", `"x"`, "Cache-Control", "no-store", "Content-Length", "1")), ownHeaders(res.Headers)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if shared.Get("Expires") != "0" || len(shared) != 5 {
		t.Error("the list of the application has changed")
	}
	keeps(t, middleware.NoCache())
}

func TestSunset(t *testing.T) {
	from, gone := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)), time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	m := middleware.Sunset(middleware.SunsetConfig{Deprecated: from, Gone: gone, Link: "https://example.org/v2?x=1"})
	got := wsgitest.Do(t, m(answer("200 OK", "", "Link", "</>; rel=up")), get("/")).Headers
	want := headers("Link", "</>; rel=up", "Sunset", "Fri, 01 Jan 2027 00:00:00 GMT", "Deprecation", "@1767319445",
		"Link", `<https://example.org/v2?x=1>; rel="deprecation"; type="text/html"`, "Content-Length", "0")
	if diff := cmp.Diff(ownHeaders(want), ownHeaders(got)); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	panics(t, func() { middleware.Sunset(middleware.SunsetConfig{}) }, "Sunset")
	panics(t, func() { middleware.Sunset(middleware.SunsetConfig{Deprecated: gone, Gone: from}) }, "Sunset")
	panics(t, func() { middleware.Sunset(middleware.SunsetConfig{Gone: gone, Link: "a b>"}) }, "Sunset", "Link")
	keeps(t, m)
}

// The hooks run when the body was closed, whatever becomes of the request.
func TestFinishHooks(t *testing.T) {
	var order []string
	hooks := func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			middleware.AtFinish(environ, func() error { order = append(order, "first"); return nil })
			middleware.AtFinish(environ, func() error { order = append(order, "fails"); return errApp })
			middleware.AtFinish(environ.Clone(), func() error { order = append(order, "panics"); panic("oh") })
			return next.Call(environ, start)
		})
	}
	stack := middleware.Chain(middleware.FinishHooks(), hooks)
	for kind, app := range kinds(t) {
		for visit, req := range visits() {
			order = nil
			req.ExpectErrors = true
			res := wsgitest.Do(t, stack(app), req)
			if diff := cmp.Diff([]string{"panics", "fails", "first"}, order); diff != "" {
				t.Errorf("%s, %s: hooks (-want +got):\n%s", visit, kind, diff)
			}
			if !strings.Contains(res.Errors, "FinishHooks: "+errApp.Error()) || !strings.Contains(res.Errors, "a hook panicked: oh") {
				t.Errorf("%s, %s: wsgi.errors has %q", visit, kind, res.Errors)
			}
		}
	}
	if middleware.AtFinish(get("/").Environ(), func() error { return nil }) {
		t.Error("a hook was taken with nobody to call it")
	}
	t.Run("by a hook, and after the last", func(t *testing.T) {
		order = nil
		var inner *wsgi.Environ
		add := func(name string, then func()) bool {
			return middleware.AtFinish(inner, func() error { order = append(order, name); then(); return nil })
		}
		wsgitest.Do(t, middleware.FinishHooks()(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			inner = environ
			add("first", func() {})
			add("second", func() { add("its own", func() {}) })
			return text("").Call(environ, start)
		})), get("/"))
		if late := add("late", func() {}); late {
			t.Error("a hook was taken when the request was over")
		}
		if diff := cmp.Diff([]string{"second", "its own", "first"}, order); diff != "" {
			t.Errorf("hooks (-want +got):\n%s", diff)
		}
	})
	keeps(t, middleware.FinishHooks())
}

// The labels hold while the application works, and no longer.
func TestProfileLabels(t *testing.T) {
	outer := pprof.WithLabels(context.Background(), pprof.Labels("mine", "yes"))
	pprof.SetGoroutineLabels(outer)
	defer pprof.SetGoroutineLabels(context.Background())
	label := func() string { return goroutineLabels(t) }
	before := label()
	if !strings.Contains(before, `"mine":"yes"`) {
		t.Fatalf("the labels are %q", before)
	}
	var seen []string
	note := func(where string) { seen = append(seen, where+" "+label()) }
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		note("call")
		if v, _ := pprof.Label(environ.Context(), "mount"); v != "/shop" {
			t.Errorf("the context has the mount %q", v)
		}
		_, err := start("200 OK", nil, nil)
		return noting{wsgi.Generator(func(yield func([]byte, error) bool) {
			note("blocks")
			yield([]byte("a"), nil)
		}), note}, err
	})
	environ := wsgitest.NewRequest("GET", "/x").Environ().WithContext(outer)
	environ.Set("SCRIPT_NAME", "/shop")
	body, err := middleware.ProfileLabels(nil)(app).Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	note("between")
	body.Blocks(func([]byte, error) bool { return true })
	note("between")
	body.Close()
	note("after")
	inside := `{"method":"GET", "mine":"yes", "mount":"/shop"}`
	want := []string{"call " + inside, "between " + before, "blocks " + inside, "between " + before, "close " + inside, "after " + before}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	keeps(t, middleware.ProfileLabels(func(*wsgi.Environ) []string { return []string{"a", "b"} }))
}

type noting struct {
	wsgi.Iterable
	note func(string)
}

func (n noting) Close() error { n.note("close"); return nil }

// goroutineLabels are those of this goroutine, as a profile shows them.
func goroutineLabels(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&out, 1); err != nil {
		t.Fatal(err)
	}
	for _, stack := range strings.Split(out.String(), "\n\n") {
		if strings.Contains(stack, "goroutineLabels") {
			_, labels, _ := strings.Cut(stack, "# labels: ")
			labels, _, _ = strings.Cut(labels, "\n")
			return labels
		}
	}
	t.Fatal("the goroutine is not in its profile")
	return ""
}

func TestRecursive(t *testing.T) {
	grown := 0
	forward := func(path string) wsgi.Application { return breaks(&middleware.Forward{Path: path, Query: "q=1"}) }
	app := middleware.Recursive()(middleware.Dispatch(map[string]wsgi.Application{
		"/a":    forward("/b"),
		"/b":    forward("/end"),
		"/end":  vars("REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "CONTENT_LENGTH", "HTTP_X_KEPT"),
		"/loop": forward("/loop2"), "/loop2": forward("/loop"),
		"/self":  forward("/self"),
		"/odd":   forward("end"),
		"/begun": streams(&middleware.Forward{Path: "/end"}, "begun"),
		"/late":  streams(&middleware.Forward{Path: "/end"}),
	})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if path := environ.Var("PATH_INFO"); len(path) < 100 { // or nothing would end it but the check
			grown++
			return forward(path+"x").Call(environ, start)
		}
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	})))
	end := "REQUEST_METHOD=GET\nSCRIPT_NAME=/end\nPATH_INFO=\nQUERY_STRING=q=1\nCONTENT_LENGTH=absent\nHTTP_X_KEPT=1"
	late := strings.Replace(end, "q=1", "", 1)
	for path, want := range map[string]string{"/a": end, "/b": end, "/late": late} {
		res := wsgitest.Do(t, app, wsgitest.NewRequest("POST", path).Content("a/b", "body").With("X-Kept", "1"))
		if res.Code != 200 || res.Text() != want {
			t.Errorf("%s: %s %q, error %v", path, res.Status, res.Text(), res.Err)
		}
	}
	for path, want := range map[string]string{"/loop": "been there", "/self": "been there", "/odd": "slash", "/begun": "Recursive outside", "/grows": "10 times"} {
		req := get(path)
		req.ExpectErrors = true
		res := wsgitest.Do(t, app, req)
		if err := errors.Join(res.Err, res.Fault, errors.New(res.Errors)); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %s, error %v, expected one with %q", path, res.Status, err, want)
		}
	}
	if grown != 1+10 {
		t.Errorf("the application was called %d times, expected once and for 10 forwards", grown)
	}
	t.Run("after a write", func(t *testing.T) {
		calls := 0
		app := middleware.Recursive()(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			calls++
			write, err := start("200 OK", nil, nil)
			if err != nil {
				return nil, err
			}
			write([]byte("begun"))
			return nil, &middleware.Forward{Path: "/end"}
		}))
		res := wsgitest.Do(t, app, &wsgitest.Request{ExpectErrors: true})
		if calls != 1 || res.Text() != "begun" || res.Err == nil {
			t.Errorf("%d calls, %q, error %v; expected one call, and a response that is cut", calls, res.Text(), res.Err)
		}
	})
	keeps(t, middleware.Recursive())
}
