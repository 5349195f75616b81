package middleware

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// parseHost takes a Host apart, the value of the header or one of those that a
// proxy sends in its place. name is in small letters and without a dot at its
// end, an IPv6 address without brackets and in its shortest form; port is "" for
// none. What is no host by RFC 3986, 3.2.2 in the form that URLs of the web
// have, is not ok: no user, no zone, no percent sign, no character that has to
// be escaped in HTML.
func parseHost(s string) (name, port string, ok bool) {
	if rest, bracket := strings.CutPrefix(s, "["); bracket {
		inside, after, closed := strings.Cut(rest, "]")
		address, err := netip.ParseAddr(inside)
		if !closed || err != nil || !address.Is6() || address.Zone() != "" {
			return "", "", false
		}
		if after != "" && after[0] != ':' {
			return "", "", false
		}
		port = strings.TrimPrefix(after, ":")
		return address.String(), port, validPort(port)
	}
	name, port, _ = strings.Cut(s, ":")
	name = strings.TrimSuffix(name, ".")
	if len(name) == 0 || len(name) > 253 || !validPort(port) {
		return "", "", false
	}
	label := 0 // length so far
	upper := false
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return "", "", false
			}
			label = 0
			continue
		case 'A' <= c && c <= 'Z':
			upper = true
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return "", "", false
		}
		if label++; label > 63 {
			return "", "", false
		}
	}
	if label == 0 {
		return "", "", false
	}
	if upper {
		name = strings.ToLower(name)
	}
	return name, port, true
}

// validPort accepts the decimal number of a port, and "" for none.
func validPort(s string) bool {
	if s == "" {
		return true
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0'
}

// requestHost is the host that the request is for: of the Host header, or the
// server's own where there is none.
func requestHost(environ *wsgi.Environ) (name, port string, ok bool) {
	if host := environ.Var("HTTP_HOST"); host != "" {
		return parseHost(host)
	}
	name = environ.Var("SERVER_NAME")
	if strings.IndexByte(name, ':') >= 0 && name[0] != '[' {
		name = "[" + name + "]"
	}
	name, _, ok = parseHost(name)
	return name, environ.Var("SERVER_PORT"), ok
}

// parseHostPattern normalises the pattern of a host: a name, an address, or
// "*." before a name. The last becomes the name with a dot in front.
func parseHostPattern(s string) (string, error) {
	plain, star := strings.CutPrefix(s, "*.")
	if strings.Count(plain, ":") > 1 && plain[0] != '[' {
		plain = "[" + plain + "]" // an address that lacks its brackets is meant all the same
	}
	name, port, ok := parseHost(plain)
	switch {
	case !ok:
		return "", fmt.Errorf("the host is %q, expected a name such as example.org or *.example.org, or an address", s)
	case port != "":
		return "", fmt.Errorf("the host is %q, expected it without a port", s)
	case star:
		if _, err := netip.ParseAddr(name); err == nil {
			return "", fmt.Errorf("the host is %q, expected * before a name and not before an address", s)
		}
		return "." + name, nil
	}
	return name, nil
}

// underDomain reports whether host ends in suffix, which begins with a dot, and
// has something before it.
func underDomain(host, suffix string) bool {
	return len(host) > len(suffix) && strings.HasSuffix(host, suffix)
}
