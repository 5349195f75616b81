package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// patience bounds every wait of these tests. It is reached only by a failure.
const patience = 10 * time.Second

// live is a running Server, and the raw client side of it.
type live struct {
	t      testing.TB
	server *server.Server
	addr   net.Addr
	log    *testlog.Log // what the server logged, wsgi.errors included
}

// serve starts s on a loopback port. At the end of the test it is shut down,
// and nothing of it may be left: no goroutine, no descriptor.
func serve(t testing.TB, s *server.Server) *live {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return serveOn(t, s, l)
}

func serveOn(t testing.TB, s *server.Server, l net.Listener) *live {
	t.Helper()
	noLeaks(t)
	log := new(testlog.Log)
	if s.Logger == nil {
		s.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	finished := make(chan error, 1)
	go func() { finished <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-finished; err != http.ErrServerClosed {
			t.Errorf("Serve returned %v, expected http.ErrServerClosed", err)
		}
	})
	return &live{t: t, server: s, addr: l.Addr(), log: log}
}

// noLeaks compares goroutines and descriptors before and after the test.
func noLeaks(t testing.TB) {
	goroutines, files := runtime.NumGoroutine(), descriptors()
	t.Cleanup(func() {
		deadline := time.Now().Add(patience)
		for runtime.NumGoroutine() > goroutines || descriptors() > files {
			if time.Now().After(deadline) {
				stacks := make([]byte, 1<<20)
				t.Errorf("left over: %d goroutines and %d descriptors, expected %d and %d\n%s",
					runtime.NumGoroutine(), descriptors(), goroutines, files,
					stacks[:runtime.Stack(stacks, true)])
				return
			}
			runtime.Gosched()
			time.Sleep(time.Millisecond) // a poll of the kernel's view; there is nothing to wait on
		}
	})
}

// descriptors counts the open files of this process, 0 where that is unknown.
func descriptors() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// eventually waits until cond holds, for what the server does after the client
// has its answer: log lines, closes.
func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: did not happen within %v", what, patience)
		}
	}
}

// receive takes the next value of ch, for which a test waits no longer than
// patience.
func receive[T any](t testing.TB, what string, ch <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		t.Fatalf("%s: did not happen within %v", what, patience)
	}
	return v
}

// in returns l for a subtest.
func (l *live) in(t testing.TB) *live {
	sub := *l
	sub.t = t
	return &sub
}

// client is one raw connection.
type client struct {
	net.Conn
	t testing.TB
	r *bufio.Reader
}

func (l *live) dial() *client {
	l.t.Helper()
	c, err := net.Dial(l.addr.Network(), l.addr.String())
	if err != nil {
		l.t.Fatal(err)
	}
	if l.server.TLSConfig != nil {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
	}
	c.SetDeadline(time.Now().Add(2 * patience))
	l.t.Cleanup(func() { c.Close() })
	return &client{Conn: c, t: l.t, r: bufio.NewReader(c)}
}

// send writes raw bytes.
func (c *client) send(format string, args ...any) *client {
	c.t.Helper()
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatalf("writing the request: %v", err)
	}
	return c
}

// head reads one response head and returns it as it came.
func (c *client) head() string {
	c.t.Helper()
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			c.t.Fatalf("reading a response head: %v after %q", err, b.String())
		}
		if line == "\r\n" {
			return b.String()
		}
	}
}

// answer is a response as the client understood it.
type answer struct {
	*http.Response
	body string
	err  error // of reading the body: a cut response
}

// answer reads one response to a request with the given method.
func (c *client) answer(method string) answer {
	c.t.Helper()
	response, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("reading the response: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	return answer{response, string(body), err}
}

// rest reads until the server closes the connection, which it must do.
func (c *client) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil {
		c.t.Errorf("the connection ended in %v after %q", err, b)
	}
	return string(b)
}

// roundTrip sends raw on a new connection and reads one answer.
func (l *live) roundTrip(raw string) answer {
	l.t.Helper()
	method, _, _ := strings.Cut(raw, " ")
	return l.dial().send("%s", raw).answer(method)
}

// get is a plain request that leaves the connection open.
func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: test.example\r\n\r\n" }

// app is the shape in which most probe applications are written.
type app = func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error)

// text answers 200 with the blocks.
func text(blocks ...string) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil); err != nil {
			return nil, err
		}
		return wsgi.Strings(blocks...), nil
	}
}

// dump answers with the environ, a line for each variable: key, type, quoted
// value.
func dump(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	var b strings.Builder
	for key, value := range e.All() {
		fmt.Fprintf(&b, "%s\t%T\t%q\n", key, value, fmt.Sprint(value))
	}
	return text(b.String())(e, start)
}

// environ sends raw to a server that dumps, and returns the string variables.
func (l *live) environ(raw string) map[string]string {
	l.t.Helper()
	a := l.roundTrip(raw)
	if a.StatusCode != 200 || a.err != nil {
		l.t.Fatalf("answer to %q is %s, %v, expected 200", raw, a.Status, a.err)
	}
	vars := make(map[string]string)
	for line := range strings.Lines(a.body) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		value, err := strconv.Unquote(parts[2])
		if err != nil {
			l.t.Fatal(err)
		}
		if _, twice := vars[parts[0]]; twice {
			l.t.Errorf("environ lists %s twice", parts[0])
		}
		vars[parts[0]] = value
		if !strings.Contains(parts[0], ".") && parts[1] != "string" {
			l.t.Errorf("variable %s is a %s, expected a string (ENV-07)", parts[0], parts[1])
		}
	}
	return vars
}
