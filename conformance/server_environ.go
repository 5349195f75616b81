package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverEnvironProbes look at the dictionary.
var serverEnvironProbes = []probe[*serverSubject]{
	onServer("ENV-03", "required variables", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE"))
		for _, key := range requiredKeys {
			if e[key] == nil {
				s.faultf("expected the environ to have %s, it has not", key)
			}
		}
	}),
	onServer("ENV-05", "names of variables", func(s *serverRun) {
		for key := range s.environ(s.request("GET", "/PROBE")) {
			if strings.Contains(key, ".") && !extensionKey.MatchString(key) {
				s.faultf("expected lower-case letters, digits, dots and underscores in a variable's name, got %q", key)
			}
		}
	}),
	onServer("ENV-07", "CGI variables are strings", func(s *serverRun) {
		for key, value := range s.environ(s.request("POST", "/PROBE?q", "Content-Length: 2", "Content-Type: a/b") + "ab") {
			if _, ok := value.(string); !ok && !strings.Contains(key, ".") {
				s.faultf("expected a string in %s, got %T", key, value)
			}
		}
	}),
	onServer("ENV-08", "nothing without a value", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE"))
		if user, ok := e["REMOTE_USER"]; ok {
			s.faultf("expected no REMOTE_USER without authentication, got %q", user)
		}
		for key, value := range e {
			if value == nil {
				s.faultf("expected a variable without a value to be left out, %s is nil", key)
			}
		}
	}),
	onServer("ENV-09", "further variables", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE"))
		if s.subject.network == "tcp" && e["REMOTE_ADDR"] == nil {
			s.faultf("expected REMOTE_ADDR for a client over TCP, there is none")
		}
	}),
	onServer("ENV-14", "wsgi.version", func(s *serverRun) {
		if got := s.environ(s.request("GET", "/PROBE"))["wsgi.version"]; got != [2]int{1, 0} {
			s.faultf("expected wsgi.version to be [2]int{1, 0}, got %#v", got)
		}
	}),
	onServer("ENV-15", "wsgi.url_scheme", func(s *serverRun) {
		want := "http"
		if s.subject.tls != nil {
			want = "https"
		}
		s.variables(s.request("GET", "/PROBE"), "wsgi.url_scheme", want)
	}),
	onServer("ENV-16", "wsgi.input", func(s *serverRun) {
		if in, ok := s.environ(s.request("GET", "/PROBE"))["wsgi.input"].(wsgi.InputStream); !ok {
			s.faultf("expected a wsgi.InputStream in wsgi.input, got %T", in)
		}
	}),
	onServer("ENV-17", "wsgi.errors", func(s *serverRun) {
		if errs, ok := s.environ(s.request("GET", "/PROBE", "User-Agent: conformance"))["wsgi.errors"].(wsgi.ErrorStream); !ok {
			s.faultf("expected a wsgi.ErrorStream in wsgi.errors, got %T", errs)
		}
	}),
	onServer("ENV-20", "flags", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE"))
		for _, key := range []string{"wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once"} {
			if _, ok := e[key].(bool); !ok && e[key] != nil { // or ENV-03 is broken
				s.faultf("expected a bool in %s, got %T", key, e[key])
			}
		}
		if e["wsgi.run_once"] == true && s.subject.protocol != "cgi" {
			s.faultf("expected wsgi.run_once to be false in a process that has served many requests, it is true")
		}
	}),
	onServer("CGI-01", "REQUEST_METHOD", func(s *serverRun) {
		s.variables(s.request("DELETE", "/PROBE"), "REQUEST_METHOD", "DELETE")
	}),
	onServer("CGI-30", "method as sent", func(s *serverRun) {
		s.variables(s.request("PROPFIND", "/PROBE"), "REQUEST_METHOD", "PROPFIND")
		if e := s.environOrRefusal(s.request("get", "/PROBE")); e != nil && e["REQUEST_METHOD"] != "get" {
			s.faultf("expected the method get as it is, or a refusal; got %v", e["REQUEST_METHOD"])
		}
	}),
	onServer("CGI-10", "no invented CONTENT_TYPE and CONTENT_LENGTH", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE"))
		for _, key := range []string{"CONTENT_TYPE", "CONTENT_LENGTH"} {
			if key == "CONTENT_LENGTH" && s.subject.protocol == "scgi" && e[key] == "0" {
				continue // SCGI wants a number in every request
			}
			if e[key] != nil && e[key] != "" { // empty or absent: CGI-05, CGI-06
				s.faultf("expected %s to be empty or absent for a request without that header, got %#v", key, e[key])
			}
		}
	}),
	onServer("CGI-27", "CONTENT_TYPE and CONTENT_LENGTH", func(s *serverRun) {
		s.variables(s.request("POST", "/PROBE", "Content-Type: a/b; c=\"d\"", "Content-Length: 3")+"abc", "CONTENT_TYPE", `a/b; c="d"`, "CONTENT_LENGTH", "3")
	}),
	onServer("CGI-07", "SERVER_NAME", func(s *serverRun) { s.neverEmpty("SERVER_NAME") }),
	onServer("CGI-08", "SERVER_PORT", func(s *serverRun) { s.neverEmpty("SERVER_PORT") }),
	onServer("CGI-22", "SERVER_PORT in digits", func(s *serverRun) {
		switch port, _ := s.environ(s.request("GET", "/PROBE"))["SERVER_PORT"].(string); {
		case port == "":
			s.left("CGI-08", "SERVER_PORT is no string that could have digits")
		case strings.Trim(port, "0123456789") != "":
			s.faultf("expected digits in SERVER_PORT, got %q", port)
		}
	}),
	onServer("CGI-09", "SERVER_PROTOCOL", func(s *serverRun) {
		s.onHTTP1()
		s.variables(s.request("GET", "/PROBE"), "SERVER_PROTOCOL", "HTTP/1.1")
		s.variables("GET /PROBE HTTP/1.0\r\n\r\n", "SERVER_PROTOCOL", "HTTP/1.0")
	}),
	onServer("CGI-10", "as many headers as were sent", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE", "Accept: */*", "X-One: 1", "Pragma: x"))
		var got []string
		for _, key := range slices.Sorted(maps.Keys(e)) {
			if strings.HasPrefix(key, "HTTP_") {
				got = append(got, key)
			}
		}
		if want := []string{"HTTP_ACCEPT", "HTTP_HOST", "HTTP_PRAGMA", "HTTP_X_ONE"}; !slices.Equal(got, want) {
			s.faultf("expected a variable for each header that was sent, %q, got %q", want, got)
		}
	}),
	onServer("CGI-11", "names of headers", func(s *serverRun) {
		s.onHTTP()
		s.variables(s.request("GET", "/PROBE", "x-fOO-bar-2: v"), "HTTP_X_FOO_BAR_2", "v")
	}),
	onServer("CGI-12", "no HTTP_CONTENT_TYPE and HTTP_CONTENT_LENGTH", func(s *serverRun) {
		s.variables(s.request("POST", "/PROBE", "Content-Type: a/b", "Content-Length: 1")+"x", "HTTP_CONTENT_TYPE", nil, "HTTP_CONTENT_LENGTH", nil)
	}),
	onServer("CGI-21", "malformed Content-Length", func(s *serverRun) {
		s.onHTTP1()
		for _, length := range []string{"+4", "abc", "-1", "3 4"} {
			if e := s.environOrRefusal(s.request("POST", "/PROBE", "Content-Length: "+length, "Connection: close") + "abcd"); e != nil {
				s.faultf("expected Content-Length: %s to be refused (RFC 9112, section 6.3), the application was called with CONTENT_LENGTH %v", length, present(e["CONTENT_LENGTH"]))
			}
		}
	}),
	onServer("CGI-23", "repeated headers", func(s *serverRun) {
		s.onHTTP()
		e := s.environ(s.request("GET", "/PROBE", "X-Foo: bar", "Cookie: a=1", "X-Foo: baz", "Cookie: b=2"))
		if got, _ := e["HTTP_X_FOO"].(string); strings.ReplaceAll(got, " ", "") != "bar,baz" {
			s.faultf("expected repeated headers in order and with a comma, %q, got %q", "bar, baz", got)
		}
		if got := e["HTTP_COOKIE"]; got != "a=1; b=2" {
			s.reading("AMB-19")
			s.faultf("expected repeated Cookie headers as %q, got %q", "a=1; b=2", got)
		}
	}),
	onServer("CGI-24", "underscore in a name", func(s *serverRun) {
		s.onHTTP()
		if e := s.environOrRefusal(s.request("GET", "/PROBE", "X_Under: forged", "X-Under: true")); e != nil && e["HTTP_X_UNDER"] != "true" {
			s.faultf("expected X_Under not to pose as X-Under, HTTP_X_UNDER is %q", e["HTTP_X_UNDER"])
		}
	}),
	onServer("CGI-25", "Proxy header", func(s *serverRun) {
		s.variables(s.request("GET", "/PROBE", "Proxy: http://evil.test"), "HTTP_PROXY", nil)
	}),
	onServer("CGI-26", "blanks and empty values", func(s *serverRun) {
		s.variables(s.request("GET", "/PROBE", "X-Blank:   v w  ", "X-Empty:"), "HTTP_X_BLANK", "v w", "HTTP_X_EMPTY", "")
	}),
	onServer("CGI-27", "values byte for byte", func(s *serverRun) {
		long := strings.Repeat("0123456789", 100)
		s.variables(s.request("GET", "/PROBE", "X-Latin: caf\xe9", "X-Long: "+long), "HTTP_X_LATIN", "caf\xe9", "HTTP_X_LONG", long)
	}),
	onServer("CGI-33", "Authorization", func(s *serverRun) {
		s.reading("AMB-39")
		s.variables(s.request("GET", "/PROBE", "Authorization: Basic eA=="), "HTTP_AUTHORIZATION", "Basic eA==")
	}),
	onServer("CGI-34", "no variable without prefix", func(s *serverRun) {
		s.variables(s.request("GET", "/PROBE", "Cookie: a=1", "Host-Name: h"), "COOKIE", nil, "HOST_NAME", nil, "HOST", nil)
	}),
}

// neverEmpty checks a variable that no request is without, be it with a Host or
// not.
func (s *serverRun) neverEmpty(key string) {
	for _, raw := range []string{s.request("GET", "/PROBE"), s.oldRequest("/PROBE")} {
		switch value := s.environ(raw)[key].(type) {
		case string:
			if value == "" {
				s.faultf("expected %s never to be empty, it is for %q", key, raw)
			}
		case nil:
			s.faultf("expected %s in every environ, it is absent for %q", key, raw)
		default:
			s.left("ENV-07", fmt.Sprintf("%s is a %T", key, value))
		}
	}
}

// requiredKeys are the variables of every environ (ENV-03, CGI-09).
var requiredKeys = []string{
	"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "wsgi.version", "wsgi.url_scheme", "wsgi.input",
	"wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
}

var extensionKey = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)

// environ sends a request, in which /PROBE stands for the path, and returns
// the environ that the application got.
func (s *serverRun) environ(raw string) map[string]any {
	e := s.environOrRefusal(raw)
	if e == nil {
		s.fatalf("expected the request %q to reach the application, it was refused", raw)
	}
	return e
}

// environOrRefusal is environ for requests that the server may refuse: it is
// nil then.
func (s *serverRun) environOrRefusal(raw string) map[string]any {
	s.refusable = true
	got := make(chan map[string]any, 1)
	s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		select {
		case got <- environ.Map():
		default:
		}
		return s.sized("ok")(environ, start)
	})
	method, _, _ := strings.Cut(raw, " ")
	r, err := s.dial().send(strings.Replace(raw, "/PROBE", s.path, 1)).receive(method)
	select {
	case e := <-got:
		return e
	default:
	}
	if err != nil && err != errClosed {
		s.fatalf("expected a response or the end of the connection to %q, got %v", raw, err)
	}
	if err == nil && r.code < 400 && method != "OPTIONS" {
		s.fatalf("expected a refusal of %q when the application is not called, got %v", raw, r)
	}
	return nil
}

// variables checks variables of the environ of one request: names and values
// in turn, nil for a variable that must be absent.
func (s *serverRun) variables(raw string, want ...any) {
	e := s.environ(raw)
	for i := 0; i < len(want); i += 2 {
		if got := e[want[i].(string)]; got != want[i+1] {
			s.faultf("expected %s to be %s, got %s", want[i], present(want[i+1]), present(got)) // what was sent is told besides
		}
	}
}

// present shows the value of a variable, nil for one that is not there.
func present(value any) string {
	if value == nil {
		return "absent"
	}
	return fmt.Sprintf("%#v", value)
}
