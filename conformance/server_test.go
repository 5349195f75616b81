package conformance_test

import (
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// silent drops what the probe applications make the server report.
var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestServer(t *testing.T) {
	conformance.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &server.Server{App: app, Logger: silent}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		t.Cleanup(func() {
			s.Close()
			<-served
		})
		return l.Addr().Network(), l.Addr().String()
	})
}

// TestHandler puts the same application into the server of net/http.
func TestHandler(t *testing.T) {
	conformance.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		s := httptest.NewUnstartedServer(server.Handler(app))
		s.Config.ErrorLog = slog.NewLogLogger(silent.Handler(), slog.LevelError)
		s.Start()
		t.Cleanup(s.Close)
		return s.Listener.Addr().Network(), s.Listener.Addr().String()
	})
}
