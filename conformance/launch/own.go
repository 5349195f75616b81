package launch

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// checkOwn checks the server of this module, in this process.
func checkOwn(ctx context.Context, suite conformance.Suite) (report conformance.Report, err error) {
	log := new(printed)
	s := &server.Server{Logger: slog.New(slog.NewTextHandler(log, nil))}
	if suite.Log == nil {
		suite.Log = log.all
	}
	served := make(chan error, 1)
	report, err = suite.CheckServer(ctx, func(app wsgi.Application) (network, addr string, err error) {
		l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			return "", "", err
		}
		s.App = app
		go func() { served <- s.Serve(l) }()
		return l.Addr().Network(), l.Addr().String(), nil
	})
	if s.App != nil {
		s.Close()
		if end := <-served; end != http.ErrServerClosed && err == nil {
			err = end
		}
	}
	report.Subject, report.Version = "gowsgi", ownVersion()
	return report, err
}

// ownVersion is the version of this module in this program, and that of Go.
func ownVersion() string {
	const module = "github.com/gowsgi/gowsgi"
	version := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range append(info.Deps, &info.Main) {
			if m.Path == module && m.Version != "" {
				version = m.Version
			}
		}
	}
	return version + " (" + runtime.Version() + ")"
}
