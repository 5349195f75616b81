package middleware

import (
	"fmt"
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// AllowedHostsConfig holds the choices of AllowedHosts.
type AllowedHostsConfig struct {
	// Hosts are the names and addresses by which the site is reached, without a
	// port: "example.org", "*.example.org" for every name below it and not for
	// itself, "2001:db8::1". None means localhost, 127.0.0.1 and ::1.
	Hosts []string
}

// Validate returns what AllowedHosts would panic with.
func (c AllowedHostsConfig) Validate() error {
	_, err := parseHosts("AllowedHosts", c.Hosts)
	return err
}

// allowedHostKey is the variable that tells that the Host was looked at.
const allowedHostKey = "gowsgi.allowed_host"

// AllowedHosts returns a middleware that answers 400 to requests whose Host is
// not that of the site; the others go on to the application, whose status,
// headers and body stay as they are.
//
// Hosts are compared without the port, in any case of letters, with or without a
// dot at the end, and addresses of IPv6 in any form. A request without a Host,
// as HTTP/1.0 has it, is for SERVER_NAME. Hosts that cannot be one panic.
//
// Security: whatever builds a URL, a redirect, a link in a mail, out of the Host
// trusts what the client says. This is what makes it safe to, and so it is put
// outside of all these, and inside ProxyFix. The port is not looked at.
func AllowedHosts(c AllowedHostsConfig) wsgi.Middleware {
	hosts, err := parseHosts("AllowedHosts", c.Hosts)
	if err != nil {
		panic(err.Error())
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			name, _, ok := requestHost(environ)
			if !ok || !hosts.has(name) {
				return wrongHost.Call(environ, start)
			}
			environ = environ.Clone()
			environ.Set(allowedHostKey, name)
			return next.Call(environ, start)
		})
	}
}

var wrongHost = &HTTPError{Code: 400, Detail: "This is not the host of this site."}

// hostSet is a set of hosts.
type hostSet struct {
	exact    map[string]bool
	suffixes []string
}

var localHosts = []string{"localhost", "127.0.0.1", "::1"}

func parseHosts(constructor string, patterns []string) (*hostSet, error) {
	if len(patterns) == 0 {
		patterns = localHosts
	}
	s := &hostSet{exact: map[string]bool{}}
	for _, pattern := range patterns {
		host, err := parseHostPattern(pattern)
		if err != nil {
			return nil, fmt.Errorf("middleware: %s: %w", constructor, err)
		}
		if host[0] == '.' {
			s.suffixes = append(s.suffixes, host)
		} else {
			s.exact[host] = true
		}
	}
	return s, nil
}

// has reports whether name, as parseHost returns it, is in the set.
func (s *hostSet) has(name string) bool {
	return s.exact[name] || slices.ContainsFunc(s.suffixes, func(suffix string) bool { return underDomain(name, suffix) })
}
