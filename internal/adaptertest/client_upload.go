package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// uploads: the backend gets the first part of a body before the second is
// sent.
func (c Client) uploads(t *testing.T) {
	got := make(chan string)
	url := c.behind(t, forward.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		b := make([]byte, 5)
		for range 2 {
			if _, err := io.ReadFull(environ.Input(), b); err != nil {
				return nil, err
			}
			got <- string(b)
		}
		return respond("read")(environ, start)
	})
	conn := Dial(t, strings.TrimPrefix(url, "http://"))
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10\r\n\r\n")
	for _, part := range []string{"first", "later"} {
		io.WriteString(conn, part)
		if text := <-got; text != part {
			t.Errorf("got %q, expected %q", text, part)
		}
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.HasSuffix(string(answer), "\r\n\r\nread") {
		t.Errorf("the answer is %q, %v", answer, err)
	}
}

// early: an answer that comes before the body was sent reaches the client.
func (c Client) early(t *testing.T) {
	url := c.behind(t, forward.Options{}, wsgi.Response{Status: "413 Content Too Large", Body: wsgi.Strings("too large")}.Call)
	conn := Dial(t, strings.TrimPrefix(url, "http://"))
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nand no more")
	b := make([]byte, 4<<10)
	n, err := io.ReadAtLeast(conn, b, 20)
	if err != nil || !strings.HasPrefix(string(b[:n]), "HTTP/1.1 413 ") {
		t.Errorf("the answer is %q, %v, expected 413 without the rest of the body", b[:n], err)
	}
}

// left: the backend is told when the client has left.
func (c Client) left(t *testing.T) {
	called, gone := make(chan bool), make(chan error)
	url := c.behind(t, forward.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		called <- true
		select {
		case <-environ.Context().Done():
			gone <- nil
		case <-time.After(Patience):
			gone <- errors.New("the backend is not told")
		}
		return nil, environ.Context().Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan bool)
	go func() {
		defer close(asked)
		q, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
		if r, err := client().Do(q); err == nil {
			r.Body.Close()
		}
	}()
	<-called
	cancel()
	if err := <-gone; err != nil {
		t.Error(err)
	}
	<-asked
}

// shortBody: a client that breaks off its request is told from a backend that
// does not answer.
func (c Client) shortBody(t *testing.T) {
	var log bytes.Buffer
	url := c.behind(t, forward.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}, repeat)
	conn := Dial(t, strings.TrimPrefix(url, "http://"))
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nshort")
	conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") || log.Len() > 0 {
		t.Errorf("the answer is %q and the log %q, expected nobody to blame the backend", answer, log.String())
	}
}
