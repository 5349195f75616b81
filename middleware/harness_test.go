package middleware_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// What is the same for the middlewares of contrib.
var (
	errApp  = sandwich.ErrApp
	headers = sandwich.Headers
	answer  = sandwich.Answer
	text    = sandwich.Text
	blocks  = sandwich.Blocks
	streams = sandwich.Streams
	writes  = sandwich.Writes
	late    = sandwich.Late
	file    = sandwich.File
	reads   = sandwich.Reads
	kinds   = sandwich.Kinds
	visits  = sandwich.Visits
	keeps   = sandwich.Keeps

	ownHeaders = sandwich.OwnHeaders
	transports = sandwich.Servers
	through    = sandwich.Through
)

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
