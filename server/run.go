package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
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
	listeners, err := s.listeners(listeners)
	if err != nil {
		return err
	}
	signals := notify()

	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		s.logger().InfoContext(ctx, "listening", "address", s.url(l.Addr()))
		go func() { failed <- s.Serve(l) }()
	}
	running := len(listeners)
	select {
	case err = <-failed:
		running--
	case <-ctx.Done():
		// It may have been a signal that ended ctx (signal.NotifyContext): that
		// one is not the second. Once Stop has returned, none that came before
		// is still on its way to the old channel.
		old := signals
		signals = notify()
		signal.Stop(old)
		s.logger().InfoContext(ctx, "stopping", "reason", context.Cause(ctx).Error())
	case sig := <-signals:
		s.logger().InfoContext(ctx, "stopping", "reason", sig.String())
	}
	defer signal.Stop(signals)
	stopErr := s.drain(signals)
	for ; running > 0; running-- {
		if e := <-failed; err == nil {
			err = e
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, stopErr)
}

// notify returns a channel of the signals that tell the process to stop.
func notify() chan os.Signal {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	return signals
}

func (s *Server) listeners(given []net.Listener) ([]net.Listener, error) {
	if err := s.check(); err != nil || len(given) > 0 {
		return given, err
	}
	inherited, err := Inherited()
	if err != nil || len(inherited) > 0 {
		return inherited, err
	}
	l, err := Listen(s.addr())
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// drain waits for the running responses, and cuts those that take too long.
func (s *Server) drain(signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if timeout := limit(s.ShutdownTimeout, defaultShutdownTimeout); timeout > 0 {
		timer := time.AfterFunc(timeout, cancel)
		defer timer.Stop()
	}
	finished := make(chan struct{})
	defer close(finished)
	go func() {
		select {
		case <-signals:
			cancel()
		case <-finished:
		}
	}()
	if err := s.Shutdown(ctx); err != nil {
		s.Close()
		return errors.New("server: responses that did not finish in time were cut")
	}
	return nil
}

// url is an address as a person would type it.
func (s *Server) url(addr net.Addr) string {
	if addr.Network() == "unix" {
		return "unix:" + addr.String()
	}
	scheme := "http"
	if s.TLSConfig != nil {
		scheme = "https"
	}
	return scheme + "://" + addr.String() + "/"
}
