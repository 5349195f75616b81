package conformance

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// middlewareProbes is the suite for middleware.
var middlewareProbes = slices.Concat(middlewareResponseProbes, middlewareRequestProbes)

// middlewareResponseProbes look at what becomes of the application's response.
var middlewareResponseProbes = []probe[wsgi.Middleware]{
	onMiddleware("MW-02", "passes requests on", func(s *sandwich) {
		for _, s.method = range []string{"GET", "POST"} {
			o := s.run(s.text("hello"))
			if n := s.record.count("inner call"); n != 1 || o.starts == 0 || o.err != nil {
				s.faultf("expected one call of the application for a %s, and a response, got %d calls and %v", s.method, n, o)
			}
		}
	}),
	onMiddleware("MW-06", "a value for each value", func(s *sandwich) { s.lockStep("block ", "by ", "block") }),
	onMiddleware("MW-05", "a value for each empty block", func(s *sandwich) { s.lockStep("", "", "") }),
	onMiddleware("MW-04", "does not wait for several values", func(s *sandwich) {
		s.run(s.inner("200 OK", plainText(), func(yield func([]byte, error) bool) {
			for range 2 {
				if !yield([]byte("block "), nil) {
					return
				}
			}
			if !s.record.has("outer value") {
				s.faultf("expected the server to have got something after two blocks, it got nothing")
			}
		}))
	}),
	onMiddleware("MW-07", "returns before it iterates", func(s *sandwich) {
		s.run(s.text("hello"))
		for _, event := range s.record.all() {
			if event == "outer returned" {
				return
			}
			if event == "iterate" {
				s.faultf("expected the middleware to return a body before it iterates the application's, it iterated first")
			}
		}
	}),
	onMiddleware("BODY-19", "iterates once", func(s *sandwich) {
		s.run(s.text("hello ", "again"))
		if n := s.record.count("iterate"); n > 1 {
			s.faultf("expected the application's body to be iterated once at most, it was %d times", n)
		}
		if s.record.has("iterate after close") {
			s.faultf("expected the application's body not to be iterated after its Close, it was")
		}
	}),
	onMiddleware("HDR-18", "repeated headers", func(s *sandwich) {
		// To leave out cookies, or to change them, is a middleware's own affair.
		sent := []string{"conformance-b=1", "conformance-c=2", "conformance-a=3"}
		o := s.run(s.inner("200 OK", plainText("Set-Cookie", sent[0], "X-Other", "x", "set-cookie", sent[1], "Set-Cookie", sent[2]), blocksOf("hello")))
		var came []string
		for _, value := range o.headers.Values("Set-Cookie") {
			if strings.Count(value, "conformance-") > 1 {
				s.faultf("expected each Set-Cookie to stay a header of its own, got %q", value)
			}
			if slices.Contains(sent, value) {
				came = append(came, value)
			}
		}
		if len(came) == len(sent) && !slices.Equal(came, sent) {
			s.faultf("expected headers of one name to stay in their order, %q, got %q", sent, came)
		}
	}),
	onMiddleware("MW-08", "no write for what is yielded", func(s *sandwich) {
		if o := s.run(s.text("hello")); s.record.has("outer write") {
			s.faultf("expected the server's write not to be used for blocks that are yielded, it got %q", o.written)
		}
	}),
	onMiddleware("MW-10", "closes once after success", func(s *sandwich) { s.closes("a complete response", s.text("hello")) }),
	onMiddleware("MW-10", "closes once after an error", func(s *sandwich) {
		s.closes("an error", s.inner("200 OK", plainText(), failing(errProbe, "hello")))
	}),
	onMiddleware("MW-10", "closes once when stopped", func(s *sandwich) {
		s.stopAfter = 1
		s.closes("a stop after one value", s.text("one", "two", "three"))
	}),
	onMiddleware("MW-10", "closes once without iteration", func(s *sandwich) {
		s.dontAsk = true
		s.closes("no iteration", s.text("hello"))
	}),
	onMiddleware("MW-10", "closes once on HEAD", func(s *sandwich) {
		s.method = "HEAD"
		s.closes("HEAD", s.text("hello"))
	}),
	onMiddleware("BODY-23", "stops when it is stopped", func(s *sandwich) {
		s.stopAfter = 1
		s.run(s.text("one", "two", "three"))
		if s.record.has("outer value after stop") || s.record.count("yield") > 2 {
			s.faultf("expected nothing to be yielded, and nothing to be asked for of the application, once the server has stopped")
		}
	}),
	onMiddleware("MW-11", "Content-Length", func(s *sandwich) {
		s.alone = true
		s.lengthFits(s.run(s.inner("200 OK", plainText("Content-Length", "9"), blocksOf("some ", "text"))))
		s.lengthFits(s.run(s.inner("200 OK", plainText("content-length", "9"), blocksOf("some text"))))
	}),
	onMiddleware("MW-12", "exc_info reaches the server", func(s *sandwich) {
		o := s.run(s.replacing(true))
		if s.reached() && (o.status[:min(3, len(o.status))] != "503" || o.starts > 1 && !errors.Is(o.excInfo, errProbe)) {
			s.faultf("expected the status 503 that was started with exc_info, and the exc_info, got %v, exc_info %v", o, o.excInfo)
		}
	}),
	onMiddleware("MW-12", "the server's refusal comes back", func(s *sandwich) {
		o := s.run(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return &recorded{record: s.record, blocks: func(yield func([]byte, error) bool) {
				if !yield([]byte("begun"), nil) {
					return
				}
				_, err := start("500 Late", plainText(), errProbe)
				if err == nil {
					s.record.add("not refused")
				}
				yield(nil, errors.Join(err, errProbe))
			}}, nil
		})
		if s.record.has("not refused") && len(o.data()) > 0 {
			s.faultf("expected start_response with exc_info to fail when output was sent, it returned no error")
		}
	}),
	onMiddleware("MW-13", "repeated start_response", func(s *sandwich) {
		want := s.run(s.replacing(false))
		got := s.run(s.replacing(true))
		s.sameBody("a response that was started twice", got, want)
		s.lengthFits(got)
		if got.headers.Has("X-Old") {
			s.faultf("expected nothing of the first call's headers, got %q", got.headers)
		}
	}),
	onMiddleware("START-19", "a second call is refused", func(s *sandwich) {
		s.run(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			if _, err := start("200 OK", plainText(), nil); err == nil {
				s.faultf("expected the second start_response without exc_info to fail, it returned no error")
			}
			return &recorded{record: s.record, blocks: blocksOf("hello")}, nil
		})
	}),
	onMiddleware("MW-14", "started in the first iteration", func(s *sandwich) {
		want := s.run(s.text("hello"))
		got := s.run(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return &recorded{record: s.record, blocks: func(yield func([]byte, error) bool) {
				if _, err := start("200 OK", plainText(), nil); err != nil {
					yield(nil, err)
					return
				}
				yield([]byte("hello"), nil)
			}}, nil
		})
		if s.reached() && got.status != want.status {
			s.faultf("expected the status %q of a response that is started late, got %v", want.status, got)
		}
		s.sameBody("a response that is started late", got, want)
	}),
	onMiddleware("MW-14", "never started", func(s *sandwich) {
		o := s.run(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return &recorded{record: s.record, blocks: blocksOf()}, nil
		})
		var panicked *wsgi.PanicError
		if errors.As(o.err, &panicked) {
			s.faultf("expected no panic when the application never starts its response, got %v", o.err)
		}
	}),
	onMiddleware("MW-14", "a write that works", func(s *sandwich) {
		s.run(s.writing(func(write wsgi.Write) {
			if write == nil {
				s.faultf("expected start_response to return a write, it returned nil")
			} else if n, err := write([]byte("hello")); n != 5 || err != nil {
				s.faultf("expected write of 5 bytes to return 5 and no error, got %d, %v", n, err)
			}
		}))
	}),
	onMiddleware("WRITE-13", "the same for write", func(s *sandwich) {
		want := s.run(s.text("some ", "text, ", "then more"))
		s.sameBody("a body that is written", s.run(s.writing(func(write wsgi.Write) {
			if write != nil {
				write([]byte("some "))
				write([]byte("text, "))
			}
		}, "then more")), want)
	}),
	onMiddleware("MW-16", "no hop-by-hop headers", func(s *sandwich) {
		s.alone = true
		o := s.run(s.text("hello"))
		for _, h := range o.headers {
			if wsgi.IsHopByHop(h.Name) {
				s.faultf("expected no hop-by-hop header, got %s: %q", h.Name, h.Value)
			}
		}
	}),
	onMiddleware("MW-01", "a head that servers accept", func(s *sandwich) {
		s.alone = true
		o := s.run(s.text("hello"))
		if _, _, err := wsgi.ParseStatus(o.status); o.starts > 0 && err != nil {
			s.faultf("expected a status that servers accept, got %v", err)
		}
		for _, fault := range headerFaults(o.headers) {
			if fault.Rule != "HDR-13" { // MW-16's affair
				s.faultf("expected headers that servers accept, got %v", fault)
			}
		}
	}),
	onMiddleware("HDR-12", "names of headers in any case", func(s *sandwich) {
		want := s.run(s.inner("200 OK", fields("Content-Type", "text/plain", "Cache-Control", "no-cache", "ETag", `"x"`, "Vary", "Accept"), blocksOf("hello")))
		got := s.run(s.inner("200 OK", fields("CONTENT-TYPE", "text/plain", "cache-control", "no-cache", "etag", `"x"`, "VARY", "Accept"), blocksOf("hello")))
		if a, b := folded(want.headers), folded(got.headers); s.reached() && !slices.Equal(a, b) {
			s.faultf("expected the same headers whatever the case of the application's names, %q, got %q", a, b)
		}
	}),
	onMiddleware("MW-17", "the same for a file", func(s *sandwich) {
		want := s.run(s.text("file content"))
		s.sameBody("a file", s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := start("200 OK", plainText(), nil); err != nil {
				return nil, err
			}
			return environ.FileWrapper()(bytes.NewReader([]byte("file content")), 0), nil
		}), want)
	}),
	onMiddleware("MW-18", "Len", func(s *sandwich) {
		for n := range 4 {
			o := s.run(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", plainText(), nil)
				return wsgi.Blocks(bytes.SplitAfter([]byte(strings.Repeat("a\n", n)), []byte("\n"))[:n]...), err
			})
			if o.sized && o.len != len(o.values) && o.err == nil {
				s.faultf("expected Len to be the number of blocks or to be hidden, it is %d for %d blocks", o.len, len(o.values))
			}
		}
	}),
	onMiddleware("MW-19", "an error behind a block", func(s *sandwich) {
		s.failure("an error of the body", s.run(s.inner("200 OK", plainText(), failing(errProbe, "hello"))))
	}),
	onMiddleware("MW-19", "an error before output", func(s *sandwich) {
		s.failure("an error of the body", s.run(s.inner("200 OK", plainText(), failing(errProbe))))
	}),
	onMiddleware("MW-20", "an error of Call", func(s *sandwich) {
		s.failure("an error of Call", s.run(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errProbe }))
	}),
	onMiddleware("MW-19", "a panic", func(s *sandwich) {
		s.failure("a panic", s.run(s.inner("200 OK", plainText(), func(func([]byte, error) bool) { panic(errProbe) })))
	}),
}
