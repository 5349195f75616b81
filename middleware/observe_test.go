package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// diary is an Observe that writes down what its hooks are told.
func diary(lines *[]string) wsgi.Middleware {
	note := func(event string) func(o *middleware.Observation) {
		return func(o *middleware.Observation) {
			line := fmt.Sprintf("%s %s %d", event, o.Status, o.Bytes)
			if event == "finish" {
				line += fmt.Sprintf(" settled=%v stopped=%v", o.Settled, o.Stopped)
				var panicked *wsgi.PanicError
				switch {
				case errors.As(o.Err, &panicked):
					line += fmt.Sprintf(" panic %v", panicked.Value)
				case o.Err != nil:
					line += " " + o.Err.Error()
				}
			}
			*lines = append(*lines, line)
		}
	}
	return middleware.Observe(middleware.ObserveConfig{
		Start: note("start"), Head: note("head"), FirstByte: note("byte"), Finish: note("finish"),
	})
}

func TestObserve(t *testing.T) {
	kinds := kinds(t)
	tests := []struct {
		name string
		app  wsgi.Application
		req  *wsgitest.Request
		want []string // without the start
	}{
		{"one block", text("hello"), nil, []string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 5 settled=true stopped=false"}},
		{"stream", streams(nil, "", "ab", "c"), nil, []string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 3 settled=true stopped=false"}},
		{"write", writes("ab", "c"), nil, []string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 3 settled=true stopped=false"}},
		{"late", late("404 Not Found", "no"), nil, []string{"head 404 Not Found 0", "byte 404 Not Found 0", "finish 404 Not Found 2 settled=true stopped=false"}},
		{"file", file(t, "contents"), nil, []string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 8 settled=true stopped=false"}},
		{"empty", answer("200 OK", ""), nil, []string{"head 200 OK 0", "finish 200 OK 0 settled=true stopped=false"}},
		{"204", kinds["no content"], nil, []string{"head 204 No Content 0", "finish 204 No Content 0 settled=true stopped=false"}},
		{"304", wsgi.Response{Status: "304 Not Modified", Body: wsgi.Strings("none is sent")}, nil, []string{"head 304 Not Modified 0", "finish 304 Not Modified 0 settled=true stopped=false"}},
		{"HEAD", text("hello"), &wsgitest.Request{Method: "HEAD"}, []string{"head 200 OK 0", "finish 200 OK 0 settled=true stopped=false"}},
		{"replaced by exc_info", kinds["recovers"], nil, []string{"head 503 Sorry 0", "byte 503 Sorry 0", "finish 503 Sorry 5 settled=true stopped=false"}},
		{"error of Call", kinds["fails"], nil, []string{"finish  0 settled=false stopped=false the application failed"}},
		{"error before the first byte", streams(errApp), nil, []string{"finish 200 OK 0 settled=false stopped=false the application failed"}},
		{"error later", streams(errApp, "ab"), nil, []string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 2 settled=true stopped=false the application failed"}},
		{"panic", kinds["panics"], nil, []string{"finish  0 settled=false stopped=false panic oh"}},
		{"panic later", kinds["panics later"], nil, []string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 5 settled=true stopped=false panic oh"}},
		{"never started", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return wsgi.Empty(), nil }), nil,
			[]string{"finish  0 settled=false stopped=false"}},
		{"no body", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, nil }), nil,
			[]string{"finish  0 settled=false stopped=false wsgi: the application returned nil, expected a body (BODY-01)"}},
		{"body and error", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return wsgi.Empty(), errApp }), nil,
			[]string{"finish  0 settled=false stopped=false the application failed"}},
		{"the client leaves", streams(nil, "ab", "cd", "ef"), &wsgitest.Request{LeaveAfter: 1},
			[]string{"head 200 OK 0", "byte 200 OK 0", "finish 200 OK 2 settled=true stopped=true"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wsgitest.Request{}
			if tt.req != nil {
				req = tt.req
			}
			req.ExpectErrors = true
			var lines []string
			wsgitest.Do(t, diary(&lines)(tt.app), req)
			if diff := cmp.Diff(append([]string{"start  0"}, tt.want...), lines); diff != "" {
				t.Errorf("hooks (-want +got):\n%s", diff)
			}
		})
	}
	var mu sync.Mutex
	n := 0
	count := func(*middleware.Observation) { mu.Lock(); n++; mu.Unlock() }
	keeps(t, middleware.Observe(middleware.ObserveConfig{Start: count, Head: count, FirstByte: count, Finish: count}))
	keeps(t, middleware.Observe(middleware.ObserveConfig{}))
}

// Goexit is no panic and no error: only deferred functions see it.
func TestObserveGoexit(t *testing.T) {
	apps := map[string]wsgi.Application{
		"Call": wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { runtime.Goexit(); return nil, nil }),
		"body": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return wsgi.Generator(func(func([]byte, error) bool) { runtime.Goexit() }), nil
		}),
		"Close": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return closes{wsgi.Empty(), runtime.Goexit}, nil
		}),
	}
	for name, app := range apps {
		t.Run(name, func(t *testing.T) {
			finished, closed := 0, 0
			app := middleware.Chain(
				middleware.Observe(middleware.ObserveConfig{Finish: func(*middleware.Observation) { finished++ }}),
				middleware.OnClose(func(*wsgi.Environ) error { closed++; return nil }),
			)(app)
			done := make(chan struct{})
			go func() {
				defer close(done)
				req := wsgitest.NewRequest("GET", "/")
				req.ExpectErrors = true
				wsgitest.Record(app, req)
			}()
			<-done
			if finished != 1 || closed != 1 {
				t.Errorf("finished %d times and closed %d times, expected 1 each", finished, closed)
			}
		})
	}
}

