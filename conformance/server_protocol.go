package conformance

import (
	"fmt"
	"net"
	"slices"

	"github.com/gowsgi/gowsgi/conformance/frontend"
)

// protocols are the values of Suite.Protocol.
var protocols = []string{"http", "h2c", "fastcgi", "scgi", "uwsgi", "cgi"}

// frontEnd stands between the probes and a server that does not speak
// HTTP/1.x.
type frontEnd interface {
	Addr() net.Addr
	Close() error
}

// listenFrontEnd is the one seam to package frontend: it starts a front end
// that accepts HTTP/1.x on loopback and passes each request on to
// (network, addr) in the given protocol.
var listenFrontEnd = func(protocol, network, addr string) (frontEnd, error) {
	f, err := frontend.Listen(protocol, network, addr)
	if err != nil {
		return nil, err // and not a frontEnd that is a nil pointer
	}
	return f, nil
}

// reach makes a subject of a server that runs, and puts a front end before it
// where the probes cannot speak to it directly. close ends the front end, and
// not the server.
func (s Suite) reach(d *dispatcher, network, addr string) (subject *serverSubject, close func() error, err error) {
	subject = &serverSubject{dispatcher: d, network: network, addr: addr, protocol: s.Protocol, python: s.Python, tls: s.TLS, single: s.SingleThread, log: s.Log}
	if s.Log == nil {
		subject.log, subject.printed = s.Output, s.Output != nil
	}
	if subject.protocol == "" {
		subject.protocol = "http"
	}
	switch {
	case !slices.Contains(protocols, subject.protocol):
		return nil, nil, fmt.Errorf("conformance: unknown protocol %q, expected one of %q", s.Protocol, protocols)
	case s.TLS != nil && subject.protocol != "http":
		return nil, nil, fmt.Errorf("conformance: TLS is for the protocol http, not for %s", s.Protocol)
	case subject.protocol == "http":
		return subject, func() error { return nil }, nil
	}
	front, err := listenFrontEnd(subject.protocol, network, addr)
	if err != nil {
		return nil, nil, fmt.Errorf("conformance: the front end for %s: %w", s.Protocol, err)
	}
	subject.network, subject.addr = front.Addr().Network(), front.Addr().String()
	return subject, front.Close, nil
}

// Reasons of the probes that do not apply to a subject.
const (
	frontEndsAffair = "the front end's affair: the server under test speaks %s and does not see it"
	noMark          = "%s cannot tell the end of a response from a cut"
)

// onHTTP1 ends a probe of the wire of HTTP/1.x where the server does not speak
// it: framing, connections, the form of a request.
func (s *serverRun) onHTTP1() {
	if !s.http1() {
		s.skipf(frontEndsAffair, s.subject.protocol)
	}
}

// onNewHTTP ends a probe of what HTTP/1.1 brought where the server answers in
// the words of HTTP/1.0.
func (s *serverRun) onNewHTTP() {
	c := s.dial().send(s.request("GET", goodPath))
	if r, err := c.receive("GET"); err == nil && r.proto == "HTTP/1.0" {
		s.skipf("the server speaks HTTP/1.0")
	}
}

// onHTTP ends a probe of what is made of HTTP of any version where a gateway
// protocol hands it over ready-made.
func (s *serverRun) onHTTP() {
	if s.subject.protocol != "http" && s.subject.protocol != "h2c" {
		s.skipf(frontEndsAffair, s.subject.protocol)
	}
}

// onMarkedEnd ends a probe of cut responses where the protocol has no mark for
// the end of a response whose length is not declared.
func (s *serverRun) onMarkedEnd() {
	switch s.subject.protocol {
	case "scgi", "uwsgi", "cgi":
		s.skipf(noMark, s.subject.protocol)
	}
}

// http1 reports whether the server itself reads and writes HTTP/1.x.
func (s *serverRun) http1() bool { return s.subject.protocol == "http" }

// onlyGo ends a probe of what exists in Go alone, when the server under test
// is one for Python.
func (s *serverRun) onlyGo(what string) {
	if s.subject.python {
		s.skipf("Python has no counterpart: %s", what)
	}
}

// oldRequest is a request without Host over HTTP/1.0, where the server itself
// can get one, and else one that it can get.
func (s *serverRun) oldRequest(path string) string {
	if !s.http1() {
		return s.request("GET", path)
	}
	return "GET " + path + " HTTP/1.0\r\n\r\n"
}
