package conformance

import (
	"cmp"
	"crypto/tls"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverCloseProbes look at Close, and at clients that leave.
var serverCloseProbes = []probe[*serverSubject]{
	onServer("BODY-08", "after a complete response", func(s *serverRun) {
		s.get(s.answer("200 OK", plainText(), blocksOf("a", "b")))
		s.closed()
	}),
	onServer("SRV-03", "close comes last", func(s *serverRun) {
		s.get(s.answer("200 OK", plainText(), blocksOf("a", "b")))
		if !s.record.await("close", s.patience) {
			s.left("BODY-08", notClosed)
		}
		events := s.record.all()
		after := events[slices.Index(events, "close")+1:]
		if slices.ContainsFunc(after, func(event string) bool { return event != "close" }) || !slices.Contains(events, "end") {
			s.faultf("expected Close when the iteration had ended, and nothing after it")
		}
	}),
	onServer("BODY-09", "after an error of the body", func(s *serverRun) {
		s.provoke("GET", s.answer("200 OK", plainText(), failing(errProbe)))
		s.closed()
	}),
	onServer("BODY-09", "after an error behind a block", func(s *serverRun) {
		s.provoke("GET", s.answer("200 OK", plainText(), failing(errProbe, "block")))
		s.closed()
	}),
	onServer("BODY-09", "after a panic of the body", func(s *serverRun) {
		s.provoke("GET", s.answer("200 OK", plainText(), func(func([]byte, error) bool) { panic("conformance: on purpose") }))
		s.closed()
	}),
	onServer("BODY-10", "when the client has left", func(s *serverRun) {
		s.leaves(s.answer("200 OK", plainText(), untilStopped(s.patience)))
		s.await("close")
		if !s.record.has("stop") {
			s.faultf("expected the iteration to stop when the client had left, the body went on for %v", s.patience)
		}
	}),
	onServer("WRITE-11", "write when the client has left", func(s *serverRun) {
		s.leaves(s.writing(func(write wsgi.Write) {
			defer s.record.add("written")
			block := make([]byte, 64<<10)
			for end := time.Now().Add(s.patience); time.Now().Before(end); {
				if _, err := write(block); err != nil {
					s.record.add("failed")
					return
				}
			}
		}))
		s.await("written")
		if !s.record.has("failed") {
			s.faultf("expected write to return an error when the client had left, it returned none for %v", s.patience)
		}
	}),
	onServer("BODY-11", "once after each ending", func(s *serverRun) {
		endings := []*bodyEnd{
			{name: "a complete response", headers: plainText(), blocks: blocksOf("a")},
			{name: "an error", headers: plainText(), blocks: failing(errProbe, "a")},
			{name: "more than its Content-Length", headers: plainText("Content-Length", "1"), blocks: blocksOf("a", "b")},
			{name: "HEAD", method: "HEAD", headers: plainText(), blocks: blocksOf("a")},
		}
		for _, e := range endings {
			s.provoke(cmp.Or(e.method, "GET"), e.app(s))
		}
		s.record.await("close", s.patience)
		// A request later everything that was to be closed twice has been.
		s.get(s.sized("ok"))
		closed := 0
		for _, e := range endings {
			n := int(e.closes.Load())
			if closed += n; n > 1 {
				s.faultf("expected one Close of the body after %s, got %d", e.name, n)
			}
		}
		if closed == 0 {
			s.left("BODY-08", notClosed)
		}
	}),
	onServer("BODY-11", "once when the client leaves", func(s *serverRun) {
		s.leave()
		s.get(s.sized("ok"))
		if n := s.record.count("close"); n != 1 {
			s.faultf("expected one Close of the body when the client leaves, got %d", n)
		}
	}),
	onServer("BODY-13", "on HEAD", func(s *serverRun) {
		s.do("HEAD", "", s.answer("200 OK", plainText(), blocksOf("a")))
		s.closed()
	}),
	onServer("BODY-13", "when never started", func(s *serverRun) {
		s.reading("AMB-35")
		s.provoke("GET", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return s.body(blocksOf()), nil })
		s.closed()
	}),
	onServer("BODY-13", "with an error beside it", func(s *serverRun) {
		s.onlyGo("a call returns or raises")
		s.expectError(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return s.body(blocksOf("not iterated")), errProbe
		}))
		s.closed()
	}),
	onServer("BODY-14", "an error of Close", func(s *serverRun) {
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return &recorded{record: s.record, blocks: blocksOf("complete ", "response"), closeErr: errProbe}, nil
		}), 200, "complete response")
	}),
	onServer("BODY-14", "response before Close", func(s *serverRun) {
		g := s.gate()
		defer g.open()
		s.install(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText("Content-Length", "8"), nil)
			return &slowClose{s.body(blocksOf("complete")), g}, nil
		})
		c := s.dial().send(s.request("GET", s.path))
		s.expect(s.receive(c, "GET"), 200, "complete")
	}),
}

const notClosed = "no body is closed"

// bodyEnd is a way in which a response ends, and how often its body was closed
// then.
type bodyEnd struct {
	name, method string
	headers      wsgi.Headers
	blocks       wsgi.Generator
	closes       atomic.Int32
}

func (e *bodyEnd) app(s *serverRun) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", e.headers.Clone(), nil)
		return &countedBody{s.body(e.blocks), e}, nil
	}
}

type countedBody struct {
	*recorded
	end *bodyEnd
}

func (b *countedBody) Close() error {
	b.end.closes.Add(1)
	return b.recorded.Close()
}

// closed waits for the Close of a body.
func (s *serverRun) closed() {
	if !s.record.await("close", s.patience) {
		s.faultf("expected Close of the body to be called, it was not within %v", s.patience)
	}
}

// slowClose is a body whose Close takes its time.
type slowClose struct {
	*recorded
	gate *gate
}

func (b *slowClose) Close() error {
	b.gate.wait()
	return b.recorded.Close()
}

// leaves sends a request for a, and leaves when the response begins.
func (s *serverRun) leaves(a app) {
	s.install(a)
	c := s.dial().send(s.request("GET", s.path))
	c.within(s.patience)
	c.r.Peek(1)
	reset(c)
}

// reset makes a client leave for good: the server's next bytes are refused.
func reset(c *wireConn) {
	nc := c.Conn
	if encrypted, ok := nc.(*tls.Conn); ok {
		nc = encrypted.NetConn()
	}
	if tcp, ok := nc.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	nc.Close()
}
