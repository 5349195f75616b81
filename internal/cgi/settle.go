package cgi

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Refusal is why a request does not reach the application.
type Refusal struct {
	Status string // such as "400 Bad Request"
	Err    error  // the reason, for the operator
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s: %v", r.Status, r.Err) }

// Unwrap returns Err.
func (r *Refusal) Unwrap() error { return r.Err }

// AppendRefusal appends the response to a request of the given method that
// does not reach the application. err is a Refusal, or else counts as one with
// status 400.
func AppendRefusal(b []byte, form Form, method string, err error) []byte {
	text := statusOf(err) + "\n"
	b = AppendHead(b, form, statusOf(err), wsgi.Headers{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.Itoa(len(text))},
	})
	if method != "HEAD" {
		b = append(b, text...)
	}
	return b
}

func statusOf(err error) string {
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return refusal.Status
	}
	return "400 Bad Request"
}

func badRequest(format string, args ...any) error {
	return &Refusal{"400 Bad Request", fmt.Errorf(format, args...)}
}

// checkPair refuses names and values that could be taken for something else by
// whoever writes them into a header or a process environment.
func checkPair(name, value string) error {
	if name == "" {
		return badRequest("a variable has an empty name")
	}
	for i := 0; i < len(name); i++ {
		if breaks(name[i]) || name[i] == '=' {
			return badRequest("variable %.40q has NUL, CR, LF or = in its name", name)
		}
	}
	if !strings.HasPrefix(name, "HTTP_") {
		return nil
	}
	for i := 0; i < len(value); i++ {
		if breaks(value[i]) {
			return badRequest("variable %.40q has NUL, CR or LF in its value", name)
		}
	}
	return nil
}

// breaks reports whether c ends a header line or a variable of a process.
func breaks(c byte) bool { return c == 0 || c == '\r' || c == '\n' }

// Terms are what the variables of a request are settled by.
type Terms struct {
	// ScriptName is where the application is mounted: "/" for the root,
	// otherwise without a slash at its end. When empty, SCRIPT_NAME and
	// PATH_INFO stay as the web server sent them.
	ScriptName string

	// Local returns the address that the web server connected to, for a request
	// without SERVER_NAME. It may be nil.
	Local func() net.Addr

	// Unknown admits CONTENT_LENGTH -1, by which Caddy says over FastCGI that
	// it does not know.
	Unknown bool

	// MaxBody bounds the declared length of the request body, in bytes; 0 for
	// no limit.
	MaxBody int64
}

// Settle checks the variables and makes of them what an environ has. Its
// errors are Refusals.
func (v *Vars) Settle(t Terms) error {
	v.method = v.raw("REQUEST_METHOD")
	if !isToken(v.method) {
		return badRequest("REQUEST_METHOD is %q, expected a method", v.method)
	}
	v.protocol = v.raw("SERVER_PROTOCOL")
	switch {
	case v.protocol == "":
		v.protocol = "HTTP/1.0" // which promises the least
	case !isProtocol(v.protocol):
		return badRequest("SERVER_PROTOCOL is %q, expected HTTP and a version", v.protocol)
	}
	if err := v.settleLength(t); err != nil {
		return err
	}
	if err := v.settlePath(t.ScriptName); err != nil {
		return err
	}
	v.settleScheme()
	v.settleServer(t.Local)
	return nil
}

// settleLength parses CONTENT_LENGTH, by which alone a body is framed.
func (v *Vars) settleLength(t Terms) error {
	v.length = -1
	p := v.find("CONTENT_LENGTH")
	switch {
	case p == nil || p.value == "":
		return nil
	case p.value == "-1" && t.Unknown:
		p.hidden = true
		return nil
	}
	n, ok := parseLength(p.value)
	if !ok {
		return badRequest("CONTENT_LENGTH is %q, expected at most 18 digits", p.value)
	}
	if t.MaxBody > 0 && n > t.MaxBody {
		return &Refusal{"413 Content Too Large", fmt.Errorf("the body has %d bytes, the limit is %d", n, t.MaxBody)}
	}
	// nginx before 1.29.6 with scgi_request_buffering off announces as much as
	// it happens to have read. Serving that would cut uploads in silence.
	if sent, ok := parseLength(v.raw("HTTP_CONTENT_LENGTH")); ok && n > 0 && n < sent {
		return badRequest("CONTENT_LENGTH is %d, and the client's Content-Length %d", n, sent)
	}
	v.length = n
	return nil
}

func parseLength(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

// settleScheme sets the scheme, never by a header, which is the client's word.
func (v *Vars) settleScheme() {
	v.scheme = "http"
	switch strings.ToLower(v.raw("HTTPS")) {
	case "on", "1", "true", "yes", "https":
		v.scheme = "https"
		return
	case "":
	default:
		return // "off"
	}
	if strings.EqualFold(v.raw("REQUEST_SCHEME"), "https") {
		v.scheme = "https"
	}
}

// settleServer sees to it that SERVER_NAME and SERVER_PORT have a value
// (CGI-07). The Host header is not asked: it is the client's word (AMB-23).
func (v *Vars) settleServer(local func() net.Addr) {
	v.name, v.port = v.raw("SERVER_NAME"), v.raw("SERVER_PORT")
	if address := v.raw("SERVER_ADDR"); v.name == "" && !strings.HasPrefix(address, "unix:") { // nginx's own socket
		v.name = address
	}
	if v.name == "" && local != nil {
		if addr := local(); addr.Network() != "unix" {
			v.name, _, _ = net.SplitHostPort(addr.String())
		}
	}
	if v.name == "" {
		v.name = "localhost"
	}
	if strings.Trim(v.port, "0123456789") != "" || v.port == "" {
		v.port = "80"
		if v.scheme == "https" {
			v.port = "443"
		}
	}
}

// isProtocol reports whether s is HTTP/ with a version of one digit or two
// around a dot, or what a server-side include is made with.
func isProtocol(s string) bool {
	if s == "INCLUDED" {
		return true
	}
	version, ok := strings.CutPrefix(s, "HTTP/")
	digit := func(i int) bool { return version[i] >= '0' && version[i] <= '9' }
	return ok && (len(version) == 1 && digit(0) || len(version) == 3 && digit(0) && version[1] == '.' && digit(2))
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if !tokenChar[s[i]] {
			return false
		}
	}
	return s != ""
}

// tokenChar marks the characters of a token, RFC 9110 section 5.6.2.
var tokenChar = func() (t [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789" +
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
		t[c] = true
	}
	return t
}()
