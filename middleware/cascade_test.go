package middleware_test

import (
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// counted wraps app so that its bodies count in closed how often they are
// closed.
func counted(app wsgi.Application, closed *atomic.Int32) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := app.Call(environ, start)
		if body == nil {
			return nil, err
		}
		return tracked{body.Blocks, closed, body.Close()}, err
	})
}

func TestCascade(t *testing.T) {
	none := answer("404 Not Found", "none")
	twice := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("404 Not Found", nil, nil)
		_, err := start("500 Failed", nil, errApp)
		return wsgi.Strings("failed after all"), err
	})
	writesNone := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("404 Not Found", nil, nil)
		write([]byte("no such page"))
		return wsgi.Empty(), err
	})
	tests := []struct {
		name string
		apps []wsgi.Application
		next wsgi.Application
		want string
	}{
		{"the first that has it", []wsgi.Application{none, text("second")}, fails(t), "200 OK: second"},
		{"the next application", []wsgi.Application{none, none}, text("next"), "200 OK: next"},
		{"the last 404 stands", []wsgi.Application{answer("404 Not Found", "first")}, answer("404 Gone Away", "last"), "404 Gone Away: last"},
		{"405 is an answer", []wsgi.Application{answer("405 Method Not Allowed", "no")}, fails(t), "405 Method Not Allowed: no"},
		{"late", []wsgi.Application{late("404 Not Found", "x"), late("200 OK", "late ", "second")}, fails(t), "200 OK: late second"},
		{"late, then at once", []wsgi.Application{late("404 Not Found", "x"), none, text("third")}, fails(t), "200 OK: third"},
		{"late, all", []wsgi.Application{late("404 Not Found"), late("404 Not Found")}, late("404 Not Found", "last"), "404 Not Found: last"},
		{"at once, then late", []wsgi.Application{none, late("200 OK", "second")}, fails(t), "200 OK: second"},
		{"late, then write", []wsgi.Application{late("404 Not Found", "x"), writes("a", "b")}, fails(t), "200 OK: ab"},
		{"replaced by an error", []wsgi.Application{twice}, fails(t), "500 Failed: failed after all"},
		{"written", []wsgi.Application{writesNone}, text("next"), "200 OK: next"},
		{"write of the one that answers", []wsgi.Application{none, writes("a", "b")}, fails(t), "200 OK: ab"},
		{"a failure is no 404", []wsgi.Application{streams(errApp)}, fails(t), "500 Internal Server Error: 500 Internal Server Error\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var closes atomic.Int32
			apps := make([]wsgi.Application, len(tt.apps))
			called := 0
			for i, app := range tt.apps {
				app := counted(app, &closes)
				apps[i] = wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					called++
					environ.Set("PATH_INFO", "changed")
					environ.Set("my.key", called)
					return app.Call(environ, start)
				})
			}
			next := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if environ.Get("my.key") != nil || environ.Var("PATH_INFO") != "/" {
					t.Error("what one application did to the environ reached the next")
				}
				return tt.next.Call(environ, start)
			})
			req := wsgitest.NewRequest("GET", "/")
			req.ExpectErrors = strings.HasPrefix(tt.want, "500")
			res := wsgitest.Do(t, middleware.Cascade(apps...)(next), req)
			if got := res.Status + ": " + res.Text(); got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
			if int(closes.Load()) != called {
				t.Errorf("%d bodies were closed, expected all %d", closes.Load(), called)
			}
		})
	}
	panics(t, func() { middleware.Cascade(none, nil) }, "Cascade", "argument 2 is nil")
	keeps(t, middleware.Cascade())
	keeps(t, middleware.Cascade(none))
	keeps(t, middleware.Cascade(late("404 Not Found", "x")))
	keeps(t, func(next wsgi.Application) wsgi.Application { return middleware.Cascade(next)(none) })
}

func TestCascadeSameBody(t *testing.T) {
	app, want := oneBody()
	if got := bodyOf(t, middleware.Cascade(answer("404 Not Found", ""), app)(fails(t))); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
}

// What an application reads before its 404 is there for the next one.
func TestCascadeInput(t *testing.T) {
	reader := func(n int64) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := io.CopyN(io.Discard, environ.Input(), n); err != nil && err != io.EOF {
				return nil, err
			}
			_, err := start("404 Not Found", nil, nil)
			return wsgi.Empty(), err
		})
	}
	tests := []struct {
		name         string
		size         int
		first        int64
		second       int64
		wantStatus   string
		wantComplete bool
	}{
		{"nothing read", 1000, 0, 0, "200 OK", true},
		{"some read", 1000, 10, 500, "200 OK", true},
		{"less by the second", 1000, 500, 10, "200 OK", true},
		{"all read", 1000, 5000, 5000, "200 OK", true},
		{"at the limit", 64 << 10, 64 << 10, 64 << 10, "200 OK", true},
		{"over the limit", 64<<10 + 1, 64<<10 + 1, 0, "404 Not Found", false},
		{"over the limit by the second", 1 << 20, 10, 1 << 20, "404 Not Found", false},
		{"large and not read", 1 << 20, 10, 20, "200 OK", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent := strings.Repeat("0123456789abcdef", tt.size/16+1)[:tt.size]
			req := wsgitest.NewRequest("POST", "/").Content("text/plain", sent)
			res := wsgitest.Do(t, middleware.Cascade(reader(tt.first), reader(tt.second))(reads()), req)
			if res.Status != tt.wantStatus || tt.wantComplete && res.Text() != sent {
				t.Errorf("got %s and %d bytes, expected %s", res.Status, len(res.Text()), tt.wantStatus)
			}
		})
	}
	t.Run("read after the 404", func(t *testing.T) {
		for _, app := range []wsgi.Application{
			wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("404 Not Found", nil, nil)
				io.Copy(io.Discard, environ.Input())
				return wsgi.Empty(), err
			}),
			wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return wsgi.Generator(func(yield func([]byte, error) bool) {
					start("404 Not Found", nil, nil)
					io.Copy(io.Discard, environ.Input())
				}), nil
			}),
		} {
			req := wsgitest.NewRequest("POST", "/").Content("text/plain", strings.Repeat("x", 1<<20))
			req.ExpectErrors = true
			if res := wsgitest.Do(t, middleware.Cascade(app)(fails(t)), req); res.Code != 500 {
				t.Errorf("got %s, expected a failure and no application with half a body", res.Status)
			}
		}
	})
	t.Run("errors are read again", func(t *testing.T) {
		req := wsgitest.NewRequest("POST", "/")
		req.Stream = io.MultiReader(strings.NewReader("some"), iotestErr{})
		req.ExpectErrors = true
		var second error
		wsgitest.Do(t, middleware.Cascade(
			wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				io.Copy(io.Discard, environ.Input())
				_, err := start("404 Not Found", nil, nil)
				return wsgi.Empty(), err
			}))(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, second = io.ReadAll(environ.Input())
			return nil, errApp
		})), req)
		if !errors.Is(second, io.ErrUnexpectedEOF) {
			t.Errorf("the second reader got the error %v, expected that of the first", second)
		}
	})
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// An error of Close of a response that nobody sees is told and changes nothing.
func TestCascadeCloseError(t *testing.T) {
	app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("404 Not Found", nil, nil)
		return tracked{blocks(nil), new(atomic.Int32), errApp}, err
	})
	req := wsgitest.NewRequest("GET", "/")
	req.ExpectErrors = true
	res := wsgitest.Do(t, middleware.Cascade(app)(text("next")), req)
	if res.Text() != "next" || !strings.Contains(res.Errors, errApp.Error()) {
		t.Errorf("got %q, errors %q", res.Text(), res.Errors)
	}
}

// What an application may not do is refused, also while it may be passed over.
func TestCascadeRefuses(t *testing.T) {
	var malformed, late error
	res := wsgitest.Do(t, middleware.Cascade(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, malformed = start("404Not Found", nil, nil)
		return nil, malformed
	}))(fails(t)), &wsgitest.Request{ExpectErrors: true})
	if malformed == nil || res.Code != 500 {
		t.Errorf("a malformed status: error %v, got %s", malformed, res.Status)
	}
	res = wsgitest.Do(t, middleware.Cascade(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("404 Not Found", nil, nil)
		if err != nil {
			return nil, err
		}
		write([]byte("begun"))
		_, late = start("500 Sorry", nil, errApp)
		return wsgi.Empty(), nil
	}))(text("next")), &wsgitest.Request{})
	if !errors.Is(late, errApp) || res.Text() != "next" {
		t.Errorf("a head after the first byte: error %v, got %s %q", late, res.Status, res.Text())
	}
}

// A body that is passed over is closed once, also when that panics.
func TestCascadeClosePanics(t *testing.T) {
	var closed atomic.Int32
	app := middleware.Cascade(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return closePanics{tracked{Generator: func(yield func([]byte, error) bool) {
			if _, err := start("404 Not Found", nil, nil); err == nil {
				yield([]byte("nobody sees it"), nil)
			}
		}, closed: &closed}}, nil
	}))(text("next"))
	if wsgitest.Do(t, app, &wsgitest.Request{ExpectErrors: true}); closed.Load() != 1 {
		t.Errorf("the body was closed %d times", closed.Load())
	}
}
