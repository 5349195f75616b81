package server_test

import (
	"io"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestServerStream sees that a block is with the client before the next one is
// asked for, and no head before there is a block.
func TestServerStream(t *testing.T) {
	gate := make(chan struct{})
	sent := make(chan struct{})
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			start("200 OK", plain, nil) // START-05: as late as this
			if !yield(nil, nil) {
				return
			}
			// N-05, N-28: had the empty block been written or flushed, this
			// would come too late.
			if _, err := start("503 Service Unavailable", plain, errProbe); err != nil {
				yield(nil, err)
				return
			}
			if !yield([]byte("first"), nil) {
				return
			}
			close(sent)
			<-gate
			yield([]byte("second"), nil)
		}), nil
	})})
	t.Run("BUF-01/BODY-03/START-08", func(t *testing.T) {
		c := l.dial().send("%s", get("/"))
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 503 ") {
			t.Errorf("head is %q, expected the second one", head)
		}
		chunk := make([]byte, len("5\r\nfirst\r\n"))
		if _, err := io.ReadFull(c.r, chunk); err != nil || string(chunk) != "5\r\nfirst\r\n" {
			t.Errorf("first chunk is %q, %v", chunk, err)
		}
		receive(t, "the second block is asked for", sent)
		close(gate) // the client has the first block; only now the second is made
		end := make([]byte, len("6\r\nsecond\r\n0\r\n\r\n"))
		if _, err := io.ReadFull(c.r, end); err != nil || string(end) != "6\r\nsecond\r\n0\r\n\r\n" {
			t.Errorf("rest is %q, %v", end, err)
		}
	})
	t.Run("WRITE-04/WRITE-10", func(t *testing.T) {
		done := make(chan struct{})
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plain, nil)
			if err != nil {
				return nil, err
			}
			write(nil) // AMB-02: the head goes out
			<-done
			write([]byte("written"))
			<-done
			return wsgi.Empty(), nil
		})})
		c := l.dial().send("%s", get("/"))
		c.head()
		done <- struct{}{}
		chunk := make([]byte, len("7\r\nwritten\r\n"))
		if _, err := io.ReadFull(c.r, chunk); err != nil || string(chunk) != "7\r\nwritten\r\n" {
			t.Errorf("chunk is %q, %v", chunk, err)
		}
		done <- struct{}{}
	})
	// A response without a block is on the wire before Close, too.
	t.Run("AMB-27/close-after-the-head", func(t *testing.T) {
		closing := make(chan struct{})
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			status := "200 OK"
			if e.Var("PATH_INFO") == "/204" {
				status = "204 No Content"
			}
			_, err := start(status, nil, nil)
			return closer{wsgi.Empty(), func() error { <-closing; return nil }}, err
		})})
		for _, request := range []string{"GET /", "HEAD /", "GET /204"} {
			c := l.dial().send("%s HTTP/1.1\r\nHost: h\r\n\r\n", request)
			if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 20") {
				t.Errorf("%s: head is %q", request, head)
			}
			closing <- struct{}{} // the client had all of it before
		}
	})
	t.Run("AMB-27/close-after-the-end", func(t *testing.T) {
		closing := make(chan struct{})
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", withLength("2"), nil)
			return closer{wsgi.Bytes([]byte("ok")), func() error { <-closing; return errProbe }}, err
		})})
		a := l.dial().send("%s", get("/")).answer("GET")
		if a.body != "ok" || a.err != nil {
			t.Errorf("answer is %q, %v", a.body, a.err)
		}
		close(closing) // the client had all of it before
		eventually(t, "BODY-14: the error of Close is logged", func() bool { return strings.Contains(l.log.String(), errProbe.Error()) })
	})
}

// closer is a body with a Close of its own.
type closer struct {
	wsgi.Iterable
	close func() error
}

func (c closer) Close() error { return c.close() }
