package middleware_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

var errApp = errors.New("the application failed")

// headers makes a list of names and values.
func headers(pairs ...string) wsgi.Headers {
	var h wsgi.Headers
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// answer is an application with a fixed response.
func answer(status, body string, pairs ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start(status, headers(pairs...), nil)
		return wsgi.Strings(body), err
	})
}

// text is an application that answers 200 and body.
func text(body string) wsgi.Application { return answer("200 OK", body, "Content-Type", "text/plain") }

// fails is an application that must not be called.
func fails(t *testing.T) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		t.Errorf("the application was called for %s %s", environ.Var("REQUEST_METHOD"), environ.Var("PATH_INFO"))
		return nil, errApp
	})
}

// vars is an application that answers with some of its variables, a line each.
func vars(keys ...string) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		var lines []string
		for _, key := range keys {
			value := "absent"
			if v, ok := environ.Get(key).(string); ok {
				value = v
			}
			lines = append(lines, key+"="+value)
		}
		_, err := start("200 OK", headers("Content-Type", "text/plain"), nil)
		return wsgi.Strings(strings.Join(lines, "\n")), err
	})
}

// tracked is a body that counts how often it is closed.
type tracked struct {
	wsgi.Generator
	closed *atomic.Int32
	err    error // of Close
}

func (b tracked) Close() error {
	b.closed.Add(1)
	return b.err
}

// blocks is a generator of blocks, which fails after them unless err is nil.
func blocks(err error, list ...string) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		for _, block := range list {
			if !yield([]byte(block), nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// streams is an application that yields blocks, then fails unless err is nil.
func streams(err error, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", headers("Content-Type", "text/plain"), nil); err != nil {
			return nil, err
		}
		return blocks(err, list...), nil
	})
}

// writes is an application that sends the first text by write and yields the
// others.
func writes(first string, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", headers("Content-Type", "text/plain"), nil)
		if err != nil {
			return nil, err
		}
		if _, err := write([]byte(first)); err != nil {
			return nil, err
		}
		return blocks(nil, list...), nil
	})
}

// late is an application that starts its response when it is iterated.
func late(status string, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if !yield(nil, nil) {
				return
			}
			if _, err := start(status, headers("Content-Type", "text/plain"), nil); err != nil {
				yield(nil, err)
				return
			}
			blocks(nil, list...)(yield)
		}), nil
	})
}

// file is an application whose body is an open file.
func file(t testing.TB, content string) wsgi.Application {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if _, err := start("200 OK", headers("Content-Type", "text/plain"), nil); err != nil {
			f.Close()
			return nil, err
		}
		return environ.FileWrapper()(f, 0), nil
	})
}

// reads is an application that answers with the body of the request.
func reads() wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		_, err = start("200 OK", headers("Content-Type", "text/plain"), nil)
		return wsgi.Bytes(body), err
	})
}

// keeps checks that m keeps the contract with whatever is on both sides of it:
// by the suite, and between two observers while applications of every kind
// answer requests of several kinds.
func keeps(t *testing.T, m wsgi.Middleware) {
	t.Run("contract", func(t *testing.T) { conformance.TestMiddleware(t, m) })
	t.Run("sandwich", func(t *testing.T) { sandwich(t, m) })
}

// kinds are applications that produce a response in each way that there is.
func kinds(t testing.TB) map[string]wsgi.Application {
	return map[string]wsgi.Application{
		"one block":      text(strings.Repeat("one block ", 400)),
		"small":          text("small"),
		"stream":         streams(nil, "a", "", strings.Repeat("stream ", 1000), "z"),
		"write":          writes("written ", "and ", "yielded"),
		"late":           late("200 OK", "better ", "late"),
		"late 404":       late("404 Not Found", "no ", "such"),
		"file":           file(t, strings.Repeat("file ", 20000)),
		"input":          reads(),
		"empty":          answer("200 OK", ""),
		"no content":     wsgi.Response{Status: "204 No Content"},
		"not modified":   wsgi.Response{Status: "304 Not Modified", Headers: headers("ETag", `"x"`)},
		"not found":      answer("404 Not Found", "no such thing", "Content-Type", "text/plain"),
		"length":         answer("200 OK", "12345", "Content-Type", "text/plain", "Content-Length", "5", "ETag", `"v1"`),
		"fails":          wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errApp }),
		"fails later":    streams(errApp, "begun ", "and"),
		"fails at first": streams(errApp),
		"recovers": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := start("200 OK", headers("Content-Length", "999", "ETag", `"old"`), nil); err != nil {
				return nil, err
			}
			_, err := start("503 Sorry", headers("Content-Type", "text/plain"), errApp)
			return wsgi.Strings("later"), err
		}),
		"panics": wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("oh") }),
		"panics later": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", headers("Content-Type", "text/plain"), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("begun"), nil) {
					panic("oh")
				}
			}), nil
		}),
	}
}

// visits are requests of several kinds.
func visits() map[string]*wsgitest.Request {
	return map[string]*wsgitest.Request{
		"GET":   wsgitest.NewRequest("GET", "/a/b?c=d").With("Accept-Encoding", "gzip, deflate;q=0.5"),
		"HEAD":  wsgitest.NewRequest("HEAD", "/a/b").With("Accept-Encoding", "gzip"),
		"POST":  wsgitest.NewRequest("POST", "/a").Content("text/plain", "posted"),
		"leave": {Target: "/leaves", LeaveAfter: 1},
		"cond":  wsgitest.NewRequest("GET", "/").With("If-None-Match", `"v1"`),
		"range": wsgitest.NewRequest("GET", "/").With("Range", "bytes=0-2"),
		"cors":  wsgitest.NewRequest("OPTIONS", "/").With("Origin", "https://a.example").With("Access-Control-Request-Method", "PUT"),
	}
}

func sandwich(t *testing.T, m wsgi.Middleware) {
	for visit, req := range visits() {
		req.ExpectErrors = true // for applications that fail; the observers fail the test
		for kind, app := range kinds(t) {
			t.Run(visit+" "+kind, func(t *testing.T) {
				l := conformance.NewLinter(t)
				wsgitest.Do(t, l.Lint(m(l.Lint(app))), req)
			})
		}
	}
}

// panics expects that f panics with a text that contains all of want.
func panics(t *testing.T, f func(), want ...string) {
	t.Helper()
	defer func() {
		t.Helper()
		got, _ := recover().(string)
		for _, part := range append([]string{"middleware: "}, want...) {
			if !strings.Contains(got, part) {
				t.Errorf("panic with %q, expected a text with %q", got, part)
			}
		}
	}()
	f()
}

// bodyOf calls app by hand and returns the body object itself.
func bodyOf(t testing.TB, app wsgi.Application) wsgi.Iterable {
	t.Helper()
	body, err := app.Call(wsgitest.NewRequest("GET", "/").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) {
		return func(block []byte) (int, error) { return len(block), nil }, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// oneBody is an application that returns always the same body object.
func oneBody() (wsgi.Application, wsgi.Iterable) {
	body := wsgi.Reader(strings.NewReader("body"), 0)
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", nil, nil)
		return body, err
	}), body
}
