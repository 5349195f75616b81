package conformance

import (
	"io"
	"net/netip"
	"strings"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverCommunityProbes look at variables that are practice outside of the PEP.
// None is required; one that is there has to be right.
var serverCommunityProbes = []probe[*serverSubject]{
	onServer("COM-01", "wsgi.input_terminated", func(s *serverRun) {
		requests := []string{s.request("GET", "/PROBE"), s.request("POST", "/PROBE", "Content-Length: 3") + "abc"}
		if s.http1() {
			requests = append(requests, s.request("POST", "/PROBE", "Transfer-Encoding: chunked")+"3\r\nabc\r\n0\r\n\r\n")
		}
		var promised atomic.Bool
		for _, raw := range requests {
			s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if environ.Get("wsgi.input_terminated") == true {
					promised.Store(true)
					s.record.addAs("reads", "reads its input to the end")
					if _, err := io.Copy(io.Discard, environ.Input()); err != nil {
						s.faultf("expected an input with wsgi.input_terminated to have an end, got the error %q", err)
					}
					s.record.addAs("end", "has come to the end")
				}
				return s.sized("ok")(environ, start)
			})
			method, _, _ := strings.Cut(raw, " ")
			// The client sends nothing more: a read that waits for more is not
			// ended by the application, which cannot leave it.
			_, err := s.dial().send(strings.Replace(raw, "/PROBE", s.path, 1)).receive(method)
			if isTimeout(err) && s.record.count("reads") > s.record.count("end") {
				s.fatalf("expected an input with wsgi.input_terminated to have an end, a read was still waiting after %v", s.patience)
			}
		}
		if s.called.Load() && !promised.Load() {
			s.skipf("the server does not set wsgi.input_terminated to true")
		}
	}),
	onServer("COM-02", "wsgi.input_terminated is true or absent", func(s *serverRun) {
		if value, ok := s.environ(s.request("GET", "/PROBE"))["wsgi.input_terminated"]; ok && value != true {
			s.faultf("expected wsgi.input_terminated to be true or absent, for some look whether it is there and no further; got %#v", value)
		}
	}),
	onServer("COM-03", "a chunked body has no length", func(s *serverRun) {
		s.onHTTP1()
		var body string
		var e map[string]any
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			b := make([]byte, len("abc"))
			n, _ := io.ReadFull(observedInput{environ.Input(), s.script.current()}, b)
			body, e = string(b[:n]), environ.Map()
			s.record.addAs("read", "")
			return s.sized("ok")(environ, start)
		})
		s.dial().send(s.request("POST", s.path, "Transfer-Encoding: chunked") + "3\r\nabc\r\n0\r\n\r\n").receive("POST")
		switch {
		case !s.record.has("read"):
			s.skipf("the server refuses chunked bodies") // AMB-18
		case body != "abc":
			s.left("HTTP-07", "the server decodes no chunked bodies")
		}
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
		if e["REMOTE_ADDR"] == nil && e["REMOTE_PORT"] == nil {
			s.skipf("the server has neither of them")
		}
		if addr, ok := e["REMOTE_ADDR"].(string); ok && s.subject.network == "tcp" && !isAddress(addr) {
			s.faultf("expected an address without port and brackets in REMOTE_ADDR, got %q", addr)
		}
		if port, ok := e["REMOTE_PORT"].(string); ok && (port == "" || strings.Trim(port, "0123456789") != "") {
			s.faultf("expected digits in REMOTE_PORT, got %q", port)
		}
	}),
	onServer("COM-17", "forwarded headers", func(s *serverRun) {
		s.fromElsewhere()
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
