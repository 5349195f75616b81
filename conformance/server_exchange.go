package conformance

import (
	"errors"
	"fmt"

	"github.com/gowsgi/gowsgi/wsgi"
)

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
	c, r := s.ask(method, body)
	s.settle(c, r)
	return r
}

// ask sends a request for the application that is installed, and receives the
// response.
func (s *serverRun) ask(method, body string) (*wireConn, *wireResponse) {
	c := s.dial()
	var lines []string
	if body != "" {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(body)))
	}
	c.send(s.request(method, s.path, lines...) + body)
	return c, s.receive(c, method)
}

// settle sees that the connection of a response is fit for a further request, or
// ends. Bytes of a body behind a head that has none are the affair of the rules
// that forbid them, and not of every probe that makes such a request.
func (s *serverRun) settle(c *wireConn, r *wireResponse) {
	if r.complete() && (r.framing != "none" || bodilessRules[s.rule]) {
		s.follow(c)
	}
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
	return &recorded{record: s.record, blocks: blocks, exchange: s.script.current()}
}
