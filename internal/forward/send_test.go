package forward

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// stream is a connection that takes so much, and then fails or answers.
type stream struct {
	takes int
	err   error // of the write that has more
	in    io.Reader
}

func (s *stream) Write(p []byte) (int, error) {
	if s.err != nil && len(p) > s.takes {
		return s.takes, s.err
	}
	return len(p), nil
}

func (s *stream) Read(p []byte) (int, error)       { return s.in.Read(p) }
func (s *stream) Close() error                     { return nil }
func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// answering is a connection that answers.
func answering() *stream {
	return &stream{in: strings.NewReader("Status: 200 OK\r\n\r\nok")}
}

// dialled is a client of backends to which dial connects.
func dialled(t *testing.T, backends string, dial func(ctx context.Context, addr string) (Stream, error)) *Client {
	t.Helper()
	c, err := New(Options{Addrs: strings.Fields(backends), Logger: slog.New(slog.DiscardHandler)}, &Protocol{
		Form: cgi.Status, Open: Plain,
		Head: func(b []byte, _ Pairs, _ bool) ([]byte, error) { return append(b, "request"...), nil },
		Dial: func(ctx context.Context, addr string, _ Pairs, _ io.Writer) (Stream, error) { return dial(ctx, addr) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// statusOf asks c, and returns the status of the answer.
func statusOf(t *testing.T, ctx context.Context, c *Client, method, body string) (status string, err error) {
	t.Helper()
	environ := wsgi.EnvironFromMap(map[string]any{
		"REQUEST_METHOD": method, "CONTENT_LENGTH": strconv.Itoa(len(body)), "wsgi.input": wsgi.NewInput(strings.NewReader(body)), "wsgi.errors": wsgi.NewErrors(io.Discard),
	}).WithContext(ctx)
	blocks, err := c.Call(environ, func(s string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
		status = s
		return nil, nil
	})
	if err != nil {
		return "", err
	}
	for _, err := range blocks.Blocks {
		if err != nil {
			t.Error(err)
		}
	}
	return status, blocks.Close()
}

// TestSentOnce: another backend gets a request when nothing of it was sent, and its
// method asks for nothing but information.
func TestSentOnce(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		connects     bool
		takes        int
		want         string
	}{
		{"GET, not connected", "GET", false, 0, "200 OK"},
		{"POST, not connected", "POST", false, 0, "200 OK"},
		{"GET, nothing was sent", "GET", true, 0, "200 OK"},
		{"POST, nothing was sent", "POST", true, 0, "502 Bad Gateway"}, // the backend may know better
		{"GET, some was sent", "GET", true, 3, "502 Bad Gateway"},
		{"GET, all was sent", "GET", true, 99, "502 Bad Gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dialled(t, "a b", func(_ context.Context, addr string) (Stream, error) {
				switch {
				case addr == "b":
					return answering(), nil
				case !tt.connects:
					return nil, syscall.ECONNREFUSED
				}
				return &stream{takes: tt.takes, err: syscall.ECONNRESET, in: strings.NewReader("")}, nil
			})
			if got, err := statusOf(t, t.Context(), c, tt.method, ""); got != tt.want || err != nil {
				t.Errorf("answered by %q, %v, expected %q", got, err, tt.want)
			}
			if a := c.Group.backends[0]; a.failures != 1 || a.active != 0 {
				t.Errorf("the backend has failed %d times and has %d requests, expected 1 and none", a.failures, a.active)
			}
		})
	}
}

// TestStale: connections that were kept may all have ended, which is no failure of
// the backend's.
func TestStale(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		takes        int // of the request
		want         string
	}{
		{"GET, at once", "GET", 0, "200 OK"},
		{"GET, in the place of an answer", "GET", 99, "200 OK"},
		{"POST, in the place of an answer", "POST", 99, "502 Bad Gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dialled(t, "a", func(context.Context, string) (Stream, error) { return answering(), nil })
			for range 3 {
				s := &stream{takes: tt.takes, err: syscall.EPIPE, in: strings.NewReader("")}
				c.Group.backends[0].idle.put(s, 3, time.Hour)
			}
			defer c.CloseIdle()
			if got, err := statusOf(t, t.Context(), c, tt.method, ""); got != tt.want || err != nil {
				t.Errorf("answered by %q, %v, expected %q", got, err, tt.want)
			}
			if a := c.Group.backends[0]; a.failures != 0 || a.active != 0 {
				t.Errorf("the backend has failed %d times and has %d requests, expected none", a.failures, a.active)
			}
		})
	}
}

// TestLeavesWhileConnecting: nobody else is asked for a client that has left, and
// nobody is blamed.
func TestLeavesWhileConnecting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dials := 0
	c := dialled(t, "a b", func(ctx context.Context, _ string) (Stream, error) {
		dials++
		cancel()
		<-ctx.Done()
		return nil, ctx.Err()
	})
	if got, err := statusOf(t, ctx, c, "GET", ""); !errors.Is(err, context.Canceled) || dials != 1 {
		t.Errorf("answered by %q, %v after %d tries, expected the error of the context after one", got, err, dials)
	}
	if a := c.Group.backends[0]; a.failures != 0 || a.active != 0 {
		t.Errorf("the backend has failed %d times and has %d requests, expected none", a.failures, a.active)
	}
}
