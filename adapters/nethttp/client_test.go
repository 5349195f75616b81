package nethttp

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

var clientSubject = adaptertest.Client{
	Protocol: "http",
	New:      func(o forward.Options) wsgi.Application { return adaptertest.SetClient(new(Client), o) },
	Serve: func(t testing.TB, app wsgi.Application, network string) string {
		return adaptertest.Serve(t, &server.Server{App: app, Logger: adaptertest.Silent}, network)
	},
}

func TestClient(t *testing.T) { clientSubject.Test(t) }

func TestClientFields(t *testing.T) {
	adaptertest.ClientFields(t, func(c *Client) (forward.Options, error) {
		c.once.Do(c.init)
		return c.options, c.err
	})
}
