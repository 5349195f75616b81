package middleware_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/wsgi"
)

func TestMain(m *testing.M) { sandwich.Main(m, everything) }

// Every middleware works on every server as it does in memory.
func TestLive(t *testing.T) {
	for name := range everything() {
		t.Run(name, func(t *testing.T) {
			sandwich.Live(t, func() wsgi.Middleware { return everything()[name] })
		})
	}
}

// TestLiveCGI is TestLive for CGI, where each request has a process.
func TestLiveCGI(t *testing.T) { sandwich.LiveCGI(t, everything) }
