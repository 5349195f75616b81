package server

import (
	"context"
	"net"

	"github.com/gowsgi/gowsgi/internal/lifecycle"
)

// Run serves until ctx ends or the process is told to stop by SIGINT or
// SIGTERM, then lets running responses finish, for ShutdownTimeout at the most
// or until a second signal, and returns nil. An error means that it could not
// listen, or that serving failed, or that responses had to be cut.
//
// It serves the given listeners; without any, the sockets that the process has
// inherited (see Inherited); without those, Addr. It logs each address that it
// listens on.
func (s *Server) Run(ctx context.Context, listeners ...net.Listener) error {
	if err := s.check(); err != nil {
		return err
	}
	listeners, err := lifecycle.Listeners(listeners, s.addr())
	if err != nil {
		return err
	}
	stop := lifecycle.Watch(ctx)
	defer stop.End()
	scheme := "http"
	if s.TLSConfig != nil {
		scheme = "https"
	}
	var served []lifecycle.Listener
	for _, l := range listeners {
		served = append(served, lifecycle.Listener{Listener: l, Server: s, Scheme: scheme})
	}
	return lifecycle.Run(stop, lifecycle.Options{
		Package: "server", Timeout: limit(s.ShutdownTimeout, defaultShutdownTimeout), Logger: s.logger(),
	}, served)
}
