package backend

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gowsgi/gowsgi/internal/lifecycle"
)

// Run is the method Run of the Server of each adapter: it serves the given
// listeners; without any, the sockets that systemd has passed; without those, the
// socket of inherited, if that is not nil and has one; and without that, addr. name
// is the package of the adapter, and scheme that of its addresses.
func (s *Server) Run(ctx context.Context, name, scheme string, listeners []net.Listener, addr string, inherited func() (net.Listener, error)) error {
	listeners, err := lifecycle.Listeners(listeners, "")
	if err != nil {
		return err
	}
	var none error
	if len(listeners) == 0 && inherited != nil {
		socket, err := inherited()
		if none = err; err == nil {
			listeners = append(listeners, socket)
		}
	}
	if len(listeners) == 0 {
		if addr == "" {
			return errors.Join(fmt.Errorf("%s: there is nowhere to listen, expected a listener, a socket from systemd, or Addr", name), none)
		}
		l, err := lifecycle.Listen(addr)
		if err != nil {
			return err
		}
		listeners = append(listeners, l)
	}
	stop := lifecycle.Watch(ctx)
	defer stop.End()
	var served []lifecycle.Listener
	for _, l := range listeners {
		served = append(served, lifecycle.Listener{Listener: l, Server: s, Scheme: scheme})
	}
	return lifecycle.Run(stop, lifecycle.Options{Package: name, Timeout: s.ShutdownTimeout, Logger: s.Logger}, served)
}
