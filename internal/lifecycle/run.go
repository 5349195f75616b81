package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Server is the server of one protocol. Serve returns http.ErrServerClosed after
// Shutdown or Close.
type Server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// Listener is where a Server serves.
type Listener struct {
	net.Listener
	Server Server
	Scheme string // of its protocol: see Address
}

// Options say how Run stops.
type Options struct {
	Package string        // that errors begin with
	Delay   time.Duration // from being told to stop until nothing is accepted
	Timeout time.Duration // from then on until running responses are cut; 0 for never
	Logger  *slog.Logger
}

// Run serves the listeners until stop says so, or serving one of them fails. Then it
// lets running responses finish, in o.Timeout or until stop says that they are to be
// cut, and returns nil. An error means that serving failed, or that responses were
// cut. It logs each address.
func Run(stop *Stop, o Options, listeners []Listener) (err error) {
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		o.Logger.Info("listening", "address", Address(l.Scheme, l.Addr()))
		go func() { failed <- l.Server.Serve(l.Listener) }()
	}
	running := len(listeners)
	ended := func(e error) {
		running--
		if err == nil || errors.Is(err, http.ErrServerClosed) { // which may be of a Shutdown elsewhere
			err = e
		}
	}
	select {
	case e := <-failed:
		ended(e)
	case <-stop.Gently().Done():
		o.Logger.Info("stopping", "reason", context.Cause(stop.Gently()).Error())
		if o.Delay > 0 {
			patience := time.NewTimer(o.Delay)
			defer patience.Stop()
			select {
			case <-patience.C:
			case <-stop.Now().Done():
			case e := <-failed:
				ended(e)
			}
		}
	}
	stop.Within(o.Timeout)
	cut := drain(stop.Now(), listeners)
	for running > 0 {
		ended(<-failed)
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	if cut {
		return errors.Join(err, errors.New(o.Package+": responses that did not finish in time were cut"))
	}
	return err
}

// drain waits for the running responses, and cuts those that are left when now ends.
func drain(now context.Context, listeners []Listener) (cut bool) {
	servers := make(map[Server]bool)
	for _, l := range listeners {
		servers[l.Server] = true
	}
	ended := make(chan error)
	for s := range servers {
		go func() {
			err := s.Shutdown(now)
			if err != nil {
				s.Close()
			}
			ended <- err
		}()
	}
	for range servers {
		if <-ended != nil {
			cut = true
		}
	}
	return cut
}

// Address is addr as a person would type it, behind the scheme of a protocol.
func Address(scheme string, addr net.Addr) string {
	isHTTP := scheme == "http" || scheme == "https"
	switch isUnix := addr.Network() == "unix"; {
	case isHTTP && isUnix:
		return "unix:" + addr.String()
	case isHTTP:
		return scheme + "://" + addr.String() + "/"
	case isUnix:
		return scheme + "://unix:" + addr.String()
	}
	return scheme + "://" + addr.String()
}
