package server_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestServerExpect looks at 100-continue as bytes.
func TestServerExpect(t *testing.T) {
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		switch e.Var("PATH_INFO") {
		case "/read":
			return readAll(e, start)
		case "/late":
			start("200 OK", plain, nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if !yield([]byte("early,"), nil) {
					return
				}
				body, err := io.ReadAll(e.Input())
				yield(body, err)
			}), nil
		}
		return text("unread")(e, start)
	})})
	const expect = "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
	dial := func(t *testing.T) *client {
		l := l.in(t)
		return l.dial()
	}
	t.Run("EXP-01/EXP-04/asked-for", func(t *testing.T) { // AMB-31, EXP-03, N-24: lazily, EXP-04: at once
		c := dial(t).send(expect, "/read")
		if head := c.head(); head != "HTTP/1.1 100 Continue\r\n\r\n" {
			t.Fatalf("first came %q", head)
		}
		if a := c.send("hello").answer("POST"); a.body != "5:hello" {
			t.Errorf("answer is %q", a.body)
		}
	})
	t.Run("EXP-03/not-asked-for", func(t *testing.T) {
		c := dial(t).send(expect, "/unread")
		a := c.answer("POST")
		if a.StatusCode != 200 || a.body != "unread" {
			t.Errorf("answer is %s %q, expected no interim response", a.Status, a.body)
		}
		// And nobody waits for a body that will not come.
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q, expected the end of the connection", rest)
		}
	})
	t.Run("EXP-05/1.0", func(t *testing.T) {
		c := dial(t).send("POST /read HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello")
		if a := c.answer("POST"); a.StatusCode != 200 || a.body != "5:hello" {
			t.Errorf("answer is %s %q", a.Status, a.body)
		}
	})
	t.Run("EXP-06/after-the-head", func(t *testing.T) {
		c := dial(t).send(expect, "/late")
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") {
			t.Fatalf("first came %q", head)
		}
		got := c.send("hello").until(t, "early,", "hello", "0\r\n\r\n")
		if strings.Contains(got, "100 Continue") {
			t.Errorf("a 100 came after the final head: %q", got)
		}
	})
	t.Run("EXP-07/unknown", func(t *testing.T) {
		c := dial(t).send("POST /read HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: banana\r\n\r\n")
		if a := c.answer("POST"); a.StatusCode != 417 {
			t.Errorf("answer is %s, expected 417", a.Status)
		}
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String(), "417") })
	})
}

// TestHandlerExpect: on a connection that is not ours the response is whole as well,
// whatever was read of a body, and nobody waits for one that was not asked for.
func TestHandlerExpect(t *testing.T) {
	for _, tt := range []struct {
		name string
		read int // bytes of the body
	}{{"EXP-03/not-asked-for", 0}, {"INPUT-18/asked-for-and-left", 2}} {
		t.Run(tt.name, func(t *testing.T) {
			l := serveHandler(t, server.Handler(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if _, err := io.ReadFull(e.Input(), make([]byte, tt.read)); err != nil {
					return nil, err
				}
				return text("one,", "two")(e, start) // in chunks
			})), false)
			c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
			if tt.read > 0 {
				if head := c.head(); head != "HTTP/1.1 100 Continue\r\n\r\n" {
					t.Fatalf("first came %q", head)
				}
				c.send("hello")
			}
			if a := c.answer("POST"); a.body != "one,two" || a.err != nil || !a.Close {
				t.Errorf("answer is %q, %v, announces the end: %t", a.body, a.err, a.Close)
			}
			if rest := c.rest(); rest != "" {
				t.Errorf("then came %q, expected the end of the connection", rest)
			}
		})
	}
}

// until reads until all of want have come, and returns what came.
func (c *client) until(t *testing.T, want ...string) string {
	t.Helper()
	var got strings.Builder
	block := make([]byte, 512)
	for {
		missing := false
		for _, w := range want {
			missing = missing || !strings.Contains(got.String(), w)
		}
		if !missing {
			return got.String()
		}
		n, err := c.r.Read(block)
		got.Write(block[:n])
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("reading: %v", err)
			}
			return got.String()
		}
	}
}
