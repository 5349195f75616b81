package adaptertest

import (
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Conformance runs the suite for servers through a front end, over TCP and
// over a Unix socket.
func (s Subject) Conformance(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			Leaks(t)
			conformance.Suite{Protocol: s.Protocol}.TestServer(t, func(t testing.TB, app wsgi.Application) (string, string) {
				return network, Serve(t, s.New(backend.Options{App: app, Logger: Silent}), network)
			})
		})
	}
}
