package adaptertest

import (
	"io"
	"net"
	"runtime"
	"testing"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Most that a request or a response may cost in memory besides what came of it:
// buffers, goroutines, and what the test itself takes. The race detector has pools
// lose a part of what they are given, so that buffers of 32 and 8 KiB are often
// made anew; a record of FastCGI that is believed costs 64 KiB more.
const besides = 60 << 10

// allocated returns how many bytes a call of f allocates, of many.
func allocated(f func()) uint64 {
	const calls = 50
	f() // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range calls {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / calls
}

// Lies sends what promises much more than comes, and looks at what that costs
// the server in memory. The beginnings of requests are by name.
func (s Subject) Lies(t *testing.T, requests map[string][]byte) {
	addr := s.start(t, backend.Options{MaxHeaderBytes: 1 << 30, MaxBodyBytes: -1}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		io.Copy(io.Discard, environ.Input())
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	})
	for name, raw := range requests {
		got := allocated(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.Write(raw)
			c.(*net.TCPConn).CloseWrite()
			io.Copy(io.Discard, c)
		})
		if limit := uint64(len(raw) + besides); got > limit {
			t.Errorf("%s: %d bytes cost %d bytes of memory, expected at most %d", name, len(raw), got, limit)
		}
	}
}

// Lies lets a backend begin responses that promise much more than comes, and
// looks at what that costs the client in memory.
func (c Client) Lies(t *testing.T, responses map[string][]byte) {
	for name, raw := range responses {
		addr := Hostile(t, func(conn net.Conn) {
			conn.Read(make([]byte, 4<<10))
			conn.Write(raw)
		})
		app := c.New(forward.Options{Addrs: []string{addr}, Logger: Silent, MaxHeaderBytes: 1 << 30})
		got := allocated(func() {
			environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "wsgi.errors": wsgi.NewErrors(io.Discard)})
			body, err := app.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			for range body.Blocks {
			}
			body.Close()
		})
		if limit := uint64(len(raw) + besides); got > limit {
			t.Errorf("%s: %d bytes cost %d bytes of memory, expected at most %d", name, len(raw), got, limit)
		}
	}
}
