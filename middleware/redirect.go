package middleware

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// HTTPSRedirectConfig holds the choices of HTTPSRedirect.
type HTTPSRedirectConfig struct {
	// Hosts are those that a redirect may lead to, as for AllowedHosts. None are
	// needed inside an AllowedHosts.
	Hosts []string

	// Port is that of https; 0 means the standard one.
	Port uint16
}

// Validate returns what HTTPSRedirect would panic with.
func (c HTTPSRedirectConfig) Validate() error {
	_, err := parseHosts("HTTPSRedirect", c.Hosts)
	return err
}

// HTTPSRedirect returns a middleware that sends requests that came by http to
// the same URL by https: with the status 301 for GET and HEAD, and 308, which
// keeps the method, for all others. Requests by https go on to the application,
// whose status, headers and body stay as they are.
//
// The path is put together from SCRIPT_NAME and PATH_INFO and quoted anew; the
// port of http is dropped. A request whose Host is neither in Hosts nor was
// accepted by an AllowedHosts outside gets a 400.
//
// Security: an unlisted Host would make this an open redirect, and a cache might
// keep it for all. What was sent by http was sent in clear, redirect or not;
// SecureHeaders tells browsers not to. wsgi.url_scheme decides, so behind a proxy
// ProxyFix goes outside, or every request is redirected for ever.
func HTTPSRedirect(c HTTPSRedirectConfig) wsgi.Middleware {
	hosts, err := parseHosts("HTTPSRedirect", c.Hosts)
	if err != nil {
		panic(err.Error())
	}
	if len(c.Hosts) == 0 {
		hosts = new(hostSet)
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Get("wsgi.url_scheme") == "https" {
				return next.Call(environ, start)
			}
			name, _, ok := requestHost(environ)
			if !ok || environ.Get(allowedHostKey) != name && !hosts.has(name) {
				return wrongHost.Call(environ, start)
			}
			if strings.IndexByte(name, ':') >= 0 {
				name = "[" + name + "]"
			}
			if c.Port != 0 && c.Port != 443 {
				name = fmt.Sprintf("%s:%d", name, c.Port)
			}
			return redirect(environ, "https", name).Call(environ, start)
		})
	}
}

// CanonicalHost returns a middleware that sends requests for another host than
// host, such as "www.example.org" or "example.org:8443", to the same URL there:
// with 301 for GET and HEAD, and 308 for all others. Requests for host go on to
// the application, whose status, headers and body stay as they are.
//
// The scheme stays; a host without a port means the standard one. The path is put
// together from SCRIPT_NAME and PATH_INFO and quoted anew. A host that cannot be
// one panics.
//
// Security: redirects lead to host and nowhere else, whatever Host a request has.
// Put it inside AllowedHosts all the same, which says 400 to those who guess.
func CanonicalHost(host string) wsgi.Middleware {
	host, name, port, err := canonicalHost(host)
	if err != nil {
		panic(err.Error())
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			scheme, _ := environ.Get("wsgi.url_scheme").(string)
			asked, askedPort, ok := requestHost(environ)
			if ok && asked == name && samePort(askedPort, port, scheme) {
				return next.Call(environ, start)
			}
			return redirect(environ, scheme, host).Call(environ, start)
		})
	}
}

// canonicalHost returns a host as a URL has it, with the brackets that an address may
// have lacked, and its parts.
func canonicalHost(s string) (host, name, port string, err error) {
	host = s
	if address, err := netip.ParseAddr(s); err == nil && address.Is6() {
		host = "[" + address.String() + "]"
	}
	name, port, ok := parseHost(host)
	if !ok {
		return "", "", "", fmt.Errorf("middleware: CanonicalHost: the host is %q, expected one such as www.example.org", s)
	}
	return host, name, port, nil
}

// samePort compares two ports, of which "" is that of the scheme.
func samePort(a, b, scheme string) bool {
	if a == "" {
		a = standardPort(scheme)
	}
	if b == "" {
		b = standardPort(scheme)
	}
	return a == b
}

// redirect answers with the URL of the request at another place.
func redirect(environ *wsgi.Environ, scheme, host string) wsgi.Application {
	there := environ.Clone()
	there.Set("wsgi.url_scheme", scheme)
	there.Set("HTTP_HOST", host)
	there.Set("QUERY_STRING", safeQuery(environ.Var("QUERY_STRING")))
	status := "308 Permanent Redirect"
	if method := environ.Var("REQUEST_METHOD"); method == "GET" || method == "HEAD" {
		status = "301 Moved Permanently"
	}
	return wsgi.Response{Status: status, Headers: wsgi.Headers{
		{Name: "Location", Value: there.URL(true)},
		{Name: "Content-Length", Value: "0"},
	}}
}

// safeQuery quotes what a header cannot hold, or a URL should not.
func safeQuery(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\"<>\\^`{|}#", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
