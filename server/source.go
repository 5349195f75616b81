package server

import (
	"net"
	"net/http"
	"strconv"
	"strings"
)

// Lookup computes one CGI variable of the request.
func (x *exchange) Lookup(key string) (string, bool) {
	r := x.r
	if name, ok := strings.CutPrefix(key, "HTTP_"); ok {
		return x.header(name)
	}
	switch key {
	case "REQUEST_METHOD":
		return r.Method, true
	case "SCRIPT_NAME":
		script, _ := x.paths()
		return script, true
	case "PATH_INFO":
		_, info := x.paths()
		return info, true
	case "QUERY_STRING":
		return r.URL.RawQuery, true
	case "REQUEST_URI", "RAW_URI":
		if r.RequestURI == "" {
			return r.URL.RequestURI(), true
		}
		return r.RequestURI, true
	case "CONTENT_TYPE":
		values := r.Header["Content-Type"]
		if len(values) == 0 {
			return "", false
		}
		return values[0], true // unfit has seen that they are the same
	case "CONTENT_LENGTH":
		if length, ok := first(r.Header, "Content-Length"); ok || r.ContentLength <= 0 {
			return length, ok
		}
		// Servers such as that of net/http/fcgi have it in no header.
		return strconv.FormatInt(r.ContentLength, 10), true
	case "SERVER_NAME", "SERVER_PORT":
		name, port := x.local()
		if key == "SERVER_NAME" {
			return name, true
		}
		return port, true
	case "SERVER_PROTOCOL":
		return r.Proto, true
	case "SERVER_SOFTWARE":
		if x.handler.server.Software != "" {
			return x.handler.server.Software, true
		}
		return "gowsgi", true
	case "GATEWAY_INTERFACE":
		return "CGI/1.1", true
	case "REMOTE_ADDR":
		host, _ := x.remote()
		return host, host != ""
	case "REMOTE_PORT":
		_, port := x.remote()
		return port, port != ""
	}
	if r.TLS != nil {
		return tlsVariable(r.TLS, key)
	}
	return "", false
}

var cgiKeys = []string{
	"REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "RAW_URI",
	"CONTENT_TYPE", "CONTENT_LENGTH", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL",
	"SERVER_SOFTWARE", "GATEWAY_INTERFACE", "REMOTE_ADDR", "REMOTE_PORT",
}

// All computes every CGI variable of the request.
func (x *exchange) All(yield func(key, value string) bool) {
	// What is found out in pairs is found out once.
	script, info := x.paths()
	name, port := x.local()
	host, remotePort := x.remote()
	for _, key := range cgiKeys {
		value, ok := "", true
		switch key {
		case "SCRIPT_NAME":
			value = script
		case "PATH_INFO":
			value = info
		case "SERVER_NAME":
			value = name
		case "SERVER_PORT":
			value = port
		case "REMOTE_ADDR":
			value, ok = host, host != ""
		case "REMOTE_PORT":
			value, ok = remotePort, remotePort != ""
		default:
			value, ok = x.Lookup(key)
		}
		if ok && !yield(key, value) {
			return
		}
	}
	if x.r.TLS != nil {
		for _, key := range tlsKeys {
			if value, ok := x.Lookup(key); ok && !yield(key, value) {
				return
			}
		}
	}
	if x.r.Host != "" && !yield("HTTP_HOST", x.r.Host) {
		return
	}
	for name := range x.r.Header {
		key := headerKey(name)
		// Not every name is visible; header decides.
		if strings.IndexByte(name, '_') >= 0 || key == "HTTP_HOST" {
			continue
		}
		if value, ok := x.Lookup(key); ok && !yield(key, value) {
			return
		}
	}
}

// headerKey returns the variable of a header.
func headerKey(name string) string {
	var room [64]byte
	key := append(room[:0], "HTTP_"...)
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '-':
			c = '_'
		case 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		}
		key = append(key, c)
	}
	return string(key)
}

// header returns the variable HTTP_name. A header that has an underscore in
// its name has no variable, or it could pose as another one (CGI-24); neither
// has Proxy, which a library could take for the process's own HTTP_PROXY
// (CGI-25).
func (x *exchange) header(name string) (string, bool) {
	switch name {
	case "HOST":
		return x.r.Host, x.r.Host != ""
	case "PROXY", "CONTENT_TYPE", "CONTENT_LENGTH": // CGI-12
		return "", false
	case "COOKIE":
		values := x.r.Header["Cookie"]
		return strings.Join(values, "; "), len(values) > 0 // CGI-23
	case "CACHE_CONTROL":
		values := x.r.Header["Cache-Control"]
		if len(values) == 0 || inventedCacheControl(x.r.Header) {
			return "", false
		}
		return join(values)
	case "ACCEPT_ENCODING": // this one and those below: what is asked for most
		return join(x.r.Header["Accept-Encoding"])
	case "ORIGIN":
		return join(x.r.Header["Origin"])
	case "REFERER":
		return join(x.r.Header["Referer"])
	case "USER_AGENT":
		return join(x.r.Header["User-Agent"])
	case "X_REQUEST_ID":
		return join(x.r.Header["X-Request-Id"])
	}
	var room [64]byte
	key := room[:0]
	upper := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c == '_':
			c = '-'
		case 'a' <= c && c <= 'z' || c == '-':
			return "", false // the variables are in upper case
		case 'A' <= c && c <= 'Z' && !upper:
			c += 'a' - 'A'
		}
		upper = c == '-'
		key = append(key, c)
	}
	return join(x.r.Header[string(key)])
}

// join returns the lines of one field as one value (CGI-23).
func join(values []string) (string, bool) {
	switch len(values) {
	case 0:
		return "", false
	case 1:
		return values[0], true
	}
	return strings.Join(values, ", "), true
}

// inventedCacheControl reports whether Cache-Control looks like the one that
// net/http adds to a request with "Pragma: no-cache" (N-02). A client that
// sent both in just this form loses the variable; what it asks for is still
// in HTTP_PRAGMA.
func inventedCacheControl(h http.Header) bool {
	pragma, control := h["Pragma"], h["Cache-Control"]
	return len(pragma) > 0 && pragma[0] == "no-cache" && len(control) == 1 && control[0] == "no-cache"
}

// first returns the first line of one field, for those of which net/http admits
// no other.
func first(h http.Header, name string) (string, bool) {
	values := h[name]
	if len(values) == 0 {
		return "", false
	}
	return values[0], true
}

// local returns SERVER_NAME and SERVER_PORT: the configured name, or else the
// address that the connection was accepted on. Never the Host header: that is
// the client's word (AMB-23).
func (x *exchange) local() (name, port string) {
	name, port = "localhost", "80"
	if x.r.TLS != nil {
		port = "443"
	}
	if addr, ok := x.r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && addr.Network() != "unix" {
		if h, p, err := net.SplitHostPort(addr.String()); err == nil {
			name, port = withoutZone(h), p
		}
	}
	if x.handler.server.Name != "" {
		name = x.handler.server.Name
	}
	return name, port
}

// remote returns REMOTE_ADDR and REMOTE_PORT, both empty for a Unix socket.
func (x *exchange) remote() (host, port string) {
	host, port, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		return "", ""
	}
	return withoutZone(host), port
}

func withoutZone(host string) string {
	host, _, _ = strings.Cut(host, "%")
	return host
}
