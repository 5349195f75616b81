package middleware_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// reused is a compressor that counts how often it is taken for another response.
type reused struct {
	copier
	resets *int
}

func (c *reused) Reset(w io.Writer) { *c.resets++; c.copier.Reset(w) }

// However a response ends, its compressor is there for the next one.
func TestCompressorsComeBack(t *testing.T) {
	html := headers("Content-Type", "text/html")
	begun := func(then func(start wsgi.StartResponse) (wsgi.Iterable, error)) wsgi.Application {
		return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", html, nil)
			if err != nil {
				return nil, err
			}
			write([]byte("begun")) // which chooses the compressor
			return then(start)
		})
	}
	tests := []struct {
		name   string
		method string
		app    wsgi.Application
		fails  bool // the compressor
	}{
		{"a block", "GET", answer("200 OK", page, "Content-Type", "text/html"), false},
		{"blocks", "GET", streams(nil, page, page), false},
		{"HEAD", "HEAD", answer("200 OK", page, "Content-Type", "text/html"), false},
		{"fails in Call", "GET", begun(func(wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errApp }), false},
		{"fails with a body", "GET", begun(func(wsgi.StartResponse) (wsgi.Iterable, error) { return wsgi.Strings("x"), errApp }), false},
		{"has no body", "GET", begun(func(wsgi.StartResponse) (wsgi.Iterable, error) { return nil, nil }), false},
		{"panics", "GET", begun(func(wsgi.StartResponse) (wsgi.Iterable, error) { panic("oh") }), false},
		{"fails in iterating", "GET", streams(errApp, page), false},
		{"the compressor fails in a write", "GET", begun(func(wsgi.StartResponse) (wsgi.Iterable, error) { return wsgi.Strings("x"), nil }), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resets, wrote := 0, 0
			m := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{{Name: "copy", New: func(w io.Writer) middleware.Compressor {
				c := &reused{copier{to: w, size: 1 << 20, wrote: &wrote}, &resets}
				if tt.fails {
					c.failed = errApp
				}
				return c
			}}}})
			req := wsgitest.NewRequest(tt.method, "/").With("Accept-Encoding", "copy")
			req.ExpectErrors = true
			wsgitest.Do(t, m(tt.app), req)
			if resets != 1 {
				t.Errorf("the compressor came back %d times, expected once", resets)
			}
		})
	}
}

// A head that is refused when the body is there already closes it.
func TestHeldBodyIsClosed(t *testing.T) {
	for name, m := range holders {
		var closes atomic.Int32
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", headers("Content-Type", "text/html"), nil)
			return tracked{Generator: blocks(nil, "x"), closed: &closes}, err
		})
		body, err := m(app).Call(get("/").With("Accept-Encoding", "gzip").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, errApp })
		if body != nil || !errors.Is(err, errApp) || closes.Load() != 1 {
			t.Errorf("%s: got %v, error %v, closed %d times; expected the error, and a body that was closed", name, body, err, closes.Load())
		}
	}
}

// A filter has nothing to do for HEAD, whenever the response begins.
func TestFilteredHead(t *testing.T) {
	body := wsgi.Reader(strings.NewReader("body"), 0)
	for name, m := range map[string]wsgi.Middleware{"Filter": middleware.Filter(upper), "Compress": middleware.Compress(middleware.CompressConfig{MinBytes: 1})} {
		for kind, starts := range map[string]bool{"at once": true, "late": false} {
			app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if starts {
					if _, err := start("200 OK", headers("Content-Type", "text/html"), nil); err != nil {
						return nil, err
					}
				}
				return body, nil
			})
			got, err := m(app).Call(wsgitest.NewRequest("HEAD", "/").With("Accept-Encoding", "gzip").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			if err != nil || got != body {
				t.Errorf("%s, %s: got the body %T, error %v, expected that of the application", name, kind, got, err)
			}
		}
	}
}

// A block for a block, and nothing more where nothing is left.
func TestFilterYields(t *testing.T) {
	m := middleware.Filter(func(*wsgi.Environ, string, *wsgi.Headers) middleware.BodyFilter {
		return func(block []byte, _ bool) ([]byte, error) { return bytes.ToUpper(block), nil }
	})
	body := bodyOf(t, m(streams(nil, "a", "", "b")))
	defer body.Close()
	var got []string
	for block := range body.Blocks {
		got = append(got, string(block))
	}
	if diff := cmp.Diff([]string{"A", "", "B"}, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}

// What is written for a response that has no body is taken, and the head is sent.
func TestHeadWrites(t *testing.T) {
	for _, fails := range []error{nil, errApp} {
		var sent []string
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			if err != nil {
				return nil, err
			}
			n, err := write([]byte("block"))
			if err != fails || fails == nil && n != 5 || fails != nil && n != 0 {
				t.Errorf("write gives %d, %v, expected the error %v", n, err, fails)
			}
			return wsgi.Empty(), nil
		})
		body, err := middleware.Head()(app).Call(wsgitest.NewRequest("HEAD", "/").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) {
			return func(block []byte) (int, error) { sent = append(sent, string(block)); return 0, fails }, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		body.Close()
		if diff := cmp.Diff([]string{""}, sent); diff != "" {
			t.Errorf("what the server gets (-want +got):\n%s", diff)
		}
	}
}

// A response that was not to be sent, and is replaced by one that is, is sent.
func TestConditionalGetIsReplaced(t *testing.T) {
	app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", headers("ETag", `"1"`), nil); err != nil {
			return nil, err
		}
		_, err := start("503 Sorry", headers("Content-Type", "text/plain"), errApp)
		return wsgi.Strings("sorry"), err
	})
	res := wsgitest.Do(t, middleware.ConditionalGet()(app), get("/").With("If-None-Match", `"1"`))
	if res.Code != 503 || res.Text() != "sorry" {
		t.Errorf("got %s %q", res.Status, res.Text())
	}
}

// Errors go on, of bodies that are not sent too.
func TestHeadFails(t *testing.T) {
	head := func() *wsgitest.Request { return &wsgitest.Request{Method: "HEAD", ExpectErrors: true} }
	lateFailure := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield(nil, nil) {
				start("200 OK", nil, nil)
				yield(nil, errApp)
			}
		}), nil
	})
	if res := wsgitest.Do(t, middleware.Head()(lateFailure), head()); !errors.Is(res.Fault, errApp) {
		t.Errorf("a failure right after the head: got %s, reported %v", res.Status, res.Fault)
	}
	var closes atomic.Int32
	failing := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return tracked{Generator: blocks(nil, "x"), closed: &closes}, errApp
	})
	if res := wsgitest.Do(t, middleware.Head()(failing), head()); !errors.Is(res.Fault, errApp) || closes.Load() != 1 {
		t.Errorf("a body with an error: got %s, reported %v, closed %d times", res.Status, res.Fault, closes.Load())
	}
	body, err := middleware.Head()(returns(tracked{Generator: blocks(nil), closed: &closes, err: errApp}, nil)).Call(
		wsgitest.NewRequest("HEAD", "/").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := body.Close(); err != errApp {
		t.Errorf("Close has the error %v", err)
	}
}
