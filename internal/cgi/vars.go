package cgi

import (
	"errors"
	"strings"
)

// MaxVars is how many variables a request may have.
const MaxVars = 1000

// Vars are the variables of one request as the web server sent them, and the
// source of its environ, a wsgi.Source. Add takes them as they come, Settle
// says what is made of them. They stay strings within the block that the
// request came in: no map is made.
//
// It is not safe for concurrent use until Settle has returned.
type Vars struct {
	pairs []pair
	room  [40]pair // most requests have fewer
	seen  uint64   // what mark gives for the names

	// What Settle made of them.
	script, info         string
	name, port, protocol string
	scheme               string
	method               string
	length               int64
}

type pair struct {
	name, value string
	hidden      bool // not for the application
}

// ErrTooMany is what Add returns beyond MaxVars.
var ErrTooMany = &Refusal{"431 Request Header Fields Too Large", errors.New("the request has more than 1000 variables")}

// Add adds a variable. Its errors are Refusals.
func (v *Vars) Add(name, value string) error {
	if len(v.pairs) == MaxVars {
		return ErrTooMany
	}
	if v.pairs == nil {
		v.pairs = v.room[:0]
	}
	if err := checkPair(name, value); err != nil {
		return err
	}
	p := pair{name: name, value: value}
	if first := v.find(name); first != nil {
		return first.repeat(value)
	}
	v.seen |= mark(name)
	p.hidden = withheld(name) || value == "" && optional(name)
	v.pairs = append(v.pairs, p)
	return nil
}

// mark gives a set of one of 64 elements, to tell quickly of most names that
// they did not occur.
func mark(name string) uint64 {
	n := uint(len(name))
	if n == 0 {
		return 0
	}
	return 1 << ((n*7 + uint(name[n-1])*31 + uint(name[n/2])*11 + uint(name[n-1-n/4])) % 64)
}

func (v *Vars) find(name string) *pair {
	if v.seen&mark(name) == 0 {
		return nil
	}
	for i := range v.pairs {
		if v.pairs[i].name == name {
			return &v.pairs[i]
		}
	}
	return nil
}

// repeat adds the value of a name that occurred before. Web servers pass on a
// repeated header as a repeated variable (nginx before 1.23), and so do those
// to which X_A and X-A are the same name. For a header that is a list; for
// anything else two values are two opinions.
func (p *pair) repeat(value string) error {
	switch {
	case strings.HasPrefix(p.name, "HTTP_") && p.name != "HTTP_HOST" && p.name != "HTTP_CONTENT_LENGTH":
		separator := ", "
		if p.name == "HTTP_COOKIE" {
			separator = "; " // CGI-23
		}
		p.value += separator + value
	case p.value != value:
		return badRequest("variable %q occurs twice, with different values", p.name)
	}
	return nil
}

// withheld reports whether a variable does not reach the application: what
// describes a body that the web server has decoded (COM-03), what poses as a
// variable of the process (CGI-25) or repeats another (CGI-12), and all with a
// dot in the name, for those are the server's own (ENV-05): a peer that could
// set wsgi.url_scheme would choose it.
func withheld(name string) bool {
	switch name {
	case "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_TRANSFER_ENCODING", "HTTP_TRAILER", "HTTP_PROXY":
		return true
	}
	return strings.IndexByte(name, '.') >= 0
}

// optional reports whether an empty variable of that name only says that there
// is nothing to say (ENV-08), as nginx and Caddy do.
func optional(name string) bool {
	switch name {
	case "CONTENT_LENGTH", "CONTENT_TYPE", "AUTH_TYPE", "REMOTE_USER", "REMOTE_IDENT", "REMOTE_HOST", "REMOTE_PORT", "HTTPS":
		return true
	}
	return false
}

// raw returns a variable as it was sent, withheld or not.
func (v *Vars) raw(name string) string {
	if p := v.find(name); p != nil {
		return p.value
	}
	return ""
}

// The variables that are made and not passed on, in the order of settled.
var settledNames = [...]string{"SCRIPT_NAME", "PATH_INFO", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"}

func (v *Vars) settled(name string) (value string, ok bool) {
	switch name {
	case "SCRIPT_NAME":
		return v.script, true
	case "PATH_INFO":
		return v.info, true
	case "SERVER_NAME":
		return v.name, true
	case "SERVER_PORT":
		return v.port, true
	case "SERVER_PROTOCOL":
		return v.protocol, true
	}
	return "", false
}

// Lookup returns a variable for the environ.
func (v *Vars) Lookup(name string) (string, bool) {
	if value, ok := v.settled(name); ok {
		return value, true
	}
	if p := v.find(name); p != nil && !p.hidden {
		return p.value, true
	}
	return "", false
}

// All gives all variables for the environ.
func (v *Vars) All(yield func(name, value string) bool) {
	for _, name := range settledNames {
		value, _ := v.settled(name)
		if !yield(name, value) {
			return
		}
	}
	for i := range v.pairs {
		p := &v.pairs[i]
		if p.hidden {
			continue
		}
		if _, ok := v.settled(p.name); !ok && !yield(p.name, p.value) {
			return
		}
	}
}

// Method returns REQUEST_METHOD.
func (v *Vars) Method() string { return v.method }

// Scheme returns what wsgi.url_scheme is: "http" or "https".
func (v *Vars) Scheme() string { return v.scheme }

// Length returns the length of the request body in bytes, and -1 when it was
// not declared.
func (v *Vars) Length() int64 { return v.length }

// Decoded reports whether the body came chunked, and was decoded by the web
// server without its saying how long it is.
func (v *Vars) Decoded() bool {
	coding := strings.ToLower(strings.TrimSpace(v.raw("HTTP_TRANSFER_ENCODING")))
	return v.length < 0 && strings.HasSuffix(coding, "chunked")
}

// Announced reports whether the client said that there is a body, whatever the web
// server says of its length.
func (v *Vars) Announced() bool {
	return v.raw("HTTP_CONTENT_LENGTH") != "" || v.raw("HTTP_TRANSFER_ENCODING") != "" || v.method != "GET" && v.method != "HEAD"
}
