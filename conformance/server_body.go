package conformance

import (
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverBodyProbes look at how the body is iterated and what comes of it.
var serverBodyProbes = []probe[*serverSubject]{
	onServer("BODY-01", "nil body", func(s *serverRun) {
		s.onlyGo("the PEP binds the application to return an iterable, and no server of Python's to see that it does")
		s.expectError(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return nil, nil
		}))
	}),
	onServer("BODY-05", "every byte", func(s *serverRun) {
		var all strings.Builder
		for b := range 256 {
			all.WriteByte(byte(b))
		}
		for _, body := range []string{all.String(), "Foo: Bar\r\n\r\nHello\n0\r\n\r\n"} {
			s.expect(s.get(s.answer("200 OK", plainText(), blocksOf(body, body))), 200, body+body)
		}
	}),
	onServer("BODY-17", "no other method", func(s *serverRun) {
		s.onlyGo("the traps are methods of Go")
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return &trappedBody{s.body(blocksOf("as ", "blocks"))}, nil
		}), 200, "as blocks")
		for _, event := range s.record.all() {
			if method, ok := strings.CutPrefix(event, "trap "); ok {
				s.faultf("expected nothing but Blocks, Close and Len of a body to be used, its method %s was", method)
			}
		}
	}),
	onServer("BODY-19", "iterated once", func(s *serverRun) {
		s.get(s.answer("200 OK", plainText(), blocksOf("a", "b")))
		s.record.await("close", s.patience) // or not: BODY-08's affair
		if n := s.record.count("iterate"); n != 1 || s.record.has("iterate after close") {
			s.faultf("expected the body to be iterated once, and not after Close, it was iterated %d times", n)
		}
	}),
	onServer("BODY-21", "empty blocks between others", func(s *serverRun) {
		if r, next := s.emptyBlocks(); r.body != "ab" && next != nil {
			s.left("LEN-15", "the response ends at an empty block, and the body goes on")
		} else {
			s.expect(r, 200, "ab")
		}
	}),
	onServer("BODY-21", "many empty blocks", func(s *serverRun) {
		many := 10000
		if s.subject.python {
			many = 1000 // each is a round trip to another process
		}
		s.expect(s.get(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
			for range many {
				if !yield(nil, nil) {
					return
				}
			}
			yield([]byte("at last"), nil)
		})), 200, "at last")
	}),
	onServer("BODY-22", "one buffer for all blocks", func(s *serverRun) {
		s.onlyGo("bytes cannot be changed")
		s.expect(s.get(s.answer("200 OK", plainText(), s.lent("server"))), 200, "one.two.end.")
	}),
	onServer("BODY-23", "nothing after an error", func(s *serverRun) {
		s.onlyGo("an iterator that raised has ended")
		s.get(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
			if yield(nil, errProbe) {
				s.faultf("expected yield to return false after an error, it returned true")
			}
		}))
	}),
	onServer("WRITE-03", "write takes every byte", func(s *serverRun) {
		s.get(s.writing(func(write wsgi.Write) {
			for _, text := range []string{"one,", "two,"} {
				if n, err := write([]byte(text)); n != len(text) || err != nil {
					s.faultf("expected write(%q) to return %d and no error, got %s", text, len(text), got(n, err))
				}
			}
		}))
	}),
	onServer("WRITE-07", "blocks behind write", func(s *serverRun) {
		r := s.get(s.writing(func(write wsgi.Write) { write([]byte("written,")) }, "three,", "four"))
		if !strings.Contains(r.body, "three,four") || !r.complete() {
			s.faultf("expected the blocks %q in the response that write began, got %v", "three,four", r)
		}
	}),
	onServer("WRITE-09", "what was written comes first", func(s *serverRun) {
		r := s.get(s.writing(func(write wsgi.Write) {
			write([]byte("one,"))
			write([]byte("two,"))
		}, "three,", "four"))
		one, three := strings.Index(r.body, "one"), strings.Index(r.body, "three")
		switch two := strings.Index(r.body, "two"); {
		case one < 0 || two < 0 || three < 0:
			s.left("WRITE-03", "what is written or yielded is lost")
		case one > two || two > three:
			s.faultf("expected what was written before what was yielded, %q, got %v", "one,two,three,four", r)
		}
	}),
	onServer("WRITE-03", "write alone", func(s *serverRun) {
		s.expect(s.get(s.writing(func(write wsgi.Write) { write([]byte("written")) })), 200, "written")
	}),
	onServer("WRITE-10", "the first write commits", func(s *serverRun) {
		for _, first := range []string{"", "begun"} {
			if s.reading(""); first == "" {
				s.reading("AMB-02")
			}
			r := s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, err := start("200 OK", plainText(), nil)
				if err != nil || !s.given(write) {
					return wsgi.Empty(), err
				}
				write([]byte(first))
				_, err = start("500 New", plainText("X-New", "1"), errProbe)
				if err == nil {
					s.faultf("expected write(%q) to send the headers, a later exc_info still replaced them", first)
					err = errProbe
				}
				return nil, err
			})
			if r.code != 200 || r.headers.Has("X-New") {
				s.faultf("expected the head that write(%q) sent, got %v", first, r)
			}
		}
	}),
}

// writing is an application that uses write, and then yields the blocks.
func (s *serverRun) writing(use func(write wsgi.Write), blocks ...string) app {
	return s.writingWith(plainText(), use, blocks...)
}

// writingWith is writing with the headers of the response.
func (s *serverRun) writingWith(headers wsgi.Headers, use func(write wsgi.Write), blocks ...string) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", headers.Clone(), nil)
		if err != nil {
			return nil, err
		}
		if !s.given(write) {
			s.record.addAs("written", "") // nobody waits for more
			return nil, errProbe
		}
		use(write)
		return s.body(blocksOf(blocks...)), nil
	}
}

// given reports whether start_response has returned a write. Where it has not,
// a probe that needs one decides nothing: see onServer.
func (s *serverRun) given(write wsgi.Write) bool {
	if write == nil {
		s.writeless.Store(true)
	}
	return write != nil
}

// trappedBody has methods that a server might be tempted by.
type trappedBody struct{ *recorded }

func (b *trappedBody) trap(method string) { b.record.add("trap " + method) }

func (b *trappedBody) WriteTo(io.Writer) (int64, error) { b.trap("WriteTo"); return 0, errProbe }
func (b *trappedBody) Read([]byte) (int, error)         { b.trap("Read"); return 0, io.EOF }
func (b *trappedBody) Bytes() []byte                    { b.trap("Bytes"); return nil }
func (b *trappedBody) String() string                   { b.trap("String"); return "" }
func (b *trappedBody) Name() string                     { b.trap("Name"); return "" }
func (b *trappedBody) Fd() uintptr                      { b.trap("Fd"); return 0 }

// emptyBlocks returns the response to a body that has empty blocks, and whether
// the connection goes on behind it as it should.
func (s *serverRun) emptyBlocks() (r *wireResponse, next error) {
	s.install(s.answer("200 OK", plainText(), blocksOf("", "a", "", "b", "")))
	c, r := s.ask("GET", "")
	if r.complete() {
		next = s.next(c)
	}
	return r, next
}
