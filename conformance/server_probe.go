package conformance

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverSubject is a running server and the application that it serves.
type serverSubject struct {
	dispatcher    *dispatcher
	network, addr string // for net.Dial, to speak HTTP/1.x
	protocol      string // one of protocols: what the server itself speaks
	python        bool   // the dispatcher is called by a Python server
	tls           *tls.Config
	single        bool          // it runs one request at a time
	log           func() []byte // nil when nobody has it

	fate fate // where probes may end it
}

// serverRun is a probe at work on a server.
type serverRun struct {
	*probing
	subject *serverSubject
	record  *record
	path    string     // where the probe's application is
	conns   []net.Conn // under mu
	dialer  net.Dialer

	installed int
	called    atomic.Bool // one of the applications that were installed
	refusable bool        // the server may answer by itself
}

// onServer makes a probe of a function that works on a serverRun.
func onServer(rule, name string, run func(s *serverRun)) probe[*serverSubject] {
	return probe[*serverSubject]{rule, name, func(p *probing, subject *serverSubject) {
		s := &serverRun{probing: p, subject: subject, record: &record{probing: p}, dialer: net.Dialer{Timeout: p.patience}}
		defer func() {
			s.mu.Lock()
			conns := s.conns
			s.mu.Unlock()
			for _, c := range conns {
				c.Close()
			}
		}()
		run(s)
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.installed > 0 && !s.called.Load() && !s.refusable {
			s.skipped = "not decided: the server did not call the application"
		}
	}}
}

// app is the shape in which the probe applications are written.
type app = func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error)

// install makes a the application of the probe's requests, and begins an
// exchange of the transcript.
func (s *serverRun) install(a app) {
	x := s.script.begin("in the application")
	s.installed++
	a = s.transcribed(x, a)
	d := s.subject.dispatcher
	d.mu.Lock()
	defer d.mu.Unlock()
	d.n++
	segment := fmt.Sprintf("probe-%d", d.n)
	d.last = wsgi.AppFunc(a)
	d.apps[segment] = d.last
	s.path = "/" + segment
}

// dial opens a connection.
func (s *serverRun) dial() *wireConn {
	c, err := s.tryDial()
	if err != nil {
		s.fatalf("expected the server to accept a connection, got %v", err)
	}
	return c
}

// tryDial is dial for a server that may not be there.
func (s *serverRun) tryDial() (*wireConn, error) {
	nc, err := s.dialer.Dial(s.subject.network, s.subject.addr)
	if err != nil {
		return nil, err
	}
	if s.subject.tls != nil {
		nc = s.encrypted(nc)
	}
	s.keep(nc)
	c := &wireConn{Conn: nc, p: s.probing, wire: s.script.current().wire()}
	c.r = bufio.NewReader(c)
	return c, nil
}

// encrypted makes a connection with TLS of nc.
func (s *serverRun) encrypted(nc net.Conn) net.Conn {
	config := s.subject.tls.Clone()
	config.NextProtos = nil // HTTP/1.x
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(s.subject.addr)
	}
	c := tls.Client(nc, config)
	c.SetDeadline(time.Now().Add(s.patience))
	if err := c.Handshake(); err != nil {
		nc.Close()
		s.fatalf("expected the server to speak TLS, got %v", err)
	}
	c.SetDeadline(time.Time{})
	return c
}

// keep makes c be closed at the end of the probe.
func (s *serverRun) keep(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, c)
}

// request is the text of a request over HTTP/1.1.
func (s *serverRun) request(method, path string, lines ...string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: conformance.test\r\n" + joinLines(lines) + "\r\n"
}

func joinLines(lines []string) (head string) {
	for _, line := range lines {
		head += line + "\r\n"
	}
	return head
}

// receive reads a response or ends the probe.
func (s *serverRun) receive(c *wireConn, method string) *wireResponse {
	r, err := c.receive(method)
	if err != nil {
		s.fatalf("%s", unreceived(method, err))
	}
	return r
}

// unreceived is the fault of a request to which err came in the place of a
// response.
func unreceived(method string, err error) string {
	switch {
	case err == errClosed:
		return "expected a response to " + method + ", " + err.Error()
	case isTimeout(err):
		return "expected a response to " + method + ", nothing more came in time"
	}
	return "expected a response to " + method + ", got a malformed one: " + err.Error()
}

// fromElsewhere makes the connections of a probe come from another address of
// the loopback network, where there is one. Servers such as gunicorn trust
// their own host by default, as a proxy on it, and no other.
func (s *serverRun) fromElsewhere() {
	host, _, err := net.SplitHostPort(s.subject.addr)
	if ip := net.ParseIP(host); err != nil || s.subject.network != "tcp" || !ip.IsLoopback() || ip.To4() == nil {
		return
	}
	s.dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
	c, err := s.tryDial()
	if err != nil { // not every system has more than 127.0.0.1
		s.dialer.LocalAddr = nil
		return
	}
	c.Close()
}

