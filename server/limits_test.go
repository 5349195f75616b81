package server_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// deadlines is a part of the extension gowsgi.http.
type deadlines interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// TestServerSlowClients meets clients that hold a connection for nothing. Each
// timeout is short here; what is tested is that there is an end.
func TestServerSlowClients(t *testing.T) {
	const short = 100 * time.Millisecond
	t.Run("idle", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(text("x")), IdleTimeout: short})
		c := l.dial().send("%s", get("/"))
		c.answer("GET")
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q, expected the end of the connection", rest)
		}
	})
	t.Run("body", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(readAll), ReadTimeout: short})
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
		if a := c.answer("POST"); a.StatusCode != 408 || !a.Close {
			t.Errorf("answer is %s, announces the end: %t; expected 408", a.Status, a.Close)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q, expected the end of the connection", rest)
		}
		if log := l.log.String(); !strings.Contains(log, "408") || strings.Contains(log, "ERROR") {
			t.Errorf("log is %q, expected a warning with 408", log)
		}
	})
	t.Run("body-drip", func(t *testing.T) {
		// One byte now and then does not renew the deadline.
		l := serve(t, &server.Server{App: wsgi.AppFunc(readAll), ReadTimeout: 2 * short})
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for tick := time.NewTicker(short / 5); ; {
				select {
				case <-tick.C:
					c.Write([]byte("x"))
				case <-stop:
					return
				}
			}
		}()
		if a := c.answer("POST"); a.StatusCode != 408 {
			t.Errorf("answer is %s, expected 408", a.Status)
		}
	})
	t.Run("body-after-a-timely-body", func(t *testing.T) {
		// The deadline of one body must not be in force for what comes after.
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := io.ReadAll(e.Input()); err != nil {
				return nil, err
			}
			select {
			case <-e.Context().Done():
				return nil, e.Context().Err()
			case <-time.After(3 * short): // longer than the deadline that was
				return text("done")(e, start)
			}
		}), ReadTimeout: short})
		if a := l.roundTrip("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx"); a.body != "done" {
			t.Errorf("answer is %s %q", a.Status, a.body)
		}
	})
	// The time in which the application does something else is not the
	// client's.
	for _, p := range protocols {
		t.Run("pause-within-a-body/"+p.name, func(t *testing.T) {
			paused := make(chan struct{})
			_, url := p.serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if _, err := io.ReadFull(e.Input(), make([]byte, 1)); err != nil {
					return nil, err
				}
				time.Sleep(2 * short) // longer than the deadline
				close(paused)
				return readAll(e, start)
			}), ReadTimeout: short})
			read, write := io.Pipe()
			go func() {
				io.WriteString(write, "x")
				<-paused
				io.WriteString(write, "the rest")
				write.Close()
			}()
			r, err := p.client(t).Post(url, "text/plain", read)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if b, err := io.ReadAll(r.Body); r.StatusCode != 200 || string(b) != "8:the rest" || err != nil {
				t.Errorf("answer is %s %.30q, %v", r.Status, b, err)
			}
		})
	}
	t.Run("body-of-a-refused-request", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(text("x")), ScriptName: "/shop"})
		c := l.dial().send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n") // and no more
		if a := c.answer("POST"); a.StatusCode != 404 || !a.Close {
			t.Errorf("answer is %s, announces the end: %t", a.Status, a.Close)
		}
		if rest := c.rest(); rest != "" {
			t.Errorf("then came %q, expected the end of the connection", rest)
		}
	})
	// Nobody has to wait for what the application asked a shorter time for.
	t.Run("EXT-08/read-deadline", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if err := e.Get("gowsgi.http").(deadlines).SetReadDeadline(time.Now().Add(short)); err != nil {
				return nil, err
			}
			return readAll(e, start)
		})})
		if a := l.roundTrip("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc"); a.StatusCode != 408 {
			t.Errorf("answer is %s, expected 408", a.Status)
		}
	})
	// Where all is read there is nothing to bound. net/http's own read goes on, and
	// would take the end of the time for that of the connection.
	for _, p := range protocols {
		t.Run("EXT-08/read-deadline-without-a-body/"+p.name, func(t *testing.T) {
			_, url := p.serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				io.ReadAll(e.Input())
				if err := e.Get("gowsgi.http").(deadlines).SetReadDeadline(time.Now().Add(short)); err != nil {
					return nil, err
				}
				select {
				case <-e.Context().Done():
					return text("gone")(e, start)
				case <-time.After(3 * short):
					return text("there")(e, start)
				}
			})})
			for _, body := range []string{"", "x"} {
				r, err := p.client(t).Post(url, "text/plain", strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				b, err := io.ReadAll(r.Body)
				r.Body.Close()
				if string(b) != "there" || err != nil {
					t.Errorf("after the body %q the client is %q, %v", body, b, err)
				}
			}
		})
	}
	for _, p := range protocols {
		t.Run("EXT-08/write-deadline/"+p.name, func(t *testing.T) {
			ended, done := make(chan struct{}, 1), make(chan struct{})
			body := &endless{block: make([]byte, 64<<10), ended: ended, done: done}
			_, url := p.serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", plain, nil)
				return body, e.Get("gowsgi.http").(deadlines).SetWriteDeadline(time.Now().Add(short))
			})})
			r, err := p.client(t).Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close() // nobody reads it
			receive(t, "the body ends", ended)
			receive(t, "the body is closed", done)
		})
		// The zero time puts the server's own limits in force again.
		t.Run("EXT-08/deadlines-taken-back/"+p.name, func(t *testing.T) {
			ended, done := make(chan struct{}, 1), make(chan struct{})
			body := &endless{block: make([]byte, 64<<10), ended: ended, done: done}
			_, url := p.serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				d := e.Get("gowsgi.http").(deadlines)
				for _, at := range []time.Time{time.Now().Add(time.Hour), {}} {
					if err := errors.Join(d.SetReadDeadline(at), d.SetWriteDeadline(at)); err != nil {
						return nil, err
					}
				}
				if _, err := io.ReadAll(e.Input()); err == nil {
					return text("the body has come")(e, start)
				}
				start("200 OK", plain, nil)
				return body, nil
			}), ReadTimeout: short, WriteTimeout: short})
			read, write := io.Pipe()
			defer write.Close()
			go io.WriteString(write, "and no more")
			r, err := p.client(t).Post(url, "text/plain", read)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close() // nobody reads it
			receive(t, "the body ends", ended)
			receive(t, "the body is closed", done)
		})
	}
	t.Run("BUF-06/reader", func(t *testing.T) {
		ended, done := make(chan struct{}, 1), make(chan struct{})
		body := &endless{block: make([]byte, 64<<10), ended: ended, done: done}
		l := serve(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain, nil)
			return body, err
		}), WriteTimeout: short})
		l.dial().send("%s", get("/")) // and reads nothing
		receive(t, "the body ends", ended)
		receive(t, "the body is closed", done)
	})
	// Over TLS of the caller's own there is no connection of ours to see to it.
	t.Run("BUF-06/reader/own-TLS", func(t *testing.T) {
		ended, done := make(chan struct{}, 1), make(chan struct{})
		body := &endless{block: make([]byte, 64<<10), ended: ended, done: done}
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := serveOn(t, &server.Server{App: wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain, nil)
			return body, err
		}), WriteTimeout: short}, tls.NewListener(tcp, tlsConfig(t)))
		c, err := tls.Dial("tcp", l.addr.String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, get("/")) // and reads nothing
		receive(t, "the body ends", ended)
		receive(t, "the body is closed", done)
	})
	// A stream that is quiet for longer than twice the timeout is not slow.
	for _, p := range protocols {
		t.Run("reader-with-pauses/"+p.name, func(t *testing.T) {
			_, url := p.serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", plain, nil)
				return wsgi.Generator(func(yield func([]byte, error) bool) {
					if !yield([]byte("a"), nil) {
						return
					}
					select {
					case <-e.Context().Done():
					case <-time.After(10 * short):
					}
					yield([]byte("b"), nil)
				}), nil
			}), WriteTimeout: 4 * short})
			r, err := p.client(t).Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if b, err := io.ReadAll(r.Body); string(b) != "ab" || err != nil {
				t.Errorf("answer is %q, %v", b, err)
			}
		})
	}
}
