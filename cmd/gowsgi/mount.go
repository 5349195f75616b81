package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// mounted is a TARGET below a path.
type mounted struct {
	prefix string
	target target
}

func (c *config) addMount(s string) error {
	prefix, name, ok := strings.Cut(s, "=")
	if !ok || len(prefix) < 2 || prefix[0] != '/' || strings.HasSuffix(prefix, "/") {
		return errors.New("expected PATH=TARGET, where PATH begins with a slash and does not end in one")
	}
	if slices.ContainsFunc(c.mounts, func(m mounted) bool { return m.prefix == prefix }) {
		return fmt.Errorf("but something is mounted at %s already", prefix)
	}
	t, err := findTarget([]string{name})
	if err != nil {
		return err
	}
	c.mounts = append(c.mounts, mounted{prefix, t})
	return nil
}

// withProxies takes the client from the headers of --forwarded-allow-ips, for
// everything inside, the access log too. It is for HTTP: over other protocols the
// address is that of the client already, who would be taken for a proxy.
func (c *config) withProxies(app wsgi.Application) wsgi.Application {
	proxy := middleware.ProxyFixConfig{For: 1, Proto: 1, Trusted: c.proxies}
	switch {
	case c.anyProxy:
		// As networks, they would make a proxy of whomever the client names in
		// X-Forwarded-For. So it is the last value that counts.
		proxy.Trusted = nil
	case len(c.proxies) == 0:
		return app
	}
	return middleware.ProxyFix(proxy)(app)
}

// withMounts puts the targets of --mount before app. The longest path wins,
// whichever option came first.
func (c *config) withMounts(app wsgi.Application, s *server.Server) (wsgi.Application, func() error, error) {
	var closers []func() error
	closeAll := func() (err error) {
		for _, c := range closers {
			err = errors.Join(err, c())
		}
		return err
	}
	slices.SortStableFunc(c.mounts, func(a, b mounted) int { return len(a.prefix) - len(b.prefix) })
	for _, m := range c.mounts { // the last is outermost
		before := len(c.pools)
		inner, closeInner, err := m.target.open(c, s)
		if err != nil {
			return nil, nil, errors.Join(err, closeAll())
		}
		closers = append(closers, closeInner)
		for _, h := range c.pools[before:] {
			h.mount = m.prefix
		}
		app = middleware.Mount(m.prefix, inner)(app)
	}
	return app, closeAll, nil
}
