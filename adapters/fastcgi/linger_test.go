package fastcgi

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// pipes is a listener in memory: a connection of net.Pipe, and then none.
type pipes struct {
	conns  chan net.Conn
	closed context.Context
	close  context.CancelFunc // may be called twice
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed.Done():
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.close(); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// TestLinger: a web server that sends a body slowly, of a request that is answered
// already, is listened to: else a reset would take the place of the answer.
func TestLinger(t *testing.T) {
	const pause, all = 5 * time.Second, 30 * time.Second
	early := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if environ.Var("CONTENT_LENGTH") == "1000" {
			time.Sleep(time.Second) // in which all of it comes
		}
		return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("early")}.Call(environ, start)
	})
	piece := fcgi.AppendRecord(nil, fcgi.Stdin, 1, make([]byte, 1000))
	whole := fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1)
	asked := [][]byte{ask(1, 0, "CONTENT_LENGTH", "1000000")}
	refused := [][]byte{ask(1, 0, "CONTENT_LENGTH", "many")}
	for _, tt := range []struct {
		name   string
		ask    [][]byte // each when the one before is answered
		code   int
		pause  time.Duration // of the web server, between two pieces
		pieces int
		last   []byte        // what it sends then
		stop   time.Duration // after so long the server is stopped
		want   time.Duration // until the connection is closed
	}{
		{"done", [][]byte{slices.Concat(ask(1, 0, "CONTENT_LENGTH", "1000"), piece, whole)}, 200, 0, 0, nil, time.Hour, time.Second},
		{"silent", asked, 200, 0, 0, nil, time.Hour, pause},
		{"slow", asked, 200, 4 * time.Second, 6, whole, time.Hour, 24 * time.Second},
		{"slow, and refused", refused, 400, 4 * time.Second, 6, whole, time.Hour, 24 * time.Second},
		{"without an end", asked, 200, 4 * time.Second, 1000, nil, time.Hour, all},
		{"slow, and the server is stopped", asked, 200, time.Second, 4, whole, 2 * time.Second, 4 * time.Second},
		{"refused, and the server is stopped", refused, 400, time.Second, 4, whole, 2 * time.Second, 4 * time.Second},
		{"without an end, and the server is stopped", asked, 200, 4 * time.Second, 1000, nil, 2 * time.Second, 2*time.Second + pause},
		{"of a role that is not played", [][]byte{slices.Concat(ask(1, fcgi.KeepConn), stdinOf(1, "")), fcgi.AppendBegin(nil, 1, fcgi.Filter, 0)},
			200, time.Second, 4, whole, time.Hour, 4 * time.Second},
		{"on a connection that could be kept", [][]byte{ask(1, fcgi.KeepConn, "CONTENT_LENGTH", "1000000")}, 200, time.Second, 4, whole, time.Hour, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &Server{App: early, IdleTimeout: time.Minute, Logger: adaptertest.Silent}
				l := &pipes{conns: make(chan net.Conn)}
				l.closed, l.close = context.WithCancel(t.Context())
				served := make(chan error, 1)
				go func() { served <- s.Serve(l) }()
				near, far := net.Pipe()
				l.conns <- near
				answer := make(chan adaptertest.Response, 1)
				var closed time.Time
				go func() {
					r := adaptertest.Receive("fastcgi", far) // to the end of the connection
					closed = time.Now()
					answer <- r
				}()
				for _, b := range tt.ask {
					far.Write(b)
					synctest.Wait()
				}
				begin := time.Now()
				stop := time.AfterFunc(tt.stop, func() {
					if err := s.Shutdown(context.Background()); err != nil {
						t.Errorf("Shutdown: %v", err)
					}
				})
				defer stop.Stop()
				for range tt.pieces {
					time.Sleep(tt.pause)
					if _, err := far.Write(piece); err != nil {
						break
					}
				}
				far.Write(tt.last)
				if r := <-answer; r.Code != tt.code || !r.Ended {
					t.Errorf("answered by %v, expected %d", r, tt.code)
				}
				if passed := closed.Sub(begin); passed != tt.want {
					t.Errorf("the connection is closed after %v, expected %v", passed, tt.want)
				}
				s.Close()
				<-served
			})
		})
	}
}
