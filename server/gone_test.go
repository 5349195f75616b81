package server_test

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// endless yields blocks until somebody stops it, and reports how it ended.
type endless struct {
	block  []byte
	ended  chan<- struct{} // receives when Blocks returns
	closed atomic.Int32
	done   chan<- struct{} // closed by Close
}

func (b *endless) Blocks(yield func([]byte, error) bool) {
	for yield(b.block, nil) {
		runtime.Gosched()
	}
	b.ended <- struct{}{}
}

func (b *endless) Close() error {
	if b.closed.Add(1) == 1 {
		close(b.done)
	}
	return nil
}

// TestServerClientGone lets the client leave in the middle: the body stops and
// is closed once, and nobody calls it a fault of the application.
func TestServerClientGone(t *testing.T) {
	for _, tt := range []struct {
		name  string
		block string
	}{
		{"BODY-10/blocks", strings.Repeat("x", 64<<10)},
		{"BODY-10/small-blocks", "x"},
		{"BODY-10/empty-blocks", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ended, done := make(chan struct{}, 1), make(chan struct{})
			body := &endless{block: []byte(tt.block), ended: ended, done: done}
			l := serve(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", plain, nil)
				return body, err
			})})
			c := l.dial().send("%s", get("/"))
			if tt.block != "" {
				c.head()
				io.CopyN(io.Discard, c.r, 1)
			}
			c.Conn.(*net.TCPConn).SetLinger(0)
			c.Close()
			receive(t, "the body ends", ended)
			receive(t, "the body is closed", done)
			if n := body.closed.Load(); n != 1 {
				t.Errorf("BODY-11: closed %d times", n)
			}
			eventually(t, "a debug line", func() bool { return strings.Contains(l.log.String(), "client left") })
			if log := l.log.String(); strings.Contains(log, "ERROR") {
				t.Errorf("ERR-15: logged as an error:\n%s", log)
			}
		})
	}
	t.Run("WRITE-11/write", func(t *testing.T) {
		failed := make(chan error, 1)
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plain, nil)
			for err == nil {
				_, err = write(make([]byte, 64<<10))
			}
			failed <- err
			return nil, err
		})})
		c := l.dial().send("%s", get("/"))
		c.head()
		c.Conn.(*net.TCPConn).SetLinger(0)
		c.Close()
		receive(t, "write fails", failed)
		eventually(t, "a debug line", func() bool { return strings.Contains(l.log.String(), "client left") })
		if log := l.log.String(); strings.Contains(log, "ERROR") {
			t.Errorf("ERR-15: logged as an error:\n%s", log)
		}
	})
	t.Run("ERR-15/error-of-its-own", func(t *testing.T) {
		// The same kind of error, but from a connection of the application's.
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return nil, &net.OpError{Op: "write", Err: errors.New("broken pipe")}
		})})
		if a := l.roundTrip(get("/")); a.StatusCode != 500 || !strings.Contains(l.log.String(), "ERROR") {
			t.Errorf("answer is %s, log %q", a.Status, l.log.String())
		}
	})
	t.Run("BODY-10/half-closed", func(t *testing.T) {
		// A client that has nothing more to say still listens. net/http takes
		// it for one that has left; the response must arrive all the same.
		release := make(chan struct{})
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			<-release
			<-e.Context().Done()
			return respond("200 OK", plain, "one,", "two")(e, start)
		})})
		c := l.dial().send("%s", get("/"))
		closeWrite(c)
		close(release)
		if a := c.answer("GET"); a.body != "one,two" || a.err != nil {
			t.Errorf("answer is %q, %v", a.body, a.err)
		}
	})
	t.Run("N-27/mid-request", func(t *testing.T) {
		failed := make(chan error, 1)
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := io.ReadAll(e.Input())
			failed <- err
			return nil, err
		})})
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
		c.Conn.(*net.TCPConn).SetLinger(0)
		c.Close()
		if err := receive(t, "reading ends", failed); err == nil {
			t.Error("INPUT-21: a cut body was read without an error")
		}
	})
}