// get sends a request for the probe's application and returns the response.
// Then it sees that the connection is fit for a further request, or closed:
// whatever the application does, a response must not run into the next one.
func (s *serverRun) get(a app) *wireResponse { return s.do("GET", "", a) }

func (s *serverRun) do(method, body string, a app) *wireResponse {
	s.install(a)
	return s.again(method, body)
}

// again is do with the application that is installed.
func (s *serverRun) again(method, body string) *wireResponse {
	c := s.dial()
	var lines []string
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	c.send(s.request(method, s.path, lines...) + body)
	r := s.receive(c, method)
	// Bytes of a body behind a head that has none are the affair of the rules
	// that forbid them, and not of every probe that makes such a request.
	if r.complete() && (r.framing != "none" || bodilessRules[s.rule]) {
		s.follow(c)
	}
	return r
}

// bodilessRules forbid a body behind the head of some response.
var bodilessRules = map[string]bool{"HTTP-15": true, "HTTP-16": true, "FILE-16": true}

// alone is do with a connection that is not used again, for applications whose
// response may well spoil it.
func (s *serverRun) alone(method string, a app) *wireResponse {
	s.install(a)
	return s.receive(s.dial().send(s.request(method, s.path)), method)
}

// provoke makes a request whose response, if there is one, is the affair of
// another rule, and waits until it has ended.
func (s *serverRun) provoke(method string, a app) {
	s.install(a)
	s.dial().send(s.request(method, s.path)).receive(method)
}

// unmarked ends a probe of responses that are cut where the server ends this
// one by closing the connection: then nobody can tell.
func (s *serverRun) unmarked(r *wireResponse) {
	if r.framing == "close" {
		s.skipf("the response %q has no other end than that of the connection", r.line)
	}
}

// follow sends a good request on a connection that was used, and expects the
// good answer or the end of the connection.
func (s *serverRun) follow(c *wireConn) {
	if err := s.next(c); err != nil {
		s.fatalf("%v", err)
	}
}

// next is follow for who can go on.
//
// Where the server has said that it closes the connection, a client sends
// nothing more, RFC 9112, section 9.6: one that reads what is left before it
// closes, as Werkzeug's does, would wait for the rest of that.
func (s *serverRun) next(c *wireConn) error {
	before := c.wire.length()
	if c.last != nil && c.last.closes() {
		if rest, _ := c.ended(); rest != "" {
			return fmt.Errorf("expected nothing behind a response that closes the connection, got %q", shorten(rest))
		}
		c.wire.cut(before)
		return nil
	}
	c.send(s.request("GET", goodPath))
	next, err := c.receive("GET")
	switch {
	case err == errClosed:
	case isTimeout(err):
		return errors.New("expected a response to the next request on this connection, or its end; neither came in time")
	case err != nil:
		return fmt.Errorf("expected a response to the next request on this connection, or its end, got a damaged one: %w", err)
	case next.code != 200 || next.body != goodBody || !next.complete():
		return fmt.Errorf("expected the next response on the connection to be 200 with %q, or its end, got %v", goodBody, next)
	}
	c.wire.cut(before) // what went well proves nothing
	return nil
}

// expect checks status and body of a response that must be complete.
func (s *serverRun) expect(r *wireResponse, code int, body string) {
	if r.code != code || r.body != body || !r.complete() {
		s.faultf("expected a complete response %d with body %q, got %v", code, body, r)
	}
}

// expectError checks that r is a response of the server's own making.
func (s *serverRun) expectError(r *wireResponse) {
	if r.code != 500 || !r.complete() {
		s.faultf("expected a complete response 500, got %v", r)
	}
}

// happening has words for the events that probes wait for.
var happening = map[string]string{
	"close":   "the body to be closed",
	"next":    "the server to ask for the block after the first",
	"waits":   "the server to call the application and to iterate its body",
	"read":    "the application's read of the input to return",
	"written": "the application's write to return",
}

// await waits for an event of the application.
func (s *serverRun) await(event string) {
	if !s.record.await(event, s.patience) {
		s.fatalf("expected %s, it did not happen within %v", happening[event], s.patience)
	}
}

// answer is an application that answers with a recorded body without length.
func (s *serverRun) answer(status string, headers wsgi.Headers, blocks wsgi.Generator) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		s.record.addAs("call", "")
		if _, err := start(status, headers.Clone(), nil); err != nil {
			s.record.addAs("refused", "")
			return nil, err
		}
		return s.body(blocks), nil
	}
}

func (s *serverRun) body(blocks wsgi.Generator) *recorded {
	return &recorded{record: s.record, blocks: blocks}
}
