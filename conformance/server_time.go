package conformance

import (
	"fmt"
	"io"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverTimeProbes look at when bytes are on the wire. The application waits
// at a gate which the client opens when it has seen what it must see.
var serverTimeProbes = []probe[*serverSubject]{
	onServer("START-07", "no head with start_response", func(s *serverRun) {
		s.early("start_response", func(*serverRun, func([]byte, error) bool) {})
	}),
	onServer("START-08", "no head with an empty block", func(s *serverRun) {
		s.early("start_response and an empty block", func(_ *serverRun, yield func([]byte, error) bool) { yield([]byte{}, nil) })
	}),
	onServer("START-08", "replaced after an empty block", func(s *serverRun) {
		r := s.alone("GET", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return s.body(func(yield func([]byte, error) bool) {
				yield(nil, nil)
				start("503 New", plainText(), errProbe)
				yield([]byte("new"), nil)
			}), nil
		})
		if r.code == 200 { // what else may be wrong with it is START-13's affair
			s.faultf("expected a head that is replaced after an empty block, got %v", r)
		}
	}),
	onServer("START-09", "no head before the end", func(s *serverRun) {
		g := s.gate()
		defer g.open()
		s.install(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
			for range 5 {
				yield(nil, nil)
			}
			s.record.add("waits")
			g.wait()
		}))
		c := s.dial().send(s.request("GET", s.path))
		s.await("waits")
		if early, ok := c.silent(); !ok {
			s.faultf("expected nothing on the wire after five empty blocks, got %q", early)
		}
		g.open()
		s.expect(s.receive(c, "GET"), 200, "")
	}),
	onServer("BUF-01", "a block before the next", func(s *serverRun) {
		s.lockStep(plainText(), func(next func() bool) app {
			return s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
				for _, block := range stepBlocks {
					if !yield([]byte(block), nil) || !next() {
						return
					}
				}
			})
		})
	}),
	onServer("BODY-03", "with a Content-Length", func(s *serverRun) {
		headers := plainText("Content-Length", "12")
		s.lockStep(headers, func(next func() bool) app {
			return s.answer("200 OK", headers, func(yield func([]byte, error) bool) {
				for _, block := range stepBlocks {
					if !yield([]byte(block), nil) || !next() {
						return
					}
				}
			})
		})
	}),
	onServer("WRITE-04", "sent when write returns", func(s *serverRun) {
		s.lockStep(plainText(), func(next func() bool) app {
			return s.writing(func(write wsgi.Write) {
				for _, block := range stepBlocks {
					if _, err := write([]byte(block)); err != nil || !next() {
						return
					}
				}
			})
		})
	}),
	onServer("BODY-25", "large blocks before the end", func(s *serverRun) {
		g := s.gate()
		defer g.open()
		const blocks, size = 128, 32 << 10
		s.install(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
			block := make([]byte, size)
			for range blocks {
				if !yield(block, nil) {
					return
				}
			}
			s.record.addAs("waits", "waits before the end")
			g.wait()
		}))
		c := s.dial().send(s.request("GET", s.path))
		c.within(s.patience)
		if n, err := io.CopyN(io.Discard, c.r, blocks/2*size); err != nil {
			s.faultf("expected most of %d blocks of %d KiB to be sent before the body ends, got %s", blocks, size>>10, got(fmt.Sprint(n, " bytes"), err))
		}
		g.open()
	}),
	onServer("BUF-06", "a client that does not read", func(s *serverRun) {
		const tooMuch = 32 << 20 // far beyond what any socket holds
		s.install(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
			block := make([]byte, 256<<10)
			for n := 0; n < tooMuch; n += len(block) {
				if !yield(block, nil) {
					return
				}
			}
			s.record.add("all taken")
		}))
		c := s.dial().send(s.request("GET", s.path))
		s.await("next")
		for n, progress := -1, 0; n != progress && !s.record.has("all taken"); {
			n = progress
			s.record.await("all taken", 50*moment)
			progress = s.record.count("next")
		}
		if s.record.has("all taken") {
			s.faultf("expected the body not to be asked for more while the client does not read, %d MiB were taken", tooMuch>>20)
		}
		reset(c)
	}),
}

var stepBlocks = []string{"one.", "two.", "end."}

// early runs an application that waits after begin. Nothing may be on the wire
// then, and the response must come when it goes on.
func (s *serverRun) early(what string, begin func(*serverRun, func([]byte, error) bool)) {
	g := s.gate()
	defer g.open()
	s.install(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
		begin(s, yield)
		s.record.add("waits")
		g.wait()
		yield([]byte("body"), nil)
	}))
	c := s.dial().send(s.request("GET", s.path))
	s.await("waits")
	if early, ok := c.silent(); !ok {
		s.faultf("expected nothing on the wire after %s, got %q", what, early)
	}
	g.open()
	s.expect(s.receive(c, "GET"), 200, "body")
}

// lockStep runs an application that waits after each of stepBlocks until the
// client has it.
func (s *serverRun) lockStep(headers wsgi.Headers, make func(next func() bool) app) {
	arrived := newSteps(s.patience)
	defer arrived.stop()
	s.install(make(arrived.wait))
	c := s.dial().send(s.request("GET", s.path))
	chunked := false
	for i, block := range stepBlocks {
		c.within(s.patience)
		if i == 0 {
			r := new(wireResponse)
			if err := c.head(r); err != nil {
				s.fatalf("expected the head on the wire with the first block, before the application goes on to the next, got %s", got("nothing", err))
			}
			chunked = r.headers.Has("Transfer-Encoding")
		}
		if b, err := c.block(len(block), chunked); err != nil || b != block {
			s.fatalf("expected the block %q on the wire before the application goes on to the next, got %s", block, got(quote(b), err))
		}
		arrived.step()
	}
}

// steps lets an application go on one step at a time.
type steps struct {
	c        chan struct{}
	over     chan struct{}
	patience time.Duration
}

func newSteps(patience time.Duration) *steps {
	return &steps{make(chan struct{}, 8), make(chan struct{}), patience}
}

func (s *steps) step() { s.c <- struct{}{} }
func (s *steps) stop() { close(s.over) }

// wait waits for a step, and reports whether there was one.
func (s *steps) wait() bool {
	select {
	case <-s.c:
		return true
	case <-s.over:
		return false
	}
}
