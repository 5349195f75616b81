package conformance

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// middlewareProbes is the suite for middleware.
var middlewareProbes = []probe[wsgi.Middleware]{
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
		o := s.run(s.text("hello"))
		for _, h := range o.headers {
			if wsgi.IsHopByHop(h.Name) {
				s.faultf("expected no hop-by-hop header, got %s: %q", h.Name, h.Value)
			}
		}
	}),
	onMiddleware("MW-01", "a head that servers accept", func(s *sandwich) {
		o := s.run(s.text("hello"))
		if _, _, err := wsgi.ParseStatus(o.status); o.starts > 0 && err != nil {
			s.faultf("expected a status that servers accept, got %v", err)
		}
		var rule *wsgi.ContractError
		if err := o.headers.Validate(); errors.As(err, &rule) && rule.Rule != "HDR-13" {
			s.faultf("expected headers that servers accept, got %v", err)
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
	onMiddleware("ENV-24", "a whole environ", func(s *sandwich) {
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for _, key := range requiredKeys {
				if environ.Get(key) == nil {
					s.faultf("expected the application to get an environ with %s, it is missing", key)
				}
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("CGI-20", "the path stays whole", func(s *sandwich) {
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for _, key := range []string{"SCRIPT_NAME", "PATH_INFO"} {
				if value := environ.Var(key); value != "" && value[0] != '/' || key == "SCRIPT_NAME" && value == "/" {
					s.faultf("expected %s to be empty or to begin with a slash, and SCRIPT_NAME not to be one, got %q", key, value)
				}
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("CGI-32", "what is put into SCRIPT_NAME", func(s *sandwich) {
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			const whole = "/probe/path"
			script, path := environ.Var("SCRIPT_NAME"), environ.Var("PATH_INFO")
			if len(script) > 1 && strings.HasPrefix(whole, script) && script+path != whole {
				s.faultf("expected what the middleware puts into SCRIPT_NAME to be taken from PATH_INFO, %q is now %q and %q", whole, script, path)
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("INPUT-22", "all ways to read the input", func(s *sandwich) {
		s.method = "POST"
		want := s.readInput("Read", func(in wsgi.InputStream) ([]byte, error) { return io.ReadAll(in) })
		for _, way := range inputWays {
			if got := s.readInput(way.name, way.read); s.reached() && got != want {
				s.faultf("expected the application to read by %s what it reads by Read, %q, got %q", way.name, want, got)
			}
		}
	}),
	onMiddleware("COM-04", "wsgi.input_terminated is true", func(s *sandwich) {
		s.method = "POST"
		s.vars = map[string]any{"wsgi.input_terminated": true}
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Get("wsgi.input_terminated") == true {
				in := environ.Input()
				io.CopyN(io.Discard, in, int64(len(probeInput)))
				if _, err := io.Copy(io.Discard, in); err != nil {
					s.faultf("expected the end of the input where wsgi.input_terminated is true, got the error %q", err)
				}
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("MW-21", "the method outside", func(s *sandwich) {
		for _, s.method = range []string{"HEAD", "POST"} {
			if o := s.run(s.text("hello")); s.reached() && o.environ.Var("REQUEST_METHOD") != s.method {
				s.faultf("expected REQUEST_METHOD to be %s again for the layers outside when the request is over, it is %q", s.method, o.environ.Var("REQUEST_METHOD"))
			}
		}
	}),
	onMiddleware("COM-09", "errors pass where the caller wants them", func(s *sandwich) {
		s.vars = map[string]any{"x-wsgiorg.throw_errors": true}
		for _, a := range []app{
			func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errProbe },
			s.inner("200 OK", plainText(), failing(errProbe)),
		} {
			if o := s.run(a); s.reached() && o.err == nil && o.failed() { // or MW-19 is broken
				s.faultf("expected the application's error to reach the server where x-wsgiorg.throw_errors is true, got %v", o)
			}
		}
	}),
	onMiddleware("INPUT-23", "the input is still there", func(s *sandwich) {
		s.method = "POST"
		s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			all, err := io.ReadAll(environ.Input())
			if n, ok := environ.ContentLength(); err != nil || len(all) == 0 || ok && int64(len(all)) != n {
				s.faultf("expected the application to read the body of the request, and CONTENT_LENGTH to be right, got %q, error %v, length %d", all, err, n)
			}
			return s.text("hello")(environ, start)
		})
	}),
	onMiddleware("BODY-22", "blocks are lent", func(s *sandwich) {
		want := s.run(s.text("one.", "two.", "end."))
		s.sameBody("blocks in one buffer", s.run(s.inner("200 OK", plainText(), func(yield func([]byte, error) bool) {
			block := make([]byte, 4)
			for _, text := range []string{"one.", "two.", "end."} {
				copy(block, text)
				if !yield(block, nil) {
					return
				}
				if string(block) != text {
					s.faultf("expected the middleware to leave the block %q as it is, it is %q now", text, block)
				}
			}
			copy(block, "XXXX")
		})), want)
	}),
	onMiddleware("APP-05", "requests at the same time", func(s *sandwich) {
		want := s.run(s.text("request ", "of its own")).data()
		meet := newMeeting(4)
		wrapped := s.wrap(wsgi.AppFunc(s.inner("200 OK", plainText(), func(yield func([]byte, error) bool) {
			if yield([]byte("request "), nil) {
				meet.wait()
				yield([]byte("of its own"), nil)
			}
		})))
		s.together(4, func(int) {
			one := &sandwich{probing: s.probing, wrapped: wrapped, method: "GET"}
			if got := one.run(nil); got.data() != want || got.err != nil {
				s.faultf("expected %q for each of several requests at the same time, got %v", want, got)
			}
		})
	}),
}
