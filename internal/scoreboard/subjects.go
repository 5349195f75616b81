package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/launch"
	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A subject is a server on the scoreboard.
type subject struct {
	name    string
	started string // how, in one line
	check   func(ctx context.Context) (conformance.Report, error)
}

// suite is how all of them are checked. It is lenient, for the page accuses:
// where PEP 3333 can be read in more than one way, another reading than ours
// is a difference, and not a fault.
var suite = conformance.Suite{Lenient: true}

// ownVersion is the version of what is in this module: a page that is part of
// a commit cannot name it.
const ownVersion = "this tree"

// subjects returns our own servers and then those that package launch knows,
// in its order.
func subjects() []subject {
	all := []subject{
		own("gowsgi", "package server of this module", "", serveServer),
		own("gowsgi h2c", "the same, over HTTP/2", "h2c", serveServer),
		own("gowsgi in net/http", "server.Handler in a server of net/http", "", serveHandler),
		own("gowsgi fastcgi", "package adapters/fastcgi", "fastcgi", serveFastCGI),
		own("gowsgi scgi", "package adapters/scgi", "scgi", serveSCGI),
		own("gowsgi uwsgi", "package adapters/uwsgi", "uwsgi", serveUWSGI),
	}
	for _, preset := range launch.Presets() {
		if preset.Name == all[0].name {
			continue // which is ours
		}
		all = append(all, subject{preset.Name, preset.Summary, func(ctx context.Context) (conformance.Report, error) {
			return launch.Check(ctx, suite, preset.Name, launch.Options{Python: systemPython()})
		}})
	}
	return all
}

// systemPython returns the interpreter of the system, where its packages are,
// and "" where there is none: who has others first on the PATH gets the same
// page.
func systemPython() string {
	const path = "/usr/bin/python3"
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// serving serves app at the listener until it is closed, and logs to the logger.
type serving func(l net.Listener, app wsgi.Application, log *slog.Logger) (stop func() error)

// own is a server of this module, which speaks protocol, checked in this
// process.
func own(name, started, protocol string, serve serving) subject {
	return subject{name, started, func(ctx context.Context) (conformance.Report, error) {
		suite := suite
		log := new(testlog.Log)
		suite.Protocol, suite.Log = protocol, log.Bytes
		stop := func() error { return nil }
		r, err := suite.CheckServer(ctx, func(app wsgi.Application) (network, addr string, err error) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return "", "", err
			}
			stop = serve(l, app, slog.New(slog.NewTextHandler(log, nil)))
			return "tcp", l.Addr().String(), nil
		})
		err = errors.Join(err, stop())
		r.Subject, r.Version = name, ownVersion
		return r, err
	}}
}

func serveServer(l net.Listener, app wsgi.Application, log *slog.Logger) func() error {
	return until(l, &server.Server{App: app, Logger: log})
}

func serveFastCGI(l net.Listener, app wsgi.Application, log *slog.Logger) func() error {
	return until(l, &fastcgi.Server{App: app, Logger: log})
}

func serveSCGI(l net.Listener, app wsgi.Application, log *slog.Logger) func() error {
	return until(l, &scgi.Server{App: app, Logger: log})
}

func serveUWSGI(l net.Listener, app wsgi.Application, log *slog.Logger) func() error {
	return until(l, &uwsgi.Server{App: app, Logger: log})
}

// until serves at the listener until it is told to stop.
func until(l net.Listener, s interface {
	Serve(net.Listener) error
	Close() error
}) (stop func() error) {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	return func() error {
		s.Close() // and not Shutdown: probes leave connections behind
		return ended(<-done)
	}
}

func serveHandler(l net.Listener, app wsgi.Application, log *slog.Logger) func() error {
	return until(l, &http.Server{Handler: (&server.Server{App: app, Logger: log}).Handler(), ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError)})
}

// ended returns the error of a server that was told to stop.
func ended(err error) error {
	if err == nil || errors.Is(err, http.ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return fmt.Errorf("the server ended: %w", err)
}
