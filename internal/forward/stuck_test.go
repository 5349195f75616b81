package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestStuck: each phase in which a backend does nothing has its end.
func TestStuck(t *testing.T) {
	for _, tt := range []struct {
		name string
		body string
		act  func(c net.Conn) // of the backend, which then does nothing
		want string
		last time.Duration
	}{
		{"takes nothing of the head", "", func(net.Conn) {}, "504 Gateway Timeout", defaultWriteTimeout},
		{"takes nothing of the body", "body", func(c net.Conn) { io.ReadFull(c, make([]byte, len("request"))) }, "504 Gateway Timeout", defaultWriteTimeout},
		{"takes a part of the body", strings.Repeat("x", 2*piece), func(c net.Conn) {
			io.ReadFull(c, make([]byte, len("request")))
			time.Sleep(20 * time.Second)
			io.ReadFull(c, make([]byte, piece))
		}, "504 Gateway Timeout", 20*time.Second + defaultWriteTimeout},
		{"does not answer", "body", func(c net.Conn) { io.ReadFull(c, make([]byte, len("requestbody"))) }, "504 Gateway Timeout", defaultResponseTimeout},
		{"ends no head", "", func(c net.Conn) {
			io.ReadFull(c, make([]byte, len("request")))
			io.WriteString(c, "Status: 200 OK\r\n")
		}, "504 Gateway Timeout", defaultResponseTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := dialled(t, "a", func(context.Context, string) (Stream, error) {
					near, far := net.Pipe()
					go tt.act(far)
					return near, nil
				})
				begin := time.Now()
				got, err := statusOf(t, t.Context(), c, "POST", tt.body)
				if passed := time.Since(begin); got != tt.want || err != nil || passed != tt.last {
					t.Errorf("answered by %q, %v after %v, expected %q after %v", got, err, passed, tt.want, tt.last)
				}
			})
		})
	}
}

// TestInputFails: a request body that cannot be read is no fault of the backend's.
func TestInputFails(t *testing.T) {
	lost := errors.New("the disk is gone")
	for _, tt := range []struct {
		name string
		in   io.Reader
		want error
	}{
		{"in the middle", io.MultiReader(strings.NewReader("bo"), iotest.ErrReader(lost)), lost},
		{"ends early", strings.NewReader("bo"), io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dialled(t, "a", func(context.Context, string) (Stream, error) {
				near, far := net.Pipe()
				go io.Copy(io.Discard, far)
				return near, nil
			})
			environ := wsgi.EnvironFromMap(map[string]any{
				"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "4", "wsgi.input": wsgi.NewInput(tt.in), "wsgi.errors": wsgi.NewErrors(io.Discard),
			})
			_, err := c.Call(environ, func(status string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
				t.Errorf("answered by %s, expected an error for the gateway", status)
				return nil, nil
			})
			if !errors.Is(err, tt.want) {
				t.Errorf("got the error %v, expected %v", err, tt.want)
			}
			if a := c.Group.backends[0]; a.failures != 0 || a.active != 0 {
				t.Errorf("the backend has failed %d times and has %d requests, expected none", a.failures, a.active)
			}
		})
	}
}

// TestSilent: within a response a backend may take its time for each piece, and not
// for ever.
func TestSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pause = 40 * time.Second
		c := dialled(t, "a", func(context.Context, string) (Stream, error) {
			near, far := net.Pipe()
			go func() {
				io.ReadFull(far, make([]byte, len("request")))
				io.WriteString(far, "Status: 200 OK\r\n\r\nfirst")
				time.Sleep(pause)
				io.WriteString(far, "second")
			}()
			return near, nil
		})
		begin := time.Now()
		environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0", "wsgi.errors": wsgi.NewErrors(io.Discard)})
		body, err := c.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		text := ""
		for block, blockErr := range body.Blocks {
			text += string(block)
			err = blockErr
		}
		body.Close()
		if passed := time.Since(begin); text != "firstsecond" || !errors.Is(err, os.ErrDeadlineExceeded) || passed != pause+defaultReadTimeout {
			t.Errorf("got %q and %v after %v, expected the two pieces, and %v after %v", text, err, passed, os.ErrDeadlineExceeded, pause+defaultReadTimeout)
		}
	})
}
