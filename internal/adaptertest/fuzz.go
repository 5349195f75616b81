package adaptertest

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// pipeListener accepts the one end of each pipe.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, errors.New("closed")
	}
}

func (l *pipeListener) Close() error {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// Fuzz sends anything to the server: it must come to an end, and what it calls
// the application with must be an environ.
func (s Subject) Fuzz(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "captures", "*.bin"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add(append(Request(s.Protocol, "CONTENT_LENGTH", "3"), Body(s.Protocol, "abc")...))
	l := &pipeListener{make(chan net.Conn), make(chan struct{})}
	server := s.New(backend.Options{Logger: Silent, MaxBodyBytes: 1 << 20, App: wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		for _, name := range []string{"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"} {
			if environ.Var(name) == "" {
				panic("the application was called without " + name)
			}
		}
		b, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(string(b))}.Call(environ, start)
	})})
	go server.Serve(l)
	f.Cleanup(func() { server.Close() })
	f.Fuzz(func(t *testing.T, raw []byte) {
		near, far := net.Pipe()
		l.conns <- far
		near.SetDeadline(time.Now().Add(Patience))
		done := make(chan []byte)
		go func() {
			answer, err := io.ReadAll(near)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("the connection does not end")
			}
			done <- answer
		}()
		near.Write(raw)
		near.Close()
		<-done
	})
}
