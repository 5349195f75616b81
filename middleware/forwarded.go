package middleware

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// claim is what the proxies say.
type claim struct{ client, proto, host, port, prefix string }

// changeSite adds what changes of the scheme, the host and the port.
func (said *claim) changeSite(environ *wsgi.Environ, to changes) {
	scheme, _ := environ.Get("wsgi.url_scheme").(string)
	asked := environ.Var("HTTP_HOST")
	changed := false
	switch proto := strings.ToLower(said.proto); proto {
	case "http", "https":
		changed = proto != scheme
		scheme = proto
		to["wsgi.url_scheme"] = scheme
		to["HTTPS"] = map[string]string{"https": "on"}[scheme]
	}
	if _, _, ok := parseHost(said.host); ok {
		asked, changed = said.host, true
	}
	name, port, ok := parseHost(asked)
	if said.port != "" && validPort(said.port) {
		port, changed = said.port, true
		if ok {
			host := strings.TrimSuffix(asked, asked[hostEnd(asked):])
			if port != standardPort(scheme) {
				host += ":" + port
			}
			asked = host
		}
	}
	if !changed {
		return
	}
	if port == "" {
		port = standardPort(scheme)
	}
	to["SERVER_PORT"] = port
	if ok && asked != environ.Var("HTTP_HOST") {
		to["HTTP_HOST"] = asked
		to["SERVER_NAME"] = name
	}
}

// hostEnd is where the port of a valid host begins, with its colon, or its end.
func hostEnd(host string) int {
	if bracket := strings.IndexByte(host, ']'); bracket >= 0 {
		return bracket + 1
	}
	if colon := strings.IndexByte(host, ':'); colon >= 0 {
		return colon
	}
	return len(host)
}

func standardPort(scheme string) string {
	if scheme == "https" {
		return "443"
	}
	return "80"
}

// values returns the values of one of the X-Forwarded headers, those of all its lines.
// They have no quoted strings: a quote that a client has sent must not hide the commas
// of the proxies, or what they add becomes a part of what it said.
func values(list string) (all []string) {
	for value := range strings.SplitSeq(list, ",") {
		if value = strings.Trim(value, " \t"); value != "" {
			all = append(all, value)
		}
	}
	return all
}

// fromRight returns the n-th value of a list from the right, "" for none.
func fromRight(list string, n int) string {
	if n == 0 || list == "" {
		return ""
	}
	all := values(list)
	if len(all) < n {
		return ""
	}
	return all[len(all)-n]
}

// readForwarded takes the element that counts of the header Forwarded. A
// malformed header says nothing.
func (c *ProxyFixConfig) readForwarded(header string, said *claim) {
	var all []claim
	var nodes []string
	for element := range elements(header) {
		var one claim
		for parameter := range parameters(element) {
			name, value, ok := strings.Cut(parameter, "=")
			if value, ok = unquoteIf(value, ok); !ok || !isToken(name) {
				return
			}
			field := map[string]*string{"for": &one.client, "proto": &one.proto, "host": &one.host}[strings.ToLower(name)]
			switch {
			case field == nil:
			case *field != "": // twice in one element
				return
			default:
				*field = value
			}
		}
		all = append(all, one)
		nodes = append(nodes, one.client)
	}
	i := c.elementOf(nodes)
	if i < 0 {
		return
	}
	said.client = all[i].client
	if c.Proto > 0 {
		said.proto = all[i].proto
	}
	if c.Host > 0 {
		said.host = all[i].host
	}
}

func unquoteIf(value string, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	return unquote(value)
}

// parseNode parses an address with or without a port. The names that RFC 7239
// allows in its place, such as "unknown" and "_hidden", are none.
func parseNode(s string) (address netip.Addr, port string, ok bool) {
	host := s
	switch {
	case strings.HasPrefix(s, "["):
		inside, after, closed := strings.Cut(s[1:], "]")
		if !closed || after != "" && after[0] != ':' {
			return netip.Addr{}, "", false
		}
		host, port = inside, strings.TrimPrefix(after, ":")
		if strings.IndexByte(host, ':') < 0 {
			return netip.Addr{}, "", false
		}
	case strings.Count(s, ":") == 1:
		host, port, _ = strings.Cut(s, ":")
	}
	address, err := netip.ParseAddr(host)
	if err != nil || !validPort(port) {
		return netip.Addr{}, "", false
	}
	return address.Unmap().WithZone(""), port, true
}

// parsePrefix parses a path that the proxy has taken off.
func parsePrefix(s string) (string, bool) {
	path, err := url.PathUnescape(s)
	if err != nil || path == "" || path[0] != '/' {
		return "", false
	}
	path = strings.TrimSuffix(path, "/")
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsFunc(segment, isControl) {
			return "", false
		}
	}
	return path, true
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }
