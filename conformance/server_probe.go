package conformance

import (
	"bufio"
	"crypto/tls"
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
	printed       bool          // log is what the server prints, and it may log elsewhere

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

	logFrom   int // where in the log this probe begins
	installed int
	called    atomic.Bool // one of the applications that were installed
	writeless atomic.Bool // start_response returned no write to one that needs it
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
			if s.writeless.Load() { // and whatever was missed for that is no fault of its own
				s.withdraw()
				s.left("START-02", "start_response returns no write")
			}
		}()
		run(s)
		if s.installed > 0 && !s.called.Load() && !s.refusable {
			s.skipf("not decided: the server did not call the application")
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
