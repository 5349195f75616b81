package conformance_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// subject is something without a fault.
type subject struct {
	name string
	app  wsgi.Application
	req  *wsgitest.Request // nil means GET /
}

// started is an application that starts a response and returns body.
func started(status string, headers wsgi.Headers, body func(e *wsgi.Environ) wsgi.Iterable) wsgi.AppFunc {
	return func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start(status, headers.Clone(), nil); err != nil {
			return nil, err
		}
		return body(e), nil
	}
}

func yields(blocks ...string) func(*wsgi.Environ) wsgi.Iterable {
	return func(*wsgi.Environ) wsgi.Iterable { return generator(blocks...) }
}

// lazy starts its response when it is iterated, as a class does in Python.
type lazy struct{ start wsgi.StartResponse }

func (l *lazy) Blocks(yield func([]byte, error) bool) {
	if _, err := l.start("200 OK", plain.Clone(), nil); err != nil {
		yield(nil, err)
		return
	}
	_ = yield([]byte("la"), nil) && yield(nil, nil) && yield([]byte("zy"), nil)
}

func (l *lazy) Close() error { return nil }

func newLazy(_ *wsgi.Environ, start wsgi.StartResponse) *lazy { return &lazy{start} }

func withLength(n string) wsgi.Headers {
	return append(plain.Clone(), wsgi.Header{Name: "Content-Length", Value: n})
}

// subjects are applications of every kind that keep the rules. Those that fail
// do so as an application may.
func subjects(t *testing.T) []subject {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(strings.Repeat("file ", 20000)), 0o666); err != nil {
		t.Fatal(err)
	}
	open := func(e *wsgi.Environ) wsgi.Iterable {
		f, err := os.Open(file)
		if err != nil {
			t.Error(err)
		}
		return e.FileWrapper()(f, 0)
	}
	recovers := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", withLength("5"), nil); err != nil {
			return nil, err
		}
		if _, err := start("500 Internal Server Error", plain.Clone(), errBroken); err != nil {
			return nil, err
		}
		return generator("sorry"), nil
	})
	tooLate := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", plain.Clone(), nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("x"), nil) {
				_, err := start("500 Internal Server Error", plain.Clone(), errBroken)
				yield(nil, err)
			}
		}), err
	})
	// An application that was stopped may take it for an error; there is nobody
	// to yield the answer to.
	stopped := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", plain.Clone(), nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for range 100 {
				if !yield([]byte("xx"), nil) {
					start("500 Internal Server Error", plain.Clone(), errBroken)
					return
				}
			}
		}), err
	})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		io.Copy(w, r.Body)
		w.(http.Flusher).Flush()
		io.WriteString(w, "and more")
	})
	echo := wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", plain.Clone(), nil)
		return wsgi.Reader(e.Input(), 4), err
	})
	notes := wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		e.Errors().WriteLines("one\n", "two\n")
		e.Errors().Flush()
		e.Set("notes.seen", true)
		e.Delete("HTTP_HOST")
		return good(e, start)
	})
	limited := wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		n, _ := e.ContentLength()
		if _, err := io.ReadFull(e.Input(), make([]byte, n)); err != nil {
			return nil, err
		}
		return good(e, start)
	})
	post := func() *wsgitest.Request {
		return wsgitest.NewRequest("POST", "/").Content("text/plain", "line\nline\n")
	}
	counted := post()
	counted.Extra = map[string]any{"wsgi.input_terminated": nil}
	included := get()
	included.Extra = map[string]any{"SERVER_PROTOCOL": "INCLUDED", "x-wsgiorg.throw_errors": true, "own.key_2.x": 1}
	leaves := get()
	leaves.LeaveAfter = 1
	return []subject{
		{"stopped", stopped, leaves},
		{"further variables", good, included},
		{"function", good, nil},
		{"class", wsgi.AppClass[*lazy](newLazy), nil},
		{"Response", wsgi.Response{Status: "404 Not Found", Headers: plain, Body: wsgi.Strings("no")}, nil},
		{"one block", started("200 OK", plain, func(*wsgi.Environ) wsgi.Iterable { return wsgi.Strings("one") }), nil},
		{"list", started("200 OK", plain, func(*wsgi.Environ) wsgi.Iterable { return wsgi.Strings("a", "", "b") }), nil},
		{"empty", started("200 OK", nil, func(*wsgi.Environ) wsgi.Iterable { return wsgi.Empty() }), nil},
		{"redirect", started("302 Found", wsgi.Headers{{Name: "Location", Value: "../x?y=é"}}, yields()), nil},
		{"write", writing("a", "", "b"), nil},
		{"length", started("200 OK", withLength("4"), yields("ab", "", "cd")), nil},
		{"HEAD with a body", started("200 OK", withLength("4"), yields("abcd")), wsgitest.NewRequest("HEAD", "/")},
		{"HEAD without", started("200 OK", withLength("4"), yields()), wsgitest.NewRequest("HEAD", "/")},
		{"304 with a length", started("304 Not Modified", wsgi.Headers{{Name: "Content-Length", Value: "9"}, {Name: "ETag", Value: `W/"a"`}}, yields()), nil},
		{"204", started("204 No Content", nil, yields("", "")), nil},
		{"Latin-1", started("200 Caf\xe9", append(plain.Clone(), wsgi.Header{Name: "X", Value: "caf\xe9"}), yields("x")), nil},
		{"file", started("200 OK", plain, open), nil},
		{"handler", nethttp.Application(handler), post()},
		{"echo", echo, post()},
		{"echo without an end", limited, counted},
		{"streams and environ", notes, nil},
		{"recovers", recovers, nil},
		{"recovers too late", tooLate, nil},
		{"fails", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errBroken }), nil},
		{"fails with a body", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return generator(), errBroken }), nil},
		{"fails in the body", failing(2), nil},
		{"panics", wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("no") }), nil},
		{"panics in the body", started("200 OK", plain, func(*wsgi.Environ) wsgi.Iterable {
			return wsgi.Generator(func(yield func([]byte, error) bool) { yield([]byte("x"), nil); panic("no") })
		}), nil},
		{"client leaves", started("200 OK", plain, yields(strings.Split(strings.Repeat("x", 100), "")...)), leaves},
	}
}

