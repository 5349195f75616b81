package uwsgi

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

var clientSubject = adaptertest.Client{
	Protocol: "uwsgi",
	New:      func(o forward.Options) wsgi.Application { return adaptertest.SetClient(new(Client), o) },
	Serve: func(t testing.TB, app wsgi.Application, network string) string {
		return adaptertest.Serve(t, &Server{App: app, Logger: adaptertest.Silent}, network)
	},
}

func TestClient(t *testing.T) { clientSubject.Test(t) }

func TestClientFields(t *testing.T) {
	adaptertest.ClientFields(t, func(c *Client) (forward.Options, error) {
		made, err := c.forward()
		return made.Options, err
	})
}

func TestClientHostile(t *testing.T) { clientSubject.Hostile(t, adaptertest.Responses("uwsgi")) }
