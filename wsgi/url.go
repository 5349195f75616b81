package wsgi

import (
	"path"
	"strings"
)

// URL rebuilds the URL of the request, with its query string or without. It
// need not be the URL that the client asked for: %2F, for one, is a slash by
// now (URL-07); REQUEST_URI has the original where the server gives it.
//
// Source: PEP 3333, "URL Reconstruction"; wsgiref.util.request_uri.
func (e *Environ) URL(withQuery bool) string {
	var b strings.Builder
	e.writeHost(&b)
	script, pathInfo := e.Var("SCRIPT_NAME"), e.Var("PATH_INFO")
	if script == "" && !strings.HasPrefix(pathInfo, "/") {
		b.WriteByte('/')
	}
	quote(&b, script, "/")
	quote(&b, pathInfo, "/;=,")
	if query := e.Var("QUERY_STRING"); withQuery && query != "" {
		b.WriteByte('?')
		b.WriteString(query)
	}
	return b.String()
}

// ApplicationURL rebuilds the URL of the application's root: the scheme, the
// host and SCRIPT_NAME, or "/" where that is empty.
//
// Source: wsgiref.util.application_uri.
func (e *Environ) ApplicationURL() string {
	var b strings.Builder
	e.writeHost(&b)
	script := e.Var("SCRIPT_NAME")
	if script == "" {
		script = "/"
	}
	quote(&b, script, "/")
	return b.String()
}

func (e *Environ) writeHost(b *strings.Builder) {
	scheme, _ := e.Get("wsgi.url_scheme").(string)
	if scheme == "" {
		scheme = "http"
	}
	b.WriteString(scheme)
	b.WriteString("://")
	if host := e.Var("HTTP_HOST"); host != "" {
		b.WriteString(host)
		return
	}
	name, port := e.Var("SERVER_NAME"), e.Var("SERVER_PORT")
	if strings.IndexByte(name, ':') >= 0 && !strings.HasPrefix(name, "[") {
		name = "[" + name + "]" // an IPv6 address
	}
	b.WriteString(name)
	standard := "80"
	if scheme == "https" {
		standard = "443"
	}
	if port != "" && port != standard {
		b.WriteByte(':')
		b.WriteString(port)
	}
}

// quote percent-encodes every byte of s but the unreserved ones of RFC 3986
// and those in safe: Python's urllib.parse.quote over Latin-1 (URL-05).
func quote(b *strings.Builder, s, safe string) {
	const hex = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isDigit(c) || 'a' <= lower(c) && lower(c) <= 'z' ||
			strings.IndexByte("-._~", c) >= 0 || strings.IndexByte(safe, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
}

// ShiftPathInfo moves the first segment of PATH_INFO to the end of SCRIPT_NAME
// and returns it, "" when PATH_INFO was empty or a single slash. It is the tool
// of a dispatcher that consumes the path segment by segment (CGI-32): called
// on "/shop/cart" it leaves "/cart" and returns "shop".
//
// Empty and "." segments on the way are dropped, and SCRIPT_NAME is
// normalised. A PATH_INFO of "/" ends up as a trailing slash of SCRIPT_NAME,
// so that relative links of the page are right.
//
// Source: wsgiref.util.shift_path_info.
func (e *Environ) ShiftPathInfo() string {
	rest := e.Var("PATH_INFO")
	if rest == "" {
		return ""
	}
	parts := strings.Split(strings.TrimPrefix(rest, "/"), "/")
	// All but the last segment may be dropped; the last says whether the path
	// ends in a slash.
	kept := parts[:0]
	for i, p := range parts {
		if i == len(parts)-1 || p != "" && p != "." {
			kept = append(kept, p)
		}
	}
	name := kept[0]
	script := normalPath(e.Var("SCRIPT_NAME") + "/" + name)
	script = strings.TrimSuffix(script, "/")
	if name == "" && !strings.HasSuffix(script, "/") {
		script += "/"
	}
	pathInfo := ""
	if len(kept) > 1 {
		pathInfo = "/" + strings.Join(kept[1:], "/")
	}
	e.Set("SCRIPT_NAME", script)
	e.Set("PATH_INFO", pathInfo)
	if name == "." {
		return ""
	}
	return name
}

// normalPath is Python's posixpath.normpath, which keeps two leading slashes
// and no more, for a path that begins with one.
func normalPath(p string) string {
	clean := path.Clean(p)
	if strings.HasPrefix(p, "//") && !strings.HasPrefix(p, "///") {
		return "/" + clean
	}
	return clean
}

// GuessScheme returns the scheme that CGI variables tell: "https" when HTTPS
// is "on", "1" or "yes", "http" otherwise. It is for gateways that are fed by
// an operating system's environment (SRV-11).
//
// Source: wsgiref.util.guess_scheme.
func GuessScheme(vars Source) string {
	switch https, _ := vars.Lookup("HTTPS"); https {
	case "on", "1", "yes":
		return "https"
	}
	return "http"
}
