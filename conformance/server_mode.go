package conformance

import (
	"io"
	"net/netip"
	"strings"
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

// serverCommunityProbes look at variables that are practice outside of the PEP.
// None is required; one that is there has to be right.
var serverCommunityProbes = []probe[*serverSubject]{
	onServer("COM-01", "wsgi.input_terminated", func(s *serverRun) {
		requests := []string{s.request("GET", "/PROBE"), s.request("POST", "/PROBE", "Content-Length: 3") + "abc"}
		if s.http1() {
			requests = append(requests, s.request("POST", "/PROBE", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n")
		}
		for _, raw := range requests {
			s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if environ.Get("wsgi.input_terminated") == true {
					s.terminated(raw, environ.Input())
				}
				return s.sized("ok")(environ, start)
			})
			method, _, _ := strings.Cut(raw, " ")
			s.receive(s.dial().send(strings.Replace(raw, "/PROBE", s.path, 1)), method)
		}
	}),
	onServer("COM-02", "wsgi.input_terminated is true or absent", func(s *serverRun) {
		if value, ok := s.environ(s.request("GET", "/PROBE"))["wsgi.input_terminated"]; ok && value != true {
			s.faultf("expected wsgi.input_terminated to be true or absent, got %#v", value)
		}
	}),
	onServer("COM-03", "a chunked body has no length", func(s *serverRun) {
		s.onHTTP1()
		e := s.environ(s.request("POST", "/PROBE", "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n")
		if coding, ok := e["HTTP_TRANSFER_ENCODING"]; ok {
			s.faultf("expected no HTTP_TRANSFER_ENCODING with a body that the server decodes, got %q", coding)
		}
		if length, ok := e["CONTENT_LENGTH"]; ok && length != "3" {
			s.faultf("expected CONTENT_LENGTH to be absent or 3, the length of the decoded body, got %q", length)
		}
	}),
	onServer("COM-05", "REQUEST_URI", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE/a%20b%73?x=%61"))
		uri, ok := e["REQUEST_URI"]
		if !ok {
			s.skipf("the server has no REQUEST_URI")
		}
		if want := s.path + "/a%20b%73?x=%61"; uri != want {
			s.faultf("expected REQUEST_URI to be the target as it was sent, %q, got %q", want, uri)
		}
	}),
	onServer("COM-13", "REMOTE_ADDR and REMOTE_PORT", func(s *serverRun) {
		e := s.environ(s.request("GET", "/PROBE"))
		if addr, ok := e["REMOTE_ADDR"].(string); ok && s.subject.network == "tcp" && !isAddress(addr) {
			s.faultf("expected an address without port and brackets in REMOTE_ADDR, got %q", addr)
		}
		if port, ok := e["REMOTE_PORT"].(string); ok && (port == "" || strings.Trim(port, "0123456789") != "") {
			s.faultf("expected digits in REMOTE_PORT, got %q", port)
		}
	}),
	onServer("COM-17", "forwarded headers", func(s *serverRun) {
		plain := s.environ(s.request("GET", "/PROBE"))
		proto := "https" // servers that obey know two
		if plain["wsgi.url_scheme"] == proto {
			proto = "http"
		}
		spoofed := s.environ(s.request("GET", "/PROBE", "X-Forwarded-Proto: "+proto, "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Host: evil.test",
			"X-Forwarded-Ssl: on", "Forwarded: for=192.0.2.7;proto="+proto+";host=evil.test"))
		for _, key := range []string{"wsgi.url_scheme", "REMOTE_ADDR", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT"} {
			if spoofed[key] != plain[key] {
				s.faultf("expected %s not to be changed by headers that any client can send, %q became %q", key, plain[key], spoofed[key])
			}
		}
	}),
}

func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}

// terminated expects the input of the request raw to have an end.
func (s *serverRun) terminated(raw string, in wsgi.InputStream) {
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, in)
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			s.faultf("expected an input with wsgi.input_terminated to have an end, got %v for %q", err, raw)
		}
	case <-time.After(s.patience / 2):
		s.faultf("expected an input with wsgi.input_terminated to have an end, a read was still waiting for %q after %v", raw, s.patience/2)
	}
}