// closes is a body with a Close of its own.
type closes struct {
	wsgi.Iterable
	close func()
}

func (c closes) Close() error { c.close(); return nil }

// A panic passes through as it was, so that the server knows the one of
// net/http that means to cut the connection.
func TestObservePanicIdentity(t *testing.T) {
	for name, m := range map[string]wsgi.Middleware{
		"Observe": middleware.Observe(middleware.ObserveConfig{Finish: func(*middleware.Observation) {}}),
		"OnClose": middleware.OnClose(func(*wsgi.Environ) error { return nil }),
	} {
		app := m(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic(http.ErrAbortHandler) }))
		func() {
			defer func() {
				if v := recover(); v != http.ErrAbortHandler {
					t.Errorf("%s: panic with %v, expected http.ErrAbortHandler", name, v)
				}
			}()
			app.Call(wsgitest.NewRequest("GET", "/").Environ(), nil)
		}()
	}
}

func TestObserveKeepsForms(t *testing.T) {
	watching := map[string]wsgi.Middleware{
		"Observe": middleware.Observe(middleware.ObserveConfig{Finish: func(*middleware.Observation) {}}),
		"OnClose": middleware.OnClose(func(*wsgi.Environ) error { return nil }),
	}
	for name, m := range watching {
		res := wsgitest.Do(t, m(text("hello")), wsgitest.NewRequest("GET", "/"))
		if got := res.Headers.Get("Content-Length"); got != "5" {
			t.Errorf("%s: Content-Length of one block is %q, expected 5", name, got)
		}
		res = wsgitest.Do(t, m(file(t, "contents")), wsgitest.NewRequest("GET", "/"))
		if res.FileBytes != 8 || res.Headers.Get("Content-Length") != "8" || res.Text() != "contents" {
			t.Errorf("%s: %d bytes as a file, Content-Length %q, expected 8 of each", name, res.FileBytes, res.Headers.Get("Content-Length"))
		}
		for kind, app := range kinds(t) {
			if strings.Contains(kind, "fails") || strings.Contains(kind, "panics") {
				continue
			}
			inner, outer := bodyOf(t, app), bodyOf(t, m(app))
			_, sized := inner.(wsgi.Sized)
			_, files := inner.(wsgi.FileStreamer)
			_, outerSized := outer.(wsgi.Sized)
			_, outerFiles := outer.(wsgi.FileStreamer)
			if sized != outerSized || files != outerFiles {
				t.Errorf("%s, %s: a list %v and a file %v became %v and %v", name, kind, sized, files, outerSized, outerFiles)
			}
			inner.Close()
			outer.Close()
		}
	}
}

func TestObserveValue(t *testing.T) {
	type key struct{}
	var got []any
	m := middleware.Observe(middleware.ObserveConfig{
		Start: func(o *middleware.Observation) {
			o.Value = "span"
			o.Environ = o.Environ.WithContext(context.WithValue(o.Environ.Context(), key{}, "in context"))
		},
		Finish: func(o *middleware.Observation) { got = append(got, o.Value) },
	})
	wsgitest.Do(t, m(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		got = append(got, environ.Context().Value(key{}))
		return text("").Call(environ, start)
	})), wsgitest.NewRequest("GET", "/"))
	if diff := cmp.Diff([]any{"in context", "span"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOnClose(t *testing.T) {
	for kind, app := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			var order []string
			app := middleware.OnClose(func(environ *wsgi.Environ) error {
				order = append(order, "hook of "+environ.Var("PATH_INFO"))
				return nil
			})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				body, err := app.Call(environ, start)
				if body == nil {
					return nil, err
				}
				return tracked{body.Blocks, new(atomic.Int32), body.Close()}, err
			}))
			req := wsgitest.NewRequest("GET", "/path")
			req.ExpectErrors = true
			wsgitest.Do(t, app, req)
			if diff := cmp.Diff([]string{"hook of /path"}, order); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("after the body's Close", func(t *testing.T) {
		var order []string
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, nil)
			return closes{wsgi.Empty(), func() { order = append(order, "close") }}, err
		})
		hook := func(name string) wsgi.Middleware {
			return middleware.OnClose(func(*wsgi.Environ) error { order = append(order, name); return nil })
		}
		wsgitest.Do(t, middleware.Chain(hook("outer"), hook("inner"))(app), wsgitest.NewRequest("GET", "/"))
		if diff := cmp.Diff([]string{"close", "inner", "outer"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
	t.Run("errors are joined and others still run", func(t *testing.T) {
		ran := false
		app := middleware.Chain(
			middleware.OnClose(func(*wsgi.Environ) error { ran = true; return nil }),
			middleware.OnClose(func(*wsgi.Environ) error { return errApp }),
		)(text("hello"))
		req := wsgitest.NewRequest("GET", "/")
		req.ExpectErrors = true
		res := wsgitest.Do(t, app, req)
		if !ran || !errors.Is(res.Fault, errApp) || res.Text() != "hello" || res.Err != nil {
			t.Errorf("ran %v, reported %v, body %q", ran, res.Fault, res.Text())
		}
	})
	panics(t, func() { middleware.OnClose(nil) }, "OnClose", "nil")
	keeps(t, middleware.OnClose(func(*wsgi.Environ) error { return nil }))
}
