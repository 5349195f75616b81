package wsgiref_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

var errBoom = errors.New("boom")

const date = "Mon, 02 Jan 2006 15:04:05 GMT"

// fields makes a list of headers of names and values in turn.
func fields(pairs ...string) (headers wsgi.Headers) {
	for i := 0; i < len(pairs); i += 2 {
		headers.Add(pairs[i], pairs[i+1])
	}
	return headers
}

var plain = fields("Content-Type", "text/plain")

// answer starts with status and headers and returns body.
func answer(status string, headers wsgi.Headers, body wsgi.Iterable) wsgi.AppFunc {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start(status, headers, nil); err != nil {
			return nil, err
		}
		return body, nil
	}
}

// show answers with the named variables, a line for each.
func show(keys ...string) wsgi.AppFunc {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		var lines []string
		for _, key := range keys {
			lines = append(lines, environ.Var(key))
		}
		return answer("200 OK", plain, wsgi.Strings(strings.Join(lines, "\n")))(environ, start)
	}
}

// body is a wsgi.Iterable of two functions.
type body struct {
	blocks wsgi.Generator
	close  func() error
}

func (b body) Blocks(yield func([]byte, error) bool) { b.blocks(yield) }
func (b body) Close() error                          { return b.close() }

// wrap is a middleware that passes everything on, save what it does not know
// of the body.
func wrap(app wsgi.Application) wsgi.AppFunc {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		inner, err := app.Call(environ, start)
		if inner == nil {
			return nil, err
		}
		return body{inner.Blocks, inner.Close}, err
	}
}

// live is a server that listens on loopback.
type live struct {
	addr string
	send func(*wsgitest.Request) *wsgitest.Response
	log  *testlog.Log
}

func serve(t *testing.T, s *server.Server) live {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := new(testlog.Log)
	s.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != http.ErrServerClosed {
			t.Errorf("Serve returned %v, expected http.ErrServerClosed", err)
		}
	})
	addr := l.Addr().String()
	return live{addr, wsgitest.Live("tcp", addr), log}
}

// patience bounds every wait. It is reached only by a failure.
const patience = 10 * time.Second

// dial opens a connection for what wsgitest.Live does not send.
func (l live) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", l.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// raw sends request and returns all that comes until the server closes.
func (l live) raw(t *testing.T, request string) string {
	t.Helper()
	c := l.dial(t)
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("after %q: %v", answer, err)
	}
	return string(answer)
}
