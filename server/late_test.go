package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestServerLateHead meets clients that begin a request and do not go on.
func TestServerLateHead(t *testing.T) {
	const short = 100 * time.Millisecond
	for name, part := range map[string]string{
		"line": "GET / HTTP/1.1\r\n", "half-a-line": "GET / HTTP/1.1\r\nHo", "method": "GET", "lines": "GET / HTTP/1.1\r\nHost: h\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			l := serve(t, &server.Server{App: wsgi.AppFunc(text("x")), ReadHeaderTimeout: short, IdleTimeout: short})
			c := l.dial().send("%s", part)
			if a := c.answer("GET"); a.StatusCode != 408 || !a.Close || a.body != "408 Request Timeout\n" {
				t.Errorf("answer is %s %q, announces the end: %t; expected 408", a.Status, a.body, a.Close)
			}
			if rest := c.rest(); rest != "" {
				t.Errorf("then came %q, expected the end of the connection", rest)
			}
			// And behind a request that was served.
			c = l.dial().send("%s", get("/"))
			c.answer("GET")
			if a := c.send("%s", part).answer("GET"); a.StatusCode != 408 {
				t.Errorf("the second head is answered by %s, expected 408", a.Status)
			}
			if n := strings.Count(l.log.String(), "the head did not come in time"); n != 2 || strings.Count(l.log.String(), "request refused") != 2 {
				t.Errorf("log is %q, expected two warnings with the reason", l.log)
			}
		})
	}
	t.Run("drip", func(t *testing.T) {
		// Who is still sending must not lose the answer by a reset.
		l := serve(t, &server.Server{App: wsgi.AppFunc(text("x")), ReadHeaderTimeout: short})
		c := l.dial().send("GET / HTTP/1.1\r\nX: ")
		begin := time.Now()
		for tick := time.NewTicker(short / 20); time.Since(begin) < 2*short; <-tick.C {
			c.Write([]byte("x"))
		}
		if a := c.answer("GET"); a.StatusCode != 408 {
			t.Errorf("answer is %s, expected 408", a.Status)
		}
	})
}
