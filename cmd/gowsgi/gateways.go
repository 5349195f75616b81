package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// protocolServer is the server of one protocol.
type protocolServer interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// gateway returns the server of app over a gateway protocol, with the options of s.
func (c *config) gateway(scheme string, s *server.Server, app wsgi.Application) protocolServer {
	switch scheme {
	case "fcgi":
		return &fastcgi.Server{
			App: app, ScriptName: c.scriptName, Environ: s.Environ, Peers: c.peers,
			ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.IdleTimeout,
			MaxHeaderBytes: s.MaxHeaderBytes, MaxBodyBytes: s.MaxBodyBytes, SingleThread: s.SingleThread,
			Debug: s.Debug, Logger: s.Logger,
		}
	case "scgi":
		return &scgi.Server{
			App: app, ScriptName: c.scriptName, Environ: s.Environ, Peers: c.peers,
			ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
			MaxHeaderBytes: s.MaxHeaderBytes, MaxBodyBytes: s.MaxBodyBytes, SingleThread: s.SingleThread,
			Debug: s.Debug, Errors: s.Errors, Logger: s.Logger,
		}
	}
	return &uwsgi.Server{
		App: app, ScriptName: c.scriptName, Environ: s.Environ, Peers: c.peers,
		ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
		MaxHeaderBytes: s.MaxHeaderBytes, MaxBodyBytes: s.MaxBodyBytes, SingleThread: s.SingleThread,
		Debug: s.Debug, Errors: s.Errors, Logger: s.Logger,
	}
}

// servers returns a server for each protocol that is listened for.
func (c *config) servers(s *server.Server, listeners []listener) (map[string]protocolServer, error) {
	servers := make(map[string]protocolServer)
	app := s.App
	for _, l := range listeners {
		switch {
		case servers[l.scheme] != nil:
		case l.scheme == "http":
			s.App = c.withProxies(app)
			servers[l.scheme] = s
		default:
			servers[l.scheme] = c.gateway(l.scheme, s, app)
		}
	}
	if c.singleThread && len(servers) > 1 {
		return nil, usagef("--single-thread is for one protocol: requests of different protocols do not wait for each other")
	}
	return servers, nil
}

// run serves all listeners until it is told to stop, as server.Server.Run does
// for HTTP.
func (c *config) run(ctx context.Context, s *server.Server, listeners []listener) error {
	servers, err := c.servers(s, listeners)
	if err != nil {
		closeAll(listeners)
		return err
	}
	signals := make(chan os.Signal, 2)
	failed := make(chan error, len(listeners))
	for _, l := range listeners {
		s.Logger.InfoContext(ctx, "listening", "address", c.logAddress(l))
		go func() { failed <- servers[l.scheme].Serve(l.Listener) }()
	}
	running := len(listeners)
	select {
	case err = <-failed:
		running--
	case <-ctx.Done():
		signal.Notify(signals, os.Interrupt, syscall.SIGTERM) // for the second
		defer signal.Stop(signals)
		s.Logger.InfoContext(ctx, "stopping", "reason", context.Cause(ctx).Error())
	}
	stopErr := c.drain(servers, signals)
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

// drain waits for the running responses, and cuts those that take too long.
func (c *config) drain(servers map[string]protocolServer, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if c.shutdownTimeout > 0 {
		timer := time.AfterFunc(c.shutdownTimeout, cancel)
		defer timer.Stop()
	}
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	ended := make(chan error)
	for _, s := range servers {
		go func() {
			err := s.Shutdown(ctx)
			if err != nil {
				s.Close()
			}
			ended <- err
		}()
	}
	cut := false
	for range servers {
		if <-ended != nil {
			cut = true
		}
	}
	if cut {
		return errors.New("server: responses that did not finish in time were cut")
	}
	return nil
}

// logAddress is what the log names l.
func (c *config) logAddress(l listener) string {
	switch {
	case l.scheme != "http":
		return gatewayURL(l)
	case l.Addr().Network() == "unix":
		return "unix:" + l.Addr().String()
	case c.tlsCert != "":
		return "https://" + l.Addr().String() + "/"
	}
	return "http://" + l.Addr().String() + "/"
}

// gatewayURL is an address of a gateway protocol as --listen and TARGET take
// it.
func gatewayURL(l listener) string {
	if l.Addr().Network() == "unix" {
		return l.scheme + "://unix:" + l.Addr().String()
	}
	return l.scheme + "://" + l.Addr().String()
}
