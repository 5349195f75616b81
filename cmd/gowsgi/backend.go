package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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
		return cgiTarget(arg, path), true, nil
	}
	scheme, rest, ok := strings.Cut(arg, "://")
	if !ok {
		return target{}, false, nil
	}
	network, addrs, err := backendAddrs(arg, strings.TrimSuffix(rest, "/"))
	if err != nil {
		return target{}, true, err
	}
	first, others := addrs[0], addrs[1:]
	switch scheme {
	case "uwsgi":
		return forwardTo(arg, func(most int) wsgi.Application {
			return &uwsgi.Client{Network: network, Addr: first, Addrs: others, MaxConns: most}
		}), true, nil
	case "fcgi":
		return forwardTo(arg, func(most int) wsgi.Application {
			return &fastcgi.Client{Network: network, Addr: first, Addrs: others, MaxConns: most}
		}), true, nil
	case "scgi":
		return forwardTo(arg, func(most int) wsgi.Application {
			return &scgi.Client{Network: network, Addr: first, Addrs: others, MaxConns: most}
		}), true, nil
	case "http":
		return forwardTo(arg, func(most int) wsgi.Application {
			return &nethttp.Client{Network: network, Addr: first, Addrs: others, MaxConns: most}
		}), true, nil
	}
	return target{}, true, usagef("TARGET is %q, but %s:// is unknown, expected http://, fcgi://, scgi:// or uwsgi://", arg, scheme)
}

// cgiTarget is the target of a CGI program, which must be there and runnable:
// found missing by the first request, it would be a 502.
func cgiTarget(arg, path string) target {
	return target{name: arg, title: "requests for " + arg, open: func(c *config, _ *server.Server) (wsgi.Application, func() error, error) {
		full, err := filepath.Abs(path) // or the program would be looked for on the PATH
		if err == nil {
			_, err = exec.LookPath(full)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("TARGET is %q, expected a program that can be run: %w", arg, cmp.Or(errors.Unwrap(err), err))
		}
		app := &cgi.Client{Path: path, MaxProcesses: c.maxConns, Environ: c.programEnviron()}
		return app, func() error { return nil }, nil
	}}
}

// programEnviron is what a program that serves requests for us finds in its
// environment: the variables of --env, and before them those that --pass-env lets
// through. The rest of ours is nobody's business.
func (c *config) programEnviron() map[string]string {
	environ := make(map[string]string)
	for _, pair := range os.Environ() {
		key, val, _ := strings.Cut(pair, "=")
		if slices.Contains(c.passEnv, "*") || slices.Contains(c.passEnv, key) {
			environ[key] = val
		}
	}
	maps.Copy(environ, c.environ)
	return environ
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

// forwardTo is the target of a client, which is made with the number of requests
// that may be under way at one backend, 0 for the default.
func forwardTo(arg string, client func(most int) wsgi.Application) target {
	return target{name: arg, title: "requests for " + arg, open: func(c *config, _ *server.Server) (wsgi.Application, func() error, error) {
		app := client(c.maxConns)
		return app, func() error {
			if idle, ok := app.(interface{ CloseIdleConnections() }); ok {
				idle.CloseIdleConnections()
			}
			return nil
		}, nil
	}}
}
