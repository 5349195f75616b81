package main

import (
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/internal/lifecycle"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// protocolServer is the server of one protocol.
type protocolServer interface {
	lifecycle.Server
	Connections() int
}

// gateway returns the server of app over a gateway protocol, with the options of s.
func (c *config) gateway(scheme string, s *server.Server, app wsgi.Application) protocolServer {
	log := s.Logger
	if c.admin != nil {
		log = c.admin.counting(scheme, c.admin.log)
	}
	switch scheme {
	case "fcgi":
		return &fastcgi.Server{
			App: app, ScriptName: c.scriptName, Environ: s.Environ, Peers: c.peers,
			ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout, IdleTimeout: s.IdleTimeout,
			MaxHeaderBytes: s.MaxHeaderBytes, MaxBodyBytes: s.MaxBodyBytes, SingleThread: s.SingleThread, Multiprocess: s.Multiprocess,
			Debug: s.Debug, Logger: log,
		}
	case "scgi":
		return &scgi.Server{
			App: app, ScriptName: c.scriptName, Environ: s.Environ, Peers: c.peers,
			ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
			MaxHeaderBytes: s.MaxHeaderBytes, MaxBodyBytes: s.MaxBodyBytes, SingleThread: s.SingleThread, Multiprocess: s.Multiprocess,
			Debug: s.Debug, Errors: s.Errors, Logger: log,
		}
	}
	return &uwsgi.Server{
		App: app, ScriptName: c.scriptName, Environ: s.Environ, Peers: c.peers,
		ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
		MaxHeaderBytes: s.MaxHeaderBytes, MaxBodyBytes: s.MaxBodyBytes, SingleThread: s.SingleThread, Multiprocess: s.Multiprocess,
		Debug: s.Debug, Errors: s.Errors, Logger: log,
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
			s.App = c.admin.observed(l.scheme, c.withProxies(app))
			servers[l.scheme] = s
		default:
			servers[l.scheme] = c.gateway(l.scheme, s, c.admin.observed(l.scheme, app))
		}
	}
	if c.singleThread && len(servers) > 1 {
		return nil, usagef("--single-thread is for one protocol: requests of different protocols do not wait for each other")
	}
	return servers, nil
}

// run serves all listeners until it is told to stop, as server.Server.Run does
// for HTTP.
func (c *config) run(s *server.Server, listeners []listener) error {
	servers, err := c.servers(s, listeners)
	if err != nil {
		closeAll(listeners)
		return err
	}
	var served []lifecycle.Listener
	for _, l := range listeners {
		served = append(served, lifecycle.Listener{Listener: l.Listener, Server: servers[l.scheme], Scheme: c.scheme(l)})
	}
	if c.admin != nil {
		c.admin.open.Store(&opened{c.pools, servers})
	}
	c.succession.takeOver()
	return lifecycle.Run(c.stop, lifecycle.Options{
		Package: "server", Delay: c.shutdownDelay, Timeout: c.shutdownTimeout, Logger: s.Logger,
	}, served)
}

// scheme is what the address of l begins with.
func (c *config) scheme(l listener) string {
	if l.scheme == "http" && c.tlsCert != "" {
		return "https"
	}
	return l.scheme
}
