package nethttp

import (
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
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

// TestClientInventsNothing sends a response without a Content-Type through the
// proxy often: whether its first block or the timer that flushes its head came
// first was by chance, and net/http's handlers have a type guessed in one case.
func TestClientInventsNothing(t *testing.T) { // HDR-21
	addr := adaptertest.Serve(t, &server.Server{Logger: adaptertest.Silent, App: wsgi.AppFunc(
		func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := startResponse("200 OK", nil, nil)
			return wsgi.Strings("<html>"), err
		})}, "tcp")
	client := &Client{Addr: addr, Logger: adaptertest.Silent}
	defer client.CloseIdleConnections()
	for range 100 {
		response := wsgitest.Do(t, client, wsgitest.NewRequest("GET", "/"))
		if got := response.Headers.Get("Content-Type"); got != "" || response.Status != "200 OK" {
			t.Fatalf("status %q and Content-Type %q, expected 200 OK and none", response.Status, got)
		}
	}
}
