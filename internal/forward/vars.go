package forward

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Pairs gives names and values in turn.
type Pairs = func(yield func(name, value string) bool)

type pair struct{ name, value string }

// variables are the variables of a request as they go over the wire.
type variables []pair

func (v variables) all(yield func(name, value string) bool) {
	for _, p := range v {
		if !yield(p.name, p.value) {
			return
		}
	}
}

// collect takes the variables of environ. CONTENT_LENGTH comes first, for SCGI
// wants it there, and the others in the order of their names. length is that
// of the body; declare says that it is named even where it is 0.
func (c *Client) collect(environ *wsgi.Environ, length int64, declare bool) variables {
	v := make(variables, 0, 48)
	if length > 0 || declare || c.protocol.Declare {
		v = append(v, pair{"CONTENT_LENGTH", strconv.FormatInt(length, 10)})
	}
	first := len(v)
	named := connectionNames(environ.Var("HTTP_CONNECTION"))
	for name, value := range environ.All() {
		value, ok := value.(string)
		if _, set := c.Environ[name]; !ok || set || withheld(name) || slices.Contains(named, name) {
			continue
		}
		v = append(v, pair{name, value})
	}
	for name, value := range c.Environ {
		if name != "CONTENT_LENGTH" {
			v = append(v, pair{name, value})
		}
	}
	set := func(name, value string) {
		if _, taken := c.Environ[name]; !taken {
			v = append(v, pair{name, value})
		}
	}
	scheme, _ := environ.Get("wsgi.url_scheme").(string)
	if scheme == "https" {
		set("HTTPS", "on")
	}
	if scheme != "" {
		set("REQUEST_SCHEME", scheme)
	}
	set("GATEWAY_INTERFACE", "CGI/1.1")
	slices.SortFunc(v[first:], func(a, b pair) int { return strings.Compare(a.name, b.name) })
	return v
}

// withheld reports whether a variable is not sent: what concerns the
// connection to us only (RFC 9110, 7.6.1), what is said in another way, what
// poses as a variable of the process (CGI-25), what is a command to uWSGI and
// not a variable, and what no protocol has a form for.
func withheld(name string) bool {
	switch name {
	case "", "CONTENT_LENGTH", "HTTPS", "REQUEST_SCHEME", "GATEWAY_INTERFACE",
		"HTTP_CONNECTION", "HTTP_KEEP_ALIVE", "HTTP_PROXY_CONNECTION", "HTTP_PROXY_AUTHENTICATE", "HTTP_PROXY_AUTHORIZATION",
		"HTTP_TE", "HTTP_TRAILER", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE", "HTTP_EXPECT",
		"HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_PROXY":
		return true
	}
	return strings.IndexByte(name, '.') >= 0 || strings.IndexByte(name, '=') >= 0 || strings.HasPrefix(name, "UWSGI_")
}

// connectionNames are the variables of the headers that a Connection header
// names.
func connectionNames(value string) (names []string) {
	for value != "" {
		var option string
		option, value, _ = strings.Cut(value, ",")
		if name, ok := cgi.Name(strings.TrimSpace(option)); ok {
			names = append(names, name)
		}
	}
	return names
}
