package conformance

import (
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverExpectProbes look at 100 Continue.
var serverExpectProbes = []probe[*serverSubject]{
	onServer("EXP-01", "100 Continue", func(s *serverRun) {
		s.onHTTP1()
		s.onNewHTTP()
		s.install(s.reader(func(in wsgi.InputStream) { s.declared(in, "body") }))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 4", "Expect: 100-continue"))
		c.within(s.patience)
		r := new(wireResponse)
		if err := c.head(r); err != nil || r.code != 100 {
			s.fatalf("expected 100 Continue before the body is sent, got %s", got(quote(r.line), err))
		}
		c.send("body")
		s.answered(c, "POST")
		s.follow(c)
	}),
	onServer("EXP-05", "not for HTTP/1.0", func(s *serverRun) {
		s.onHTTP1()
		s.install(s.reader(func(in wsgi.InputStream) { io.ReadFull(in, make([]byte, 4)) }))
		c := s.dial().send("POST " + s.path + " HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
		if r := s.receive(c, "POST"); len(r.interim) > 0 {
			s.faultf("expected no interim response for HTTP/1.0, got %v", r.interim)
		}
	}),
	onServer("EXP-06", "not after the final head", func(s *serverRun) {
		s.onHTTP1()
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText("Content-Length", "8"), nil)
			return s.body(func(yield func([]byte, error) bool) {
				if yield([]byte("head"), nil) {
					io.ReadFull(environ.Input(), make([]byte, 4))
					yield([]byte("tail"), nil)
				}
			}), nil
		})
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 4", "Expect: 100-continue"))
		// The first that comes is the head, or 100 Continue of a server that
		// sends it at once or reads the body before it calls.
		c.within(s.patience)
		c.r.Peek(1)
		c.send("body")
		r := s.receive(c, "POST") // a 100 before the head is the server's good right
		switch {
		case strings.HasPrefix(r.body, "headHTTP"):
			s.faultf("expected no interim response after the final head, got %v", r)
		case r.complete():
			s.follow(c)
		}
	}),
}