// middlewares keep the rules too.
var middlewares = []struct {
	name string
	m    wsgi.Middleware
}{
	{"none", func(app wsgi.Application) wsgi.Application { return app }},
	{"identity", func(app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) { return app.Call(e, start) })
	}},
	{"transforms", func(app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			inner, err := app.Call(e, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
				headers.Del("Content-Length")
				return start(status, headers, excInfo)
			})
			if err != nil || inner == nil {
				return inner, err
			}
			return body{inner, func(inner wsgi.Iterable, yield func([]byte, error) bool) {
				for block, err := range inner.Blocks {
					if err != nil {
						yield(nil, err)
						return
					}
					if !yield([]byte(strings.ToUpper(string(block))), nil) {
						return
					}
				}
			}}, nil
		})
	}},
	{"holds back", func(app wsgi.Application) wsgi.Application {
		return filter(func(inner wsgi.Iterable, yield func([]byte, error) bool) {
			var kept []byte
			for block, err := range inner.Blocks {
				kept = append(kept, block...)
				if err != nil {
					yield(nil, err)
					return
				}
				if !yield(nil, nil) {
					return
				}
			}
			if len(kept) > 0 {
				yield(kept, nil)
			}
		})(app)
	}},
	{"its own environ", func(app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			clone := e.Clone()
			clone.Set("own.key", 1)
			return app.Call(clone, start)
		})
	}},
	{"error service", func(app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			inner, err := app.Call(e, start)
			if err == nil {
				return inner, nil
			}
			if inner != nil {
				err = errors.Join(err, inner.Close())
			}
			if _, err := start("502 Bad Gateway", plain.Clone(), err); err != nil {
				return nil, err
			}
			return wsgi.Strings("broken"), nil
		})
	}},
	{"sees nothing", func(app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			e.Delete("gowsgi.lint")
			return app.Call(e, start)
		})
	}},
}
