package main

import (
	"net"
	"strings"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// backendTarget returns the target that arg names when it is a backend, to
// which requests are forwarded. ok is false when it is something else.
func backendTarget(arg string) (t target, ok bool, err error) {
	if path, ok := strings.CutPrefix(arg, "cgi:"); ok {
		if path == "" {
			return target{}, true, usagef("TARGET is %q, expected the path of a program after cgi:", arg)
		}
		return forwardTo(arg, &cgi.Client{Path: path}), true, nil
	}
	scheme, rest, ok := strings.Cut(arg, "://")
	if !ok {
		return target{}, false, nil
	}
	network, addrs, err := backendAddrs(arg, strings.TrimSuffix(rest, "/"))
	if err != nil {
		return target{}, true, err
	}
	switch scheme {
	case "uwsgi":
		return forwardTo(arg, &uwsgi.Client{Network: network, Addr: addrs[0], Addrs: addrs[1:]}), true, nil
	case "fcgi":
		return forwardTo(arg, &fastcgi.Client{Network: network, Addr: addrs[0], Addrs: addrs[1:]}), true, nil
	case "scgi":
		return forwardTo(arg, &scgi.Client{Network: network, Addr: addrs[0], Addrs: addrs[1:]}), true, nil
	case "http":
		return forwardTo(arg, &nethttp.Client{Network: network, Addr: addrs[0], Addrs: addrs[1:]}), true, nil
	}
	return target{}, true, usagef("TARGET is %q, but %s:// is unknown, expected http://, fcgi://, scgi:// or uwsgi://", arg, scheme)
}

// backendAddrs reads HOST:PORT or unix:PATH, or several of them with commas in
// between.
func backendAddrs(arg, list string) (network string, addrs []string, err error) {
	for item := range strings.SplitSeq(list, ",") {
		path, isUnix := strings.CutPrefix(item, "unix:")
		its := "tcp"
		if isUnix {
			its, item = "unix", path
		} else if host, port, err := net.SplitHostPort(item); err != nil || host == "" || port == "" || strings.Contains(item, "/") {
			return "", nil, usagef("TARGET is %q, expected HOST:PORT or unix:PATH behind the scheme, and no path", arg)
		}
		if item == "" || network != "" && network != its {
			return "", nil, usagef("TARGET is %q, expected HOST:PORT or unix:PATH behind the scheme, and several to be of one kind", arg)
		}
		network, addrs = its, append(addrs, item)
	}
	return network, addrs, nil
}

// forwardTo is the target of a client.
func forwardTo(arg string, app wsgi.Application) target {
	return target{name: arg, title: "requests for " + arg, open: func(*config, *server.Server) (wsgi.Application, func() error, error) {
		return app, func() error {
			if idle, ok := app.(interface{ CloseIdleConnections() }); ok {
				idle.CloseIdleConnections()
			}
			return nil
		}, nil
	}}
}
