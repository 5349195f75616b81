package adaptertest

import (
	"io"
	"testing"

	"github.com/gowsgi/gowsgi/internal/backend"
)

// Benchmark is a small request with a small response over a Unix socket, with
// the connection that it takes, as seen by one client that waits for each. The
// client's part is included.
func (s Subject) Benchmark(b *testing.B) {
	addr := Serve(b, s.New(backend.Options{App: respond("Hello, world!\n"), Logger: Silent}), "unix")
	raw := append(Request(s.Protocol, "HTTP_HOST", "h", "HTTP_ACCEPT", "*/*", "HTTP_USER_AGENT", "bench", "REMOTE_ADDR", "127.0.0.1",
		"REMOTE_PORT", "1234", "QUERY_STRING", "", "REQUEST_SCHEME", "http", "GATEWAY_INTERFACE", "CGI/1.1"), Body(s.Protocol, "")...)
	answer := make([]byte, 4096)
	b.ReportAllocs()
	for b.Loop() {
		c := Dial(b, addr)
		if _, err := c.Write(raw); err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := c.Read(answer); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
		c.Close()
	}
}
