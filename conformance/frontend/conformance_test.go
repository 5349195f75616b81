package frontend_test

import (
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

var silent = slog.New(slog.NewTextHandler(io.Discard, nil))

func TestAdapters(t *testing.T) {
	for protocol, serve := range map[string]func(net.Listener, wsgi.Application) error{
		"fastcgi": func(l net.Listener, app wsgi.Application) error {
			return (&fastcgi.Server{App: app, Logger: silent}).Serve(l)
		},
		"scgi": func(l net.Listener, app wsgi.Application) error {
			return (&scgi.Server{App: app, Logger: silent}).Serve(l)
		},
		"uwsgi": func(l net.Listener, app wsgi.Application) error {
			return (&uwsgi.Server{App: app, Logger: silent}).Serve(l)
		},
		"h2c": func(l net.Listener, app wsgi.Application) error {
			return (&server.Server{App: app, Logger: silent}).Serve(l)
		},
	} {
		t.Run(protocol, func(t *testing.T) {
			conformance.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				go serve(l, app)
				f, err := frontend.Listen(protocol, "tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				return "tcp", f.Addr().String()
			})
		})
	}
}
