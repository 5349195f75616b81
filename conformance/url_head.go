package conformance

import (
	"net/http"
	"regexp"
	"strings"
)

var (
	statusForm = regexp.MustCompile(`^HTTP/1\.[01] [1-9][0-9]{2} [\t -~\x80-\xff]*$`)
	tokenForm  = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")
	valueForm  = regexp.MustCompile(`^[\t -~\x80-\xff]*$`)
)

// urlHeadProbes look at status and headers of the answers to GET, HEAD and to
// a request for what is not there.
var urlHeadProbes = []probe[*urlSubject]{
	onRawURL("HDR-01", "status line", func(s *urlRun) {
		s.heads(func(what string, lines []string) {
			if len(lines) == 0 || !statusForm.MatchString(lines[0]) {
				s.faultf("expected a status line for %s: a version, three digits and a phrase, with one blank between them, got %q", what, lines[:min(1, len(lines))])
			}
		})
	}),
	onRawURL("HDR-09", "names of fields", func(s *urlRun) {
		s.heads(func(what string, lines []string) {
			for _, line := range lines[1:] {
				name, _, ok := strings.Cut(line, ":")
				if !ok || !tokenForm.MatchString(name) {
					s.faultf("expected a field name and a colon in each line of the head for %s, got %q", what, line)
				}
			}
		})
	}),
	onRawURL("HDR-11", "values of fields", func(s *urlRun) {
		s.heads(func(what string, lines []string) {
			for _, line := range lines[1:] {
				if _, value, _ := strings.Cut(line, ":"); !valueForm.MatchString(value) {
					s.faultf("expected no control character in a field value for %s, got the line %q", what, line)
				}
			}
		})
	}),
	onURL("HDR-15", "hop-by-hop headers", func(s *urlRun) {
		s.answers(func(r *wireResponse) {
			for _, name := range []string{"TE", "Proxy-Connection", "Proxy-Authorization", "Proxy-Authenticate"} {
				if r.headers.Has(name) && !(name == "Proxy-Authenticate" && r.code == http.StatusProxyAuthRequired) {
					s.faultf("expected no header %s in a response, got %q", name, r.headers.Get(name))
				}
			}
		})
	}),
	onURL("HDR-16", "Date", func(s *urlRun) {
		s.answers(func(r *wireResponse) {
			if _, err := http.ParseTime(r.headers.Get("Date")); err != nil && r.code < 500 {
				s.faultf("expected a Date in %q, got %q", r.line, r.headers.Values("Date"))
			}
		})
	}),
	onURL("HDR-17", "one Date and one Server", func(s *urlRun) {
		s.answers(func(r *wireResponse) {
			for _, name := range []string{"Date", "Server"} {
				if values := r.headers.Values(name); len(values) > 1 {
					s.faultf("expected one header %s at most in %q, got %q", name, r.line, values)
				}
			}
		})
	}),
	onURL("HDR-19", "no header Status", func(s *urlRun) {
		s.answers(func(r *wireResponse) {
			if r.headers.Has("Status") {
				s.faultf("expected the status to be in the status line alone, got the header Status: %q", r.headers.Get("Status"))
			}
		})
	}),
	onRawURL("LEN-10", "Content-Length", func(s *urlRun) {
		s.heads(func(what string, lines []string) {
			for _, value := range fieldsOf(lines[1:]).Values("Content-Length") {
				if value == "" || strings.Trim(value, "0123456789") != "" {
					s.faultf("expected a Content-Length of digits for %s, got %q", what, value)
				}
			}
		})
	}),
	onRawURL("LEN-11", "one Content-Length", func(s *urlRun) {
		s.heads(func(what string, lines []string) {
			if values := fieldsOf(lines[1:]).Values("Content-Length"); len(values) > 1 {
				s.faultf("expected one Content-Length for %s, got %q", what, values)
			}
		})
	}),
}

// missing is a path that hardly anything has.
const missing = "/gowsgi-conformance-no-such-page"

// asked returns the requests whose answers are looked at, by what they are.
func (s *urlRun) asked() [][2]string {
	return [][2]string{
		{"GET", s.request("GET")},
		{"HEAD", s.request("HEAD")},
		{"GET " + missing, s.requestFor("GET", missing)},
	}
}

// heads calls look with the head of the answer to each request, line by line.
func (s *urlRun) heads(look func(what string, lines []string)) {
	for _, q := range s.asked() {
		c := s.dial().send(q[1])
		lines := s.rawHead(c)
		if len(lines) == 0 {
			lines = []string{""}
		}
		look(q[0], lines)
		c.Close()
	}
}

// answers calls look with the answer to each request.
func (s *urlRun) answers(look func(r *wireResponse)) {
	for _, q := range s.asked() {
		method, _, _ := strings.Cut(q[0], " ")
		look(s.receive(s.dial().send(q[1]), method))
	}
}
