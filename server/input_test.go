package server_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// readAll answers with the length and the content of the request body, or
// fails with the error of reading it.
func readAll(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	body, err := io.ReadAll(e.Input())
	if err != nil {
		return nil, err
	}
	for range 2 { // INPUT-10: the end stays the end
		if n, err := e.Input().Read(make([]byte, 5)); n != 0 || err != io.EOF {
			return nil, fmt.Errorf("reading at the end gave %d, %v", n, err)
		}
	}
	return text(fmt.Sprintf("%d:%s", len(body), body))(e, start)
}

func TestServerInput(t *testing.T) {
	l := serve(t, &server.Server{App: wsgi.AppFunc(readAll), MaxBodyBytes: 1 << 20})
	big := strings.Repeat("x", 300<<10)
	tests := []struct {
		name, request string
		status        int
		body          string
		reason        string
	}{
		{"INPUT-07/past-the-length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 17\r\n\r\n0123456789abcdefg", 200, "17:0123456789abcdefg", "INPUT-09"},
		{"INPUT-20/no-body", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "0:", ""},
		{"INPUT-20/post-without-length", "POST / HTTP/1.1\r\nHost: h\r\n\r\n", 200, "0:", ""},
		{"INPUT-20/1.0", "GET / HTTP/1.0\r\n\r\n", 200, "0:", ""},
		// AMB-18
		{"HTTP-07/chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;ext=1\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\n\r\n", 200, "6:hello!", "extensions and trailers"},
		{"COM-01/terminated", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, "0:", ""},
		{"INPUT-05/large", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + fmt.Sprint(len(big)) + "\r\n\r\n" + big, 200, fmt.Sprintf("%d:%s", len(big), big), ""},
		{"limit/declared", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n", 413, "413 Content Too Large\n", "before the application is called"},
		{"limit/chunked", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + strings.Repeat("x", 1<<20+1) + "\r\n0\r\n\r\n", 413, "413 Content Too Large\n", "by an error from wsgi.input"},
		{"HTTP-07/bad-chunk", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "400 Bad Request\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := l.in(t)
			a := l.roundTrip(tt.request)
			if a.StatusCode != tt.status || a.body != tt.body {
				t.Errorf("answer is %d, %d bytes %.40q, expected %d, %.40q; %s", a.StatusCode, len(a.body), a.body, tt.status, tt.body, tt.reason)
			}
		})
	}
	t.Run("INPUT-17/pipelined", func(t *testing.T) {
		l := l.in(t)
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc%sPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nd", get("/"))
		for _, want := range []string{"3:abc", "0:", "1:d"} {
			if got := c.answer("POST").body; got != want {
				t.Errorf("answer is %q, expected %q", got, want)
			}
		}
	})
	t.Run("INPUT-21/cut-short", func(t *testing.T) {
		l := l.in(t)
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n0123456789")
		closeWrite(c)
		if a := c.answer("POST"); a.StatusCode != 400 {
			t.Errorf("answer is %s, expected 400", a.Status)
		}
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String(), "unexpected EOF") })
	})
}

func closeWrite(c *client) { c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// TestServerFullDuplex reads the request body while the response is on its
// way; net/http would have discarded it (N-01).
func TestServerFullDuplex(t *testing.T) {
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", plain, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if !yield([]byte("head,"), nil) {
				return
			}
			for line, err := range e.Input().Lines() {
				if !yield(line, err) {
					return
				}
			}
		}), nil
	})})
	for _, framing := range []struct{ name, head, format, end string }{
		{"sized", "Content-Length: 10", "%s", ""},
		{"chunked", "Transfer-Encoding: chunked", "5\r\n%s\r\n", "0\r\n\r\n"},
	} {
		t.Run("INPUT-19/"+framing.name, func(t *testing.T) {
			l := l.in(t)
			c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\n%s\r\n\r\n", framing.head)
			c.head()
			for _, step := range []struct{ send, want string }{
				{"", "5\r\nhead,\r\n"}, {"one,\n", "5\r\none,\n\r\n"}, {"two,\n", "5\r\ntwo,\n\r\n"},
			} {
				if step.send != "" {
					c.send(framing.format, step.send)
				}
				got := make([]byte, len(step.want))
				if _, err := io.ReadFull(c.r, got); err != nil || string(got) != step.want {
					t.Fatalf("after sending %q came %q, %v, expected %q", step.send, got, err, step.want)
				}
			}
			c.send("%s%s", framing.end, get("/"))
			last := make([]byte, 5)
			if _, err := io.ReadFull(c.r, last); err != nil || string(last) != "0\r\n\r\n" {
				t.Fatalf("end of the response is %q, %v", last, err)
			}
			if a := c.answer("GET"); a.body != "head," { // the connection is still good
				t.Errorf("next answer is %q", a.body)
			}
		})
	}
}

