package conformance

import (
	"strings"
	"sync"
)

// urlConnectionProbes look at persistent connections, and at many of them.
var urlConnectionProbes = []probe[*urlSubject]{
	onURL("HTTP-19", "one request after the other", func(s *urlRun) {
		c := s.dial()
		for i, method := range []string{"GET", s.harmless(), "GET", "OPTIONS", "GET"} {
			r, err := c.send(s.request(method)).receive(method)
			switch {
			case i > 0 && (err == errClosed || isReset(err)):
				return // a server may close when it likes
			case err != nil:
				s.fatalf("expected response %d on the connection, to %s, or its end, got %v", i+1, method, err)
			case method == "GET":
				s.same(r, "GET")
			}
			if !r.complete() {
				s.fatalf("expected response %d on the connection, to %s, to be complete, got %v", i+1, method, r)
			}
			if r.closes() {
				s.follow(c, r, method)
				return
			}
		}
	}),
	onURL("HTTP-19", "pipelined requests", func(s *urlRun) {
		c := s.dial()
		methods := []string{"GET", s.harmless(), "GET", s.harmless(), "GET"}
		var all strings.Builder
		for _, method := range methods {
			all.WriteString(s.request(method))
		}
		c.send(all.String())
		for i, method := range methods {
			r, err := c.receive(method)
			switch {
			case i > 0 && (err == errClosed || isReset(err)):
				return // a server may answer one at a time
			case err != nil:
				s.fatalf("expected response %d of %d pipelined ones, to %s, got %v", i+1, len(methods), method, err)
			case method == "GET":
				s.same(r, "a pipelined GET")
			}
			if !r.complete() {
				s.fatalf("expected response %d of %d pipelined ones, to %s, to be complete, got %v", i+1, len(methods), method, r)
			}
			if r.closes() {
				if rest, _ := c.ended(); rest != "" {
					s.faultf("expected nothing behind a response that closes the connection, got %q", shorten(rest))
				}
				return
			}
		}
	}),
	onURL("CGI-28", "absolute target", func(s *urlRun) {
		u := s.subject
		c := s.dial().send(s.requestFor("GET", u.scheme+"://"+u.host+u.target))
		r := s.receive(c, "GET")
		if r.code != u.first.code {
			s.faultf("expected an absolute target to be answered as its path is, with %d, got %v", u.first.code, r)
			return
		}
		s.same(r, "an absolute target")
		if r.complete() {
			s.follow(c, r, "an absolute target")
		}
	}),
	onURL("CGI-28", "OPTIONS *", func(s *urlRun) {
		c := s.dial().send(s.requestFor("OPTIONS", "*"))
		r := s.receive(c, "OPTIONS")
		if !r.complete() || r.code >= 500 && r.code != 501 {
			s.faultf("expected OPTIONS * to be answered or refused, got %v", r)
			return
		}
		s.follow(c, r, "OPTIONS *")
	}),
	onURL("EXP-01", "100 Continue", func(s *urlRun) {
		c := s.dial().send(s.request("GET", "Content-Length: 4", "Expect: 100-continue"))
		r, err := c.receiveAny("GET")
		if err != nil {
			s.fatalf("expected 100 Continue or a final response, while the body is held back, got %v", err)
		}
		if r.code != 100 {
			return // decided without the body, which is then not sent
		}
		r = s.receive(c.send("body"), "GET")
		if len(r.interim) > 0 {
			s.faultf("expected one interim response, got %d more", len(r.interim))
		}
		if r.complete() {
			s.follow(c, r, "a request with Expect")
		}
	}),
	onURL("EXP-05", "not for HTTP/1.0", func(s *urlRun) {
		c := s.dial().send("GET " + s.subject.target + " HTTP/1.0\r\nHost: " + s.subject.host + "\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
		if r := s.receive(c, "GET"); len(r.interim) > 0 {
			s.faultf("expected no interim response for HTTP/1.0, got %v", r.interim)
		}
	}),
	onURL("EXP-06", "not after the final head", func(s *urlRun) {
		c := s.dial().send(s.request("GET", "Content-Length: 4", "Expect: 100-continue"))
		r, err := c.receiveAny("GET")
		switch {
		case err != nil:
			s.skipf("there is no response to a request with Expect")
		case r.code == 100:
			r = s.receive(c.send("body"), "GET")
		case r.closes():
		default:
			c.send("body") // announced, and so a part of the request
		}
		if !r.closes() {
			c.send(s.requestFor("GET", s.subject.target, "Connection: close"))
		}
		if rest, _ := c.ended(); strings.HasPrefix(rest, "HTTP/1.1 100") {
			s.faultf("expected no interim response behind the final one, got %q", shorten(rest))
		}
	}),
	onURL("THR-02", "requests do not mix", func(s *urlRun) {
		const connections, rounds = 16, 3
		var all sync.WaitGroup
		conns := make([]*wireConn, connections)
		for i := range conns {
			conns[i] = s.open()
		}
		for i, c := range conns {
			all.Go(func() {
				for round := range rounds {
					method := []string{"GET", s.harmless()}[(i+round)%2]
					r, err := c.send(s.request(method)).receive(method)
					switch {
					case round > 0 && (err == errClosed || isReset(err)):
						return
					case err != nil:
						s.faultf("expected a response to %s on each of %d connections at once, got %v", method, connections, err)
						return
					case method == "GET" && r.code != 429 && r.code != 503: // one that is too busy may say so
						s.same(r, "GET")
					}
					if r.closes() || !r.complete() {
						return
					}
				}
			})
		}
		all.Wait()
	}),
}

// receiveAny reads one response, which may be an interim one.
func (c *wireConn) receiveAny(method string) (*wireResponse, error) {
	c.within(c.p.patience)
	r := new(wireResponse)
	if err := c.head(r); err != nil {
		return nil, err
	}
	if r.code >= 200 {
		c.body(r, method)
	}
	return r, nil
}
