package wsgitest

import (
	"fmt"
	"net"
	"strings"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Environ returns the environ of r, for calling an application by hand. It is
// the counterpart of Python's wsgiref.util.setup_testing_defaults and has the
// same defaults, but for SERVER_PROTOCOL, which is HTTP/1.1, and for
// wsgi.multithread, which is true as it is on every server of this module.
//
// The variables are those that Do gives an application, save that there is no
// wsgi.early_hints. wsgi.errors keeps what is written and has a String method
// to tell it.
//
// Nobody applies the rules of a server to such a call, and nobody closes the
// body: prefer Do wherever it is the response that matters.
func (r *Request) Environ() *wsgi.Environ {
	t := r.parse()
	s := r.source(t)
	input, _ := r.input()
	values := map[string]any{
		"wsgi.version":          [2]int{1, 0},
		"wsgi.input":            wsgi.NewInput(input),
		"wsgi.errors":           newErrorText(),
		"wsgi.multithread":      true,
		"wsgi.multiprocess":     false,
		"wsgi.run_once":         false,
		"wsgi.input_terminated": true,
		"wsgi.file_wrapper":     wsgi.FileWrapper(wsgi.WrapFile),
	}
	for key, value := range s.values {
		values[key] = value
	}
	s.values = values
	s.vars["wsgi.url_scheme"] = t.scheme
	environ := wsgi.NewEnviron(r.context(), s)
	r.replace(environ)
	return environ
}

// source is the variables of a request as a wsgi.ValueSource.
type source struct {
	vars   map[string]string
	values map[string]any
}

func (s *source) Lookup(key string) (string, bool) {
	value, ok := s.vars[key]
	return value, ok
}

func (s *source) All(yield func(key, value string) bool) {
	for key, value := range s.vars {
		if !yield(key, value) {
			return
		}
	}
}

func (s *source) Value(key string) (any, bool) {
	value, ok := s.values[key]
	return value, ok
}

func (s *source) Values(yield func(key string, value any) bool) {
	for key, value := range s.values {
		if !yield(key, value) {
			return
		}
	}
}

// source returns the CGI variables, and what Extra says of keys that are not
// the gateway's.
func (r *Request) source(t target) *source {
	script, info := r.split(t)
	vars := map[string]string{
		"GATEWAY_INTERFACE": "CGI/1.1",
		"SERVER_SOFTWARE":   "wsgitest",
		"SERVER_PROTOCOL":   r.proto(),
		"SERVER_NAME":       orElse(r.ServerName, "127.0.0.1"),
		"SERVER_PORT":       r.ServerPort,
		"REQUEST_METHOD":    r.method(),
		"REQUEST_URI":       t.uri, // COM-05
		"RAW_URI":           t.uri, // COM-06
		"SCRIPT_NAME":       script,
		"PATH_INFO":         info,
		"QUERY_STRING":      t.query,
	}
	switch {
	case r.ServerPort != "":
	case t.scheme == "https":
		vars["SERVER_PORT"] = "443"
	default:
		vars["SERVER_PORT"] = "80"
	}
	if t.scheme == "https" {
		vars["HTTPS"] = "on" // ENV-10
	}
	if host, port, err := net.SplitHostPort(orElse(r.RemoteAddr, "192.0.2.1:1234")); err == nil {
		host, _, _ = strings.Cut(host, "%")                   // the zone of an IPv6 address
		vars["REMOTE_ADDR"], vars["REMOTE_PORT"] = host, port // COM-13
	}
	r.addHeaders(vars)
	if t.host != "" {
		vars["HTTP_HOST"] = t.host
	}
	if _, length := r.input(); length != "" {
		vars["CONTENT_LENGTH"] = length
	}
	s := &source{vars: vars, values: make(map[string]any)}
	for key, value := range r.Extra {
		delete(vars, key)
		switch text, ok := value.(string); {
		case value == nil || isServers(key):
		case ok:
			vars[key] = text
		default:
			s.values[key] = value
		}
	}
	return s
}

// replace carries out what Extra says of the gateway's own keys. A Source is
// not asked for them, so they are changed in the dictionary.
func (r *Request) replace(environ *wsgi.Environ) {
	for key, value := range r.Extra {
		switch {
		case !isServers(key):
		case value == nil:
			environ.Delete(key)
		default:
			environ.Set(key, value)
		}
	}
}

func isServers(key string) bool { return strings.HasPrefix(key, "wsgi.") }

// addHeaders adds the variables of the header fields.
func (r *Request) addHeaders(vars map[string]string) {
	for _, h := range r.Headers {
		if !isToken(h.Name) {
			panic(fmt.Sprintf("wsgitest: Request has a header named %q, which every server refuses", h.Name))
		}
		if strings.ContainsFunc(h.Value, isControl) {
			panic(fmt.Sprintf("wsgitest: Request has the header %s: %q, which every server refuses", h.Name, h.Value))
		}
		key := "HTTP_" + strings.ReplaceAll(strings.ToUpper(h.Name), "-", "_") // CGI-11
		value := strings.Trim(h.Value, " \t")                                  // CGI-26
		switch {
		case strings.Contains(h.Name, "_"), key == "HTTP_PROXY": // CGI-24, CGI-25
			continue
		case key == "HTTP_HOST", key == "HTTP_CONTENT_LENGTH", key == "HTTP_TRANSFER_ENCODING", key == "HTTP_TRAILER":
			continue // told by the target and the body, or the server's own business
		case key == "HTTP_CONTENT_TYPE":
			key = "CONTENT_TYPE" // CGI-12
			if _, twice := vars[key]; twice {
				panic("wsgitest: Request has two Content-Type headers, which the server refuses")
			}
		}
		if first, ok := vars[key]; ok { // CGI-23
			separator := ", "
			if key == "HTTP_COOKIE" {
				separator = "; "
			}
			value = first + separator + value
		}
		vars[key] = value
	}
}

func isControl(c rune) bool { return c < 0x20 && c != '\t' || c == 0x7F }

func isToken(name string) bool {
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return name != ""
}

// errorText is wsgi.errors of an environ that no server made.
type errorText struct {
	wsgi.ErrorStream
	text *testlog.Log
}

func newErrorText() *errorText {
	text := new(testlog.Log)
	return &errorText{wsgi.NewErrors(text), text}
}

func (e *errorText) String() string { return e.text.String() }
