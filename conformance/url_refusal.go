package conformance

import (
	"strconv"
	"strings"
	"time"
)

// urlRefusalProbes send what is malformed. A server refuses it, closes the
// connection, because it cannot know where the next request begins, and goes
// on serving others.
var urlRefusalProbes = []probe[*urlSubject]{
	onURL("CGI-21", "malformed Content-Length", func(s *urlRun) {
		for _, value := range []string{"+4", "-1", "abc", "4x", "3 4", "0x4"} {
			s.refused("Content-Length: "+value, s.request("GET", "Content-Length: "+value)+"body")
		}
	}),
	onURL("CGI-21", "two lengths", func(s *urlRun) {
		s.refused("two different Content-Lengths", s.request("GET", "Content-Length: 4", "Content-Length: 5")+"body")
	}),
	onURL("HTTP-07", "Transfer-Encoding and Content-Length", func(s *urlRun) {
		// By the length the request goes on to the end, by the chunks another
		// one follows. RFC 9112, section 6.1: whoever does not refuse it goes
		// by the chunks.
		body := "0\r\n\r\n" + s.request("GET", "Connection: close")
		c := s.dial().send(s.request("GET", "Transfer-Encoding: chunked", "Content-Length: "+strconv.Itoa(len(body))) + body)
		r, err := c.receive("GET")
		if err == errClosed || isReset(err) {
			return
		} else if err != nil {
			s.fatalf("expected a refusal, or the responses to two requests, got %v", err)
		}
		rest, closed := c.ended()
		switch {
		case rest == "" && !closed:
			s.faultf("expected a request with both Transfer-Encoding and Content-Length to be refused, or to end with its last chunk; one response came, and the request behind it was taken for a part of it")
		case rest != "" && !strings.HasPrefix(rest, r.proto+" "+strconv.Itoa(r.code)+" "):
			s.faultf("expected a request with both Transfer-Encoding and Content-Length to be refused, or to end with its last chunk and the one behind it to be answered too, got %q behind %q", shorten(rest), r.line)
		}
	}),
	onURL("HTTP-07", "unknown transfer coding", func(s *urlRun) {
		// One who speaks HTTP/1.0 may know nothing of it, and closes.
		s.settled("Transfer-Encoding: gowsgi", s.dial().send(s.request("GET", "Transfer-Encoding: gowsgi")+"body"))
	}),
	onURL("HTTP-07", "malformed chunks", func(s *urlRun) {
		c := s.dial().send(s.request("GET", "Transfer-Encoding: chunked") + "zz\r\nbody\r\n0\r\n\r\n")
		s.settled("malformed chunks", c)
	}),
	onURL("HTTP-19", "folded header", func(s *urlRun) {
		// One who takes the second line for a header of its own waits for a
		// body, and swallows the beginning of the next request.
		c := s.dial().send(s.request("GET", "X-Folded: a", " Content-Length: 7"))
		s.settledOrServed("a folded header", c)
	}),
	onURL("HTTP-19", "blank before the colon", func(s *urlRun) {
		const what = "a blank between a field's name and its colon"
		c := s.dial().send(s.request("GET", "Content-Length : 7"))
		// Where the connection ends, no other request suffers.
		if r := s.reaction(what, c); r != nil && r.complete() && s.follow(c, r, what) && r.code < 400 {
			s.faultf("expected a refusal of %s (RFC 9112, section 5.1), got %v", what, r)
		}
	}),
	onURL("SRV-08", "malformed request line", func(s *urlRun) {
		for _, line := range []string{"GARBAGE", "GET", " / HTTP/1.1", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
			c := s.dial().send(line + "\r\nHost: " + s.subject.host + "\r\n\r\n")
			r, err := c.receive("GET")
			if err == nil && r.code < 400 {
				s.faultf("expected a refusal of the request line %q, got %v", line, r)
				continue
			}
			// What is no HTTP may be answered by what is none.
			if _, closed := c.ended(); !closed {
				s.faultf("expected the end of the connection behind the request line %q, it stays open", line)
			}
		}
		s.serves()
	}),
	onURL("SRV-08", "malformed header", func(s *urlRun) {
		for _, line := range []string{"no colon", ": no name", "X\x00Y: nul", "X-Nul: a\x00b"} {
			s.settledOrServed("the header "+visible(line), s.dial().send(s.request("GET", line)))
		}
		s.serves()
	}),
	onURL("SRV-08", "endless head", func(s *urlRun) {
		// 2 MiB is far more than any browser sends, and little to receive.
		c := s.dial()
		c.send("GET " + s.subject.target + " HTTP/1.1\r\nHost: " + s.subject.host + "\r\n")
		line := "X-Padding: " + strings.Repeat("x", 1000) + "\r\n"
		for range 2 << 10 {
			c.SetWriteDeadline(time.Now().Add(s.patience))
			if _, err := c.Conn.Write([]byte(line)); err != nil {
				break // refused in the middle
			}
		}
		c.wire.says("sent", []byte(line+"(and so on, 2 MiB of it)"))
		c.send("\r\n")
		s.settledOrServed("a head of 2 MiB", c)
		s.serves()
	}),
	onURL("SRV-08", "request that is cut", func(s *urlRun) {
		for _, part := range []string{"GE", "GET " + s.subject.target + " HTT", "GET " + s.subject.target + " HTTP/1.1\r\nHost: x\r\nX-"} {
			s.dial().send(part).Close()
		}
		s.serves()
	}),
}

// reaction returns the response to what is malformed. It is nil where the
// connection ended, which is an answer too, and where there was none, which is
// a fault.
func (s *urlRun) reaction(what string, c *wireConn) *wireResponse {
	r, err := c.receive("GET")
	if err == nil {
		return r
	}
	if err != errClosed && !isReset(err) {
		s.faultf("expected an answer to %s or the end of the connection, got %v", what, err)
	}
	return nil
}

// refused expects a refusal of a malformed request, and the end of the
// connection.
func (s *urlRun) refused(what, raw string) {
	c := s.dial().send(raw)
	switch r := s.reaction(what, c); {
	case r == nil:
	case r.code < 400:
		s.faultf("expected a refusal of %s, got %v", what, r)
	default:
		s.closed(c, what)
	}
}

// closed expects the end of the connection behind the response to what is
// malformed.
func (s *urlRun) closed(c *wireConn, what string) {
	if rest, closed := c.ended(); rest != "" || !closed {
		s.faultf("expected the end of the connection behind the response to %s, got %q and it stays open", what, shorten(rest))
	}
}

// settled expects a complete response of any kind, or the end of the
// connection, and no second response.
func (s *urlRun) settled(what string, c *wireConn) {
	if r := s.reaction(what, c); r != nil && r.complete() {
		s.closed(c, what)
	}
}

// settledOrServed expects a refusal, or else an answer as to a good request,
// after which the connection can be used.
func (s *urlRun) settledOrServed(what string, c *wireConn) {
	if r := s.reaction(what, c); r != nil && r.complete() {
		s.follow(c, r, what)
	}
}

// serves expects that the server answers a good request.
func (s *urlRun) serves() {
	s.same(s.get("GET"), "GET, after what was malformed")
}
