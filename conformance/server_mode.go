package conformance

import (
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverModeProbes look at what holds when the server was started in a certain
// way: with TLS, for one request at a time, as a program for each request.
var serverModeProbes = []probe[*serverSubject]{
	onServer("ENV-10", "variables of TLS", func(s *serverRun) {
		if s.subject.tls == nil {
			s.skipf("the server was started without TLS (Suite.TLS)")
		}
		e := s.environ(s.request("GET", "/PROBE"))
		if e["HTTPS"] != "on" {
			s.faultf("expected HTTPS to be on over TLS, got %#v", e["HTTPS"])
		}
		for _, key := range []string{"SSL_PROTOCOL", "SSL_CIPHER"} {
			if value, _ := e[key].(string); value == "" {
				s.faultf("expected %s over TLS, got %#v", key, e[key])
			}
		}
	}),
	onServer("THR-01", "one request at a time", func(s *serverRun) {
		if !s.subject.single {
			s.skipf("the server was not started in a mode for one request at a time (Suite.SingleThread)")
		}
		inside := &crowd{company: make(chan struct{})}
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Get("wsgi.multithread") == true {
				s.faultf("expected wsgi.multithread to be false where one request runs at a time, it is true")
			}
			inside.enter()
			body := s.body(func(yield func([]byte, error) bool) {
				if yield([]byte("a"), nil) {
					inside.wait()
					yield([]byte("b"), nil)
				}
			})
			_, err := start("200 OK", plainText(), nil)
			return &leaving{body, inside}, err
		})
		s.together(3, func(int) {
			s.receive(s.dial().send(s.request("GET", s.path)), "GET")
		})
		if n := inside.most(); n > 1 {
			s.faultf("expected one request at a time in the application, from its call to the Close of its body, there were %d", n)
		}
	}),
	onServer("SRV-11", "flags of a program for one request", func(s *serverRun) {
		s.onOneShot()
		s.variables(s.request("GET", "/PROBE"), "wsgi.run_once", true, "wsgi.multiprocess", true, "wsgi.multithread", false)
	}),
	onServer("STR-12", "bytes of the process's environment", func(s *serverRun) {
		s.onOneShot()
		s.pathInfo("/x/%FF%E9%C3%A9", "/x/\xff\xe9\xc3\xa9")
	}),
}

// onOneShot ends a probe of gateways that run a program for each request.
func (s *serverRun) onOneShot() {
	if s.subject.protocol != "cgi" {
		s.skipf("the server does not run a program for each request")
	}
}

// crowd counts who is in a place at the same time.
type crowd struct {
	mu        sync.Mutex
	now, peak int
	company   chan struct{} // closed when there is more than one
}

// enter waits for company, or not for long: a server that lets one at a time in
// lets nobody come.
func (c *crowd) enter() {
	c.mu.Lock()
	c.now++
	if c.peak = max(c.peak, c.now); c.peak == 2 && c.now == 2 {
		select {
		case <-c.company:
		default:
			close(c.company)
		}
	}
	c.mu.Unlock()
	c.wait()
}

func (c *crowd) wait() {
	select {
	case <-c.company:
	case <-time.After(3 * moment):
	}
}

func (c *crowd) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
}

func (c *crowd) most() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peak
}

// leaving is a body that leaves the crowd when it is closed.
type leaving struct {
	*recorded
	crowd *crowd
}

func (b *leaving) Close() error {
	b.crowd.leave()
	return b.recorded.Close()
}
