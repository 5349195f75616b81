package bridge_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

func TestPeers(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			conformance.Suite{Python: true}.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
				b, err := bridge.Listen(app)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { b.Close() })
				return p.start(t, b)
			})
		})
	}
}
