package conformance

import (
	"io"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// required are the variables that no environ is without. Those of SCRIPT_NAME
// and PATH_INFO have a rule of their own.
var required = []string{
	"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "wsgi.version", "wsgi.url_scheme", "wsgi.input",
	"wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
}

// checkEnviron looks at the dictionary as it came.
func (c *call) checkEnviron() {
	var values [10]any // of required
	optional := struct{ script, info, length, protocol, terminated, wrapper any }{}
	for key, value := range c.environ.All() {
		switch key {
		case "REQUEST_METHOD":
			values[0] = value
		case "SERVER_NAME":
			values[1] = value
		case "SERVER_PORT":
			values[2] = value
		case "wsgi.version":
			values[3] = value
		case "wsgi.url_scheme":
			values[4] = value
		case "wsgi.input":
			values[5] = value
		case "wsgi.errors":
			values[6] = value
		case "wsgi.multithread":
			values[7] = value
		case "wsgi.multiprocess":
			values[8] = value
		case "wsgi.run_once":
			values[9] = value
		case "SCRIPT_NAME":
			optional.script = value
		case "PATH_INFO":
			optional.info = value
		case "CONTENT_LENGTH":
			optional.length = value
		case "SERVER_PROTOCOL":
			optional.protocol = value
		case "wsgi.input_terminated":
			optional.terminated = value
		case "wsgi.file_wrapper":
			optional.wrapper = value
		case "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH":
			c.report("CGI-12", byServer, "environ has %s, expected %s only", key, key[len("HTTP_"):])
		}
		c.checkKey(key, value)
	}
	for i, key := range required {
		if values[i] == nil {
			c.report("ENV-03", byServer, "environ has no %s, expected a value", key)
		}
	}
	c.checkAddress(values[0], values[1], values[2])
	c.checkPath(optional.script, optional.info)
	if s, ok := optional.length.(string); ok && s != "" {
		if _, ok := parseLength(s); !ok {
			c.report("CGI-21", byServer, "CONTENT_LENGTH is %q, expected decimal digits", s)
		}
	}
	if s, ok := optional.protocol.(string); ok && !isProtocol(s) {
		c.report("CGI-09", byServer, "SERVER_PROTOCOL is %q, expected a version such as HTTP/1.1", s)
	}
	if v := values[3]; v != nil && v != [2]int{1, 0} {
		c.report("ENV-14", byServer, "wsgi.version is %T %v, expected [2]int{1, 0}", v, v)
	}
	c.checkScheme(values[4])
	c.checkInput(values[5])
	c.checkErrors(values[6])
	for i, rule := range []string{"ENV-18", "ENV-19", "ENV-20"} {
		if v := values[7+i]; v != nil {
			if _, ok := v.(bool); !ok {
				c.report(rule, byServer, "%s is %T, expected bool", required[7+i], v)
			}
		}
	}
	if v := optional.terminated; v != nil {
		if b, ok := v.(bool); !ok {
			c.fault("COM-01", byServer, "wsgi.input_terminated is %T, expected bool", v)
		} else if !b {
			c.report("COM-02", byServer, "wsgi.input_terminated is false, expected it to be left out")
		}
	}
	switch v := optional.wrapper.(type) {
	case nil, wsgi.FileWrapper, func(io.Reader, int) wsgi.Iterable:
	default:
		c.report("FILE-03", byServer, "wsgi.file_wrapper is %T, expected wsgi.FileWrapper", v)
	}
}

// checkKey looks at one variable by the form of its name.
func (c *call) checkKey(key string, value any) {
	if strings.IndexByte(key, '.') < 0 {
		if _, ok := value.(string); !ok {
			c.report("ENV-07", byServer, "%s is %T, expected string", key, value)
		}
		return
	}
	if strings.HasPrefix(key, "x-wsgiorg.") {
		return // older than the custom, and known by this name
	}
	for i := 0; i < len(key); i++ {
		b := key[i]
		dotAtEdge := b == '.' && (i == 0 || i == len(key)-1)
		if dotAtEdge || b != '.' && b != '_' && !('a' <= b && b <= 'z') && !('0' <= b && b <= '9') {
			c.report("ENV-05", byServer, "environ has %q, expected lower-case letters, digits, dots and underscores behind a prefix", key)
			return
		}
	}
}

// checkAddress looks at the strings that are never empty.
func (c *call) checkAddress(method, name, port any) {
	if s, ok := method.(string); ok && s == "" {
		c.report("CGI-01", byServer, "REQUEST_METHOD is empty, expected a method")
	} else if ok && !isToken(s) {
		c.report("CGI-30", byServer, "REQUEST_METHOD is %q, expected an HTTP token", s)
	}
	if s, ok := name.(string); ok && s == "" {
		c.report("CGI-07", byServer, "SERVER_NAME is empty, expected a name or an address")
	}
	if s, ok := port.(string); ok && s == "" {
		c.report("CGI-08", byServer, "SERVER_PORT is empty, expected a port")
	} else if ok && strings.Trim(s, "0123456789") != "" {
		c.report("CGI-22", byServer, "SERVER_PORT is %q, expected decimal digits", s)
	}
}

func (c *call) checkPath(script, info any) {
	s, _ := script.(string)
	switch {
	case s == "/":
		c.report("CGI-14", byServer, `SCRIPT_NAME is "/", expected "" for the root`)
	case s != "" && s[0] != '/':
		c.report("CGI-13", byServer, "SCRIPT_NAME is %q, expected it to be empty or to begin with a slash", s)
	case strings.HasSuffix(s, "/"):
		c.report("CGI-16", byServer, "SCRIPT_NAME is %q, expected no slash at its end", s)
	case s == "" && info == nil:
		c.report("CGI-15", byServer, "environ has neither a SCRIPT_NAME nor PATH_INFO, expected PATH_INFO")
	}
	if p, _ := info.(string); p != "" && p[0] != '/' && p != "*" { // the target of OPTIONS (CGI-28)
		c.report("CGI-13", byServer, "PATH_INFO is %q, expected it to be empty or to begin with a slash", p)
	}
}

func (c *call) checkScheme(v any) {
	switch v {
	case nil, "http", "https":
		return
	}
	if s, ok := v.(string); ok && isToken(s) {
		c.warn("ENV-15", byServer, "wsgi.url_scheme is %q, expected http or https", s)
	} else {
		c.report("ENV-15", byServer, "wsgi.url_scheme is %T %[1]q, expected http or https", v)
	}
}

// checkInput looks for what wsgi.input can do. A value that is a part of an
// InputStream breaks the rule of the method that it lacks first.
func (c *call) checkInput(v any) {
	if _, ok := v.(wsgi.InputStream); ok || v == nil {
		return
	}
	const form = "wsgi.input is %T, which has no %s, expected wsgi.InputStream"
	_, reads := v.(io.Reader)
	_, line := v.(interface{ ReadLine(int) ([]byte, error) })
	_, lines := v.(interface{ ReadLines(int) ([][]byte, error) })
	switch {
	case !reads && !line && !lines:
		c.report("ENV-16", byServer, "wsgi.input is %T, expected wsgi.InputStream", v)
	case !reads:
		c.report("INPUT-01", byServer, form, v, "Read")
	case !line:
		c.report("INPUT-02", byServer, form, v, "ReadLine")
	case !lines:
		c.report("INPUT-03", byServer, form, v, "ReadLines")
	default:
		c.report("INPUT-04", byServer, form, v, "Lines")
	}
}

// checkErrors is checkInput for wsgi.errors.
func (c *call) checkErrors(v any) {
	if _, ok := v.(wsgi.ErrorStream); ok || v == nil {
		return
	}
	const form = "wsgi.errors is %T, which has no %s, expected wsgi.ErrorStream"
	_, flushes := v.(interface{ Flush() error })
	_, writes := v.(interface {
		io.Writer
		io.StringWriter
	})
	_, lines := v.(interface{ WriteLines(...string) error })
	switch {
	case !flushes && !writes && !lines:
		c.report("ENV-17", byServer, "wsgi.errors is %T, expected wsgi.ErrorStream", v)
	case !flushes:
		c.report("LOG-01", byServer, form, v, "Flush")
	case !writes:
		c.report("LOG-02", byServer, form, v, "Write and WriteString")
	default:
		c.report("LOG-03", byServer, form, v, "WriteLines")
	}
}

// parseLength parses a Content-Length: digits only.
func parseLength(s string) (n int64, ok bool) {
	if strings.Trim(s, "0123456789") != "" {
		return -1, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1, false
	}
	return n, true
}

// isProtocol reports whether s is HTTP/ and one or two digits with a dot
// between them, as HTTP/2 has no minor version, or what RFC 3875 has for a
// document that is a part of another one.
func isProtocol(s string) bool {
	if s == "INCLUDED" {
		return true
	}
	v, ok := strings.CutPrefix(s, "HTTP/")
	digit := func(i int) bool { return '0' <= v[i] && v[i] <= '9' }
	return ok && (len(v) == 1 && digit(0) || len(v) == 3 && digit(0) && v[1] == '.' && digit(2))
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
