package conformance

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// urlRun is a probe at work on a urlSubject.
type urlRun struct {
	*probing
	subject *urlSubject

	mu    sync.Mutex
	conns []net.Conn
}

func (s *urlRun) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
}

// connect opens a connection.
func (s *urlRun) connect() (*wireConn, error) {
	d := net.Dialer{Timeout: s.patience}
	nc, err := d.Dial("tcp", s.subject.addr)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.conns = append(s.conns, nc)
	s.mu.Unlock()
	if s.subject.tls != nil {
		secure := tls.Client(nc, s.subject.tls)
		secure.SetDeadline(time.Now().Add(s.patience))
		if err := secure.Handshake(); err != nil {
			return nil, err
		}
		secure.SetDeadline(time.Time{})
		nc = secure
	}
	c := &wireConn{Conn: nc, p: s.probing, wire: s.script.current().wire()}
	c.r = bufio.NewReader(c)
	c.within(s.patience)
	return c, nil
}

// dial begins an exchange: it opens a connection, or ends the probe. A fault
// that is found from now on is proved by what is on that connection.
func (s *urlRun) dial() *wireConn {
	s.script.begin("")
	return s.open()
}

// open opens one more connection of an exchange.
func (s *urlRun) open() *wireConn {
	c, err := s.connect()
	if err != nil {
		s.fatalf("expected the server to accept a connection, got %v", err)
	}
	return c
}

// request is the text of a request over HTTP/1.1 for the URL.
func (s *urlRun) request(method string, lines ...string) string {
	return s.requestFor(method, s.subject.target, lines...)
}

func (s *urlRun) requestFor(method, target string, lines ...string) string {
	return method + " " + target + " HTTP/1.1\r\nHost: " + s.subject.host + "\r\n" + joinLines(lines) + "\r\n"
}

// receive reads a response or ends the probe.
func (s *urlRun) receive(c *wireConn, method string) *wireResponse {
	r, err := c.receive(method)
	if err != nil {
		s.fatalf("%s", unreceived(method, err))
	}
	return r
}

// get returns the response to a request with the given method, which is read
// to its end.
func (s *urlRun) get(method string, lines ...string) *wireResponse {
	return s.receive(s.dial().send(s.request(method, lines...)), method)
}

// same checks that r answers GET as the server did before, as far as that can
// be told: what changes each time can have any body.
func (s *urlRun) same(r *wireResponse, what string) {
	if s.differs(r) && !s.moved() {
		first := s.subject.first
		s.faultf("expected the response to %s to be %d with %d bytes, as to the first GET, got %v", what, first.code, len(first.body), r)
	}
}

func (s *urlRun) differs(r *wireResponse) bool {
	first := s.subject.first
	return s.subject.steady.Load() && (r.code != first.code || r.body != first.body && r.complete())
}

// moved reports whether the page has changed in the meantime, as a fresh
// connection shows. From then on it is not compared.
func (s *urlRun) moved() bool {
	c, err := s.connect()
	if err != nil {
		return false
	}
	r, err := c.send(s.request("GET", "Connection: close")).receive("GET")
	if err != nil || r.code >= 500 || !s.differs(r) {
		return false
	}
	s.subject.steady.Store(false)
	return true
}

// follow sends a good request on a connection that was used for a complete
// response r, unless the server has said that it closes it: then nothing may
// come. It reports whether the connection could be used again.
func (s *urlRun) follow(c *wireConn, r *wireResponse, what string) bool {
	if r.closes() {
		if rest, _ := c.ended(); rest != "" {
			s.faultf("expected nothing behind the response to %s, which closes the connection, got %q", what, shorten(rest))
		}
		return false
	}
	next, err := c.send(s.request("GET")).receive("GET")
	switch {
	case errors.Is(err, errClosed) || isReset(err):
		return false
	case err != nil:
		s.faultf("expected the request behind %s to be answered or refused cleanly, got %v", what, err)
		return false
	}
	s.same(next, "the GET behind "+what)
	return true
}

// leaksOnHEAD reports whether the server sends a body for HEAD. Every probe
// that uses HEAD beside other methods would find it out again.
func (s *urlRun) leaksOnHEAD() bool {
	c, err := s.connect()
	if err != nil {
		return false
	}
	if _, err := c.send(s.request("HEAD", "Connection: close")).receive("HEAD"); err != nil {
		return false
	}
	rest, _ := c.ended()
	return rest != ""
}

// harmless returns HEAD, or GET where HEAD would spoil the connection.
func (s *urlRun) harmless() string {
	if s.subject.leaks {
		return "GET"
	}
	return "HEAD"
}

// isReset reports whether the server ended the connection and threw away what
// it was sent.
func isReset(err error) bool {
	return err != nil && bytes.Contains([]byte(err.Error()), []byte("reset by peer"))
}

// rawHead reads a response head line by line, and interprets nothing.
func (s *urlRun) rawHead(c *wireConn) (lines []string) {
	budget := maxWireHead
	for {
		line, err := c.line(&budget)
		if err != nil {
			s.fatalf("expected a response head, lines that end in CR LF and an empty one, got %q after %d lines, and then %v", line, len(lines), err)
		}
		if line == "" {
			return lines
		}
		lines = append(lines, line)
	}
}

// fieldsOf parses the lines behind a status line as they are.
func fieldsOf(lines []string) (headers wsgi.Headers) {
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers.Add(name, strings.Trim(value, " \t"))
	}
	return headers
}
