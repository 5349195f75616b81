package conformance

import (
	"fmt"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// pythonInputProbes look at the types that wsgi.input gives, and at what a
// file object of Python's does besides.
var pythonInputProbes = []probe[*serverSubject]{
	onPython("STR-11", "bytes from wsgi.input", func(s *serverRun) {
		for _, pair := range items(s.fact(s.post("line\nline\nline\n"), "input_types")) {
			if pair := items(pair); len(pair) != 2 || pair[1] != "bytes" {
				s.faultf("expected bytes of wsgi.input, got %v", pair)
			}
		}
	}),
	onPython("STR-11", "bytes from readlines", func(s *serverRun) {
		for _, class := range s.readlinesTypes()[1:] {
			if class != "bytes" {
				s.faultf("expected bytes in the list that readlines gives, got %v", class)
			}
		}
	}),
	onPython("INPUT-03", "readlines gives a list", func(s *serverRun) {
		if class := s.readlinesTypes()[0]; class != "list" {
			s.faultf("expected readlines to give a list, got a %v", class)
		}
	}),
	onPython("INPUT-09", "read without a size", func(s *serverRun) { s.restOf("read()") }),
	onPython("INPUT-05", "read with a negative size", func(s *serverRun) {
		s.reading("AMB-17")
		s.restOf("read(-1)")
	}),
	onPython("INPUT-05", "read of None", func(s *serverRun) {
		s.reading("AMB-17")
		s.restOf("read(None)")
	}),
	onPython("INPUT-05", "read of nothing", func(s *serverRun) {
		if got := string(s.bytesOf(s.fact(s.post("abc"), "read_size", 0))); got != "" {
			s.faultf("expected read(0) to return nothing, got %q", got)
		}
	}),
	onPython("INPUT-05", "read waits for what it was asked for", func(s *serverRun) {
		s.install(s.reader(func(in wsgi.InputStream) {
			s.record.add("reads")
			b := make([]byte, 8)
			n, err := in.Read(b) // one call of Python's read(8)
			s.same("read(8)", string(b[:n]), "abcdefgh", err)
		}))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 8") + "abc")
		// A server that reads the body before it calls does not call yet.
		s.record.await("reads", min(20*moment, s.patience))
		time.Sleep(moment)
		c.send("defgh")
		s.answered(c, "POST")
	}),
}

// post is a request with a body, in which /PROBE stands for the path.
func (s *serverRun) post(body string) string {
	return s.request("POST", "/PROBE", fmt.Sprintf("Content-Length: %d", len(body))) + body
}

// readlinesTypes returns the types of what readlines gives, and of what is in
// it.
func (s *serverRun) readlinesTypes() []any {
	types := items(s.fact(s.post(inputLines), "readlines_types", len(inputLines)-1))
	if len(types) == 0 {
		s.fatalf("expected the types of what readlines gives, got none")
	}
	return types
}

// restOf asks for all that is left of a body in one of Python's ways.
func (s *serverRun) restOf(how string) {
	s.untilEnd("the whole body", s.pythonApp(func(py pythonSide, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		value, err := py.Fact("read", how)
		s.same(how, string(s.bytesOf(value)), "the whole body", err)
		return s.sized("read")(environ, start)
	}))
}

func (s *serverRun) bytesOf(value any) []byte {
	b, ok := value.([]byte)
	if !ok && value != nil {
		s.faultf("expected bytes, got %T", value)
	}
	return b
}