// TestServerUnread leaves bodies unread: a connection is used again only when
// the next request can be found on it (INPUT-18).
func TestServerUnread(t *testing.T) {
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if e.Var("QUERY_STRING") == "length" {
			return text("answer to "+e.Var("PATH_INFO"))(e, start)
		}
		return text("answer to ", e.Var("PATH_INFO"))(e, start) // in chunks
	}), ReadTimeout: 200 * time.Millisecond})
	chunks := func(n int) string {
		return strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", n) + "0\r\n\r\n"
	}
	tests := []struct {
		name, head, body string
		reused           bool
	}{
		{"10-bytes", "Content-Length: 10", "0123456789", true},
		{"200-KiB", "Content-Length: 204800", strings.Repeat("x", 204800), true},
		{"300-KiB", "Content-Length: 307200", strings.Repeat("x", 307200), false},
		{"chunked-16-KiB", "Transfer-Encoding: chunked", chunks(4), true},
		{"chunked-300-KiB", "Transfer-Encoding: chunked", chunks(75), false},
		{"chunked-1-MiB", "Transfer-Encoding: chunked", chunks(256), false},
		{"malformed", "Transfer-Encoding: chunked", "nonsense\r\n", false},
		{"malformed-chunk", "Transfer-Encoding: chunked", "5\r\nhelloXX\r\n", false},
		{"malformed-trailer", "Transfer-Encoding: chunked", "0\r\nbad trailer\r\n\r\n", false},
	}
	for _, tt := range tests {
		for _, query := range []string{"", "?length"} {
			t.Run("INPUT-18/"+tt.name+query, func(t *testing.T) {
				l := l.in(t)
				c := l.dial()
				// The server may stop reading; writing is not part of the test.
				go io.WriteString(c, "POST /a"+query+" HTTP/1.1\r\nHost: h\r\n"+tt.head+"\r\n\r\n"+tt.body+"GET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
				if a := c.answer("POST"); a.body != "answer to /a" || a.err != nil {
					t.Fatalf("answer is %q, %v", a.body, a.err)
				}
				rest := c.rest()
				if tt.reused != strings.Contains(rest, "/b") || !tt.reused && rest != "" {
					t.Errorf("then came %q, expected the second answer: %v", rest, tt.reused)
				}
			})
		}
	}
	t.Run("INPUT-18/300-KiB-that-do-not-come", func(t *testing.T) {
		patient := serve(t, &server.Server{App: l.server.App, ReadTimeout: -1})
		c := patient.dial().send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 307200\r\n\r\n")
		if a := c.answer("POST"); a.body != "answer to /a" {
			t.Errorf("answer is %q", a.body)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q", rest)
		}
	})
	t.Run("INPUT-18/stalled-then-a-request", func(t *testing.T) {
		l := l.in(t)
		c := l.dial().send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
		if a := c.answer("POST"); a.body != "answer to /a" {
			t.Fatalf("answer is %q", a.body)
		}
		// By now the server has given up; what follows was to be the body.
		io.WriteString(c, get("/smuggled"))
		if rest := c.rest(); rest != "" {
			t.Errorf("the rest of a body was answered as a request: %q", rest)
		}
	})
	t.Run("INPUT-18/stalled", func(t *testing.T) {
		l := l.in(t)
		c := l.dial().send("POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") // and nothing else
		if a := c.answer("POST"); a.body != "answer to /a" {
			t.Errorf("answer is %q", a.body)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q", rest)
		}
	})
	t.Run("INPUT-18/stray-reader", func(t *testing.T) {
		reading, failed := make(chan struct{}), make(chan error, 1)
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			go func() {
				close(reading)
				_, err := io.ReadAll(e.Input())
				failed <- err
			}()
			<-reading
			return text("answer")(e, start)
		})})
		c := l.dial().send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc") // and nothing else
		if a := c.answer("POST"); a.body != "answer" {
			t.Errorf("answer is %q", a.body)
		}
		if err := receive(t, "reading ends with the request", failed); err == nil {
			t.Error("INPUT-21: reading ended without an error")
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q", rest)
		}
	})
	t.Run("N-25/no-panic", func(t *testing.T) {
		if log := l.log.String(); strings.Contains(log, "panic") {
			t.Errorf("log contains a panic:\n%s", log)
		}
	})
}
