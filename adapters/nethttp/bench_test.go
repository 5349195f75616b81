package nethttp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/server"
)

// nullWriter is a ResponseWriter that costs nothing.
type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) WriteHeader(int)             {}
func (w *nullWriter) Write(p []byte) (int, error) { return len(p), nil }
func (w *nullWriter) FlushError() error           { return nil }

// BenchmarkHandler is what a round trip through the contract adds to a handler:
// net/http's request in, the handler, net/http's response out.
func BenchmarkHandler(b *testing.B) {
	hello := []byte("Hello, world!\n")
	block := make([]byte, 32<<10)
	for _, bench := range []struct {
		name string
		h    http.HandlerFunc
	}{
		{"hello", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			w.Write(hello)
		}},
		{"flush", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for range 10 {
				w.Write(hello)
				w.(interface{ FlushError() error }).FlushError()
			}
		}},
		{"1MiB", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			for range 32 {
				w.Write(block)
			}
		}},
	} {
		for _, side := range []struct {
			name string
			h    http.Handler
		}{{"raw", bench.h}, {"wsgi", server.Handler(nethttp.Application(bench.h))}} {
			b.Run(bench.name+"/"+side.name, func(b *testing.B) {
				b.ReportAllocs()
				r := httptest.NewRequest("GET", "/", nil).WithContext(context.Background())
				w := &nullWriter{http.Header{}}
				for b.Loop() {
					clear(w.header)
					side.h.ServeHTTP(w, r)
				}
			})
		}
	}
}
