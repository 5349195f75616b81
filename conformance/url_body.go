package conformance

import (
	"strconv"
	"strings"
)

// urlBodyProbes look at how bodies are framed, and at responses without one.
var urlBodyProbes = []probe[*urlSubject]{
	onURL("LEN-08", "chunks", func(s *urlRun) {
		none := true
		for _, q := range s.asked() {
			if method, _, _ := strings.Cut(q[0], " "); method == "GET" {
				r := s.receive(s.dial().send(q[1]), method)
				if r.framing != "chunked" && r.framing != "both" {
					continue
				}
				if none = false; !r.complete() {
					s.faultf("expected %s to be framed by chunks as RFC 9112 has them, and by nothing else, got %v", q[0], r)
				}
			}
		}
		if none {
			s.skipf("no response is framed by chunks")
		}
	}),
	onURL("LEN-04", "as long as the Content-Length", func(s *urlRun) {
		switch r := s.get("GET"); {
		case r.framing != "length":
			s.skipf("the response to GET is not framed by a Content-Length")
		case isTimeout(r.err):
			s.faultf("expected %s bytes of body, or the end of the connection, got %d bytes and silence", r.headers.Get("Content-Length"), len(r.body))
		}
	}),
	onURL("HTTP-15", "HEAD", func(s *urlRun) {
		c := s.dial().send(s.request("HEAD"))
		s.bare(c, s.receive(c, "HEAD"), "HEAD")
	}),
	onURL("LEN-13", "length for HEAD", func(s *urlRun) {
		s.asLong("HEAD", s.get("HEAD"))
	}),
	onURL("HTTP-16", "304 Not Modified", func(s *urlRun) {
		c := s.dial()
		s.bare(c, s.notModified(c), "304 Not Modified")
	}),
	onURL("LEN-13", "length for 304", func(s *urlRun) {
		r := s.notModified(s.dial())
		if r.headers.Has("Transfer-Encoding") {
			s.faultf("expected no Transfer-Encoding with 304, got %q", r.headers.Get("Transfer-Encoding"))
		}
		s.asLong("304 Not Modified", r)
	}),
	onURL("HTTP-17", "framing for HTTP/1.0", func(s *urlRun) {
		c := s.dial().send("GET " + s.subject.target + " HTTP/1.0\r\nHost: " + s.subject.host + "\r\n\r\n")
		r := s.receive(c, "GET")
		if r.headers.Has("Transfer-Encoding") {
			s.faultf("expected no Transfer-Encoding for a client that speaks HTTP/1.0, got %v", r)
		}
		if keeps := strings.Contains(strings.ToLower(r.headers.Get("Connection")), "keep-alive"); !keeps && r.complete() {
			if rest, closed := c.ended(); !closed || rest != "" {
				s.faultf("expected the end of the connection behind a response over HTTP/1.0, got %q", shorten(rest))
			}
		}
	}),
}

// notModified asks for the page again and returns the 304, or skips the probe
// where the server has none to give.
func (s *urlRun) notModified(c *wireConn) *wireResponse {
	var condition string
	h := s.subject.first.headers
	switch {
	case h.Has("ETag"):
		condition = "If-None-Match: " + h.Get("ETag")
	case h.Has("Last-Modified"):
		condition = "If-Modified-Since: " + h.Get("Last-Modified")
	default:
		s.skipf("the response to GET has neither ETag nor Last-Modified")
	}
	r := s.receive(c.send(s.request("GET", condition)), "GET")
	if r.code != 304 {
		s.skipf("a conditional GET is answered with %d", r.code)
	}
	return r
}

// bare expects that nothing of a body is behind the response r, which can have
// none: what comes next is the next response, or the end.
func (s *urlRun) bare(c *wireConn, r *wireResponse, what string) {
	if !r.closes() {
		c.send(s.requestFor("HEAD", s.subject.target, "Connection: close"))
	}
	rest, closed := c.ended()
	switch {
	case rest != "" && !strings.HasPrefix(rest, "HTTP/1."):
		s.faultf("expected no body behind %s, got %q", what, shorten(rest))
	case rest != "" && r.closes():
		s.faultf("expected nothing behind %s on a connection that the server closes, got %q", what, shorten(rest))
	case !closed && r.closes():
		s.faultf("expected the end of the connection behind %s, as its response says, it stays open", what)
	}
}

// asLong expects r, which has no body, to have the Content-Length of GET or
// none.
func (s *urlRun) asLong(what string, r *wireResponse) {
	first := s.subject.first
	if !s.subject.steady.Load() || r.headers.Get("Content-Length") == "" || r.code != first.code && r.code != 304 {
		return
	}
	want := first.headers.Get("Content-Length")
	if want == "" && first.complete() {
		want = strconv.Itoa(len(first.body))
	}
	if got := r.headers.Get("Content-Length"); got != want {
		s.faultf("expected the Content-Length of %s to be that of GET, %s, or to be left out, got %s", what, want, got)
	}
}
