package middleware

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ProxyFixConfig says which headers of the proxies in front are to be believed.
//
// A number is how many of the proxies add to the header: the value that counts
// is that many from the right, which the outermost of them has seen. 0 is for a
// header that nobody in front sets, and which is then the client's own invention.
type ProxyFixConfig struct {
	For    int // X-Forwarded-For: the address of the client
	Proto  int // X-Forwarded-Proto: http or https
	Host   int // X-Forwarded-Host: the Host that the client asked for
	Port   int // X-Forwarded-Port: the port that the client connected to
	Prefix int // X-Forwarded-Prefix: the path that the proxy has taken off

	// Trusted are the addresses of the proxies. When there are any, no header
	// counts unless the peer is one of them, or has no address, as on a Unix
	// socket; and X-Forwarded-For is followed from the right for as long as the
	// addresses are those of proxies, whatever number For is.
	Trusted []netip.Prefix

	// Forwarded reads the header Forwarded (RFC 7239) in the place of
	// X-Forwarded-For, -Proto and -Host. For, or Trusted, says which of its
	// elements counts; Proto and Host say, by not being 0, whether these parts of
	// it do. A header that is malformed says nothing, and a client can make it so:
	// the outermost proxy sets it rather than adds to what came.
	Forwarded bool
}

// proxyFixKey is the variable with what ProxyFix has replaced.
const proxyFixKey = "gowsgi.proxy_fix"

// ProxyFix returns a middleware that makes the environ tell of the client, where
// the server sees a proxy: REMOTE_ADDR and REMOTE_PORT, wsgi.url_scheme and HTTPS,
// HTTP_HOST, SERVER_NAME and SERVER_PORT, and SCRIPT_NAME. The application gets a
// copy, in which gowsgi.proxy_fix holds what was there before, a map[string]string.
//
// A header that has fewer values than are to be trusted changes nothing: the
// request did not come that way. Neither does one whose value is not what it is
// for, which is an IP address with or without a port, http or https, a host with
// or without a port, a port, and a clean path. A header that came in several
// lines counts as one list. Addresses lose their zone, and are IPv4 when they are
// that in IPv6's clothes. A host without a port has that of the scheme.
//
// The zero Config believes nothing and is a middleware that is not there. A
// negative number panics.
//
// It does nothing to status, headers or body.
//
// Security: with the numbers alone, whoever reaches the server past the proxies
// is believed, so it must not be reachable; Trusted looks at the peer. A number
// that is too large lets clients choose the value. Try it before going live: send
// each header with a made-up value through the proxy and look at the environ.
// Put it outside everything that asks for the client, the host or the scheme.
func ProxyFix(c ProxyFixConfig) wsgi.Middleware {
	for name, n := range map[string]int{"For": c.For, "Proto": c.Proto, "Host": c.Host, "Port": c.Port, "Prefix": c.Prefix} {
		if n < 0 {
			panic(fmt.Sprintf("middleware: ProxyFix: %s is %d, expected the number of proxies", name, n))
		}
	}
	c.Trusted = slices.Clone(c.Trusted)
	for i, prefix := range c.Trusted {
		if !prefix.IsValid() {
			panic(fmt.Sprintf("middleware: ProxyFix: Trusted[%d] is no prefix of addresses", i))
		}
		c.Trusted[i] = prefix.Masked()
	}
	return func(next wsgi.Application) wsgi.Application {
		if c.For+c.Proto+c.Host+c.Port+c.Prefix == 0 && len(c.Trusted) == 0 {
			return next
		}
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if changes := c.changes(environ); len(changes) > 0 {
				environ = apply(environ, changes)
			}
			return next.Call(environ, start)
		})
	}
}

// changes are variables and their new values, "" for those to delete.
type changes map[string]string

// apply returns a copy of environ with the changes.
func apply(environ *wsgi.Environ, to changes) *wsgi.Environ {
	inner := environ.Clone()
	before := make(map[string]string, len(to))
	for key, value := range to {
		if old, ok := environ.Get(key).(string); ok {
			before[key] = old
		}
		if value == "" {
			inner.Delete(key)
		} else {
			inner.Set(key, value)
		}
	}
	inner.Set(proxyFixKey, before)
	return inner
}

func (c *ProxyFixConfig) changes(environ *wsgi.Environ) changes {
	if len(c.Trusted) > 0 && !c.isProxy(environ.Var("REMOTE_ADDR")) {
		return nil
	}
	var said claim
	said.port = fromRight(environ.Var("HTTP_X_FORWARDED_PORT"), c.Port)
	said.prefix = fromRight(environ.Var("HTTP_X_FORWARDED_PREFIX"), c.Prefix)
	if c.Forwarded {
		c.readForwarded(environ.Var("HTTP_FORWARDED"), &said)
	} else {
		said.client = c.clientOf(values(environ.Var("HTTP_X_FORWARDED_FOR")))
		said.proto = fromRight(environ.Var("HTTP_X_FORWARDED_PROTO"), c.Proto)
		said.host = fromRight(environ.Var("HTTP_X_FORWARDED_HOST"), c.Host)
	}
	to := changes{}
	if address, port, ok := parseNode(said.client); ok {
		maps.Copy(to, changes{"REMOTE_ADDR": address.String(), "REMOTE_PORT": port, "REMOTE_HOST": ""})
	}
	said.changeSite(environ, to)
	if prefix, ok := parsePrefix(said.prefix); ok {
		to["SCRIPT_NAME"] = prefix + environ.Var("SCRIPT_NAME")
	}
	return to
}

// isProxy reports whether address is that of a trusted proxy. A peer without an
// address is at the other end of a Unix socket, and whoever may use that is
// decided by the permissions of its file.
func (c *ProxyFixConfig) isProxy(address string) bool {
	if address == "" {
		return true
	}
	parsed, err := netip.ParseAddr(address)
	return err == nil && c.trusts(parsed)
}

func (c *ProxyFixConfig) trusts(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(c.Trusted, func(p netip.Prefix) bool { return p.Contains(address) })
}

// clientOf returns the node that counts, of the list of those that the proxies
// have added.
func (c *ProxyFixConfig) clientOf(nodes []string) string {
	if i := c.elementOf(nodes); i >= 0 {
		return nodes[i]
	}
	return ""
}

// elementOf returns the index of the node that counts, -1 for none. With Trusted
// it is the first from the right that is not a proxy, or the last that is. One
// that is no address, before that, ends it: nobody knows what came before.
func (c *ProxyFixConfig) elementOf(nodes []string) int {
	if len(c.Trusted) == 0 {
		if c.For == 0 || len(nodes) < c.For {
			return -1
		}
		return len(nodes) - c.For
	}
	for i, node := range slices.Backward(nodes) {
		address, _, ok := parseNode(node)
		if !ok {
			return -1
		}
		if i == 0 || !c.trusts(address) {
			return i
		}
	}
	return -1
}
