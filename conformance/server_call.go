package conformance

import (
	"errors"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverCallProbes look at how the application object is invoked.
var serverCallProbes = []probe[*serverSubject]{
	onServer("CALL-01", "calls and does nothing else", func(s *serverRun) {
		s.onlyGo("the traps are methods of Go")
		s.expect(s.get(s.answer("200 OK", plainText(), blocksOf("ok"))), 200, "ok")
		d := s.subject.dispatcher
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.touched != "" {
			s.faultf("expected only Call of the application to be used, its method %s was", d.touched)
		}
	}),
	onServer("APP-04", "class as application", func(s *serverRun) {
		class := wsgi.AppClass[*recorded](func(_ *wsgi.Environ, start wsgi.StartResponse) *recorded {
			return s.body(func(yield func([]byte, error) bool) {
				start("200 OK", plainText(), nil)
				yield([]byte("instance"), nil)
			})
		})
		s.expect(s.get(class.Call), 200, "instance")
		s.expect(s.again("GET", ""), 200, "instance")
	}),
	onServer("SRV-01", "one call for a request", func(s *serverRun) {
		s.get(s.answer("200 OK", plainText(), blocksOf("ok")))
		s.calls("a request", 1)
		s.again("HEAD", "")
		s.calls("a HEAD request", 2)
		s.provoke("GET", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			s.record.addAs("call", "")
			return nil, errProbe
		})
		s.calls("a request that failed", 3)
	}),
	onServer("SRV-02", "an environ for each request", func(s *serverRun) {
		for range 3 {
			s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if environ.Get("conformance.mark") != nil || environ.Get("wsgi.version") == nil {
					s.faultf("expected a fresh environ, it shows what an earlier request did to its own")
				}
				environ.Set("conformance.mark", true)
				environ.Delete("wsgi.version")
				return s.answer("200 OK", plainText(), blocksOf("ok"))(environ, start)
			})
		}
	}),
	onServer("SRV-04", "head of an empty body", func(s *serverRun) {
		for _, blocks := range [][]string{nil, {""}, {"", "", ""}} {
			r := s.get(s.answer("200 OK", plainText("X-Probe", "empty"), blocksOf(blocks...)))
			s.expect(r, 200, "")
			if got := r.headers.Get("X-Probe"); got != "empty" {
				s.faultf("expected the head of a body of %d empty blocks to have X-Probe: empty, got %q", len(blocks), r.headers)
			}
		}
	}),
	onServer("SRV-06", "block without start_response", func(s *serverRun) {
		s.expectError(s.get(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return s.body(blocksOf("never started")), nil
		}))
	}),
	onServer("SRV-07", "end without start_response", func(s *serverRun) {
		s.expectError(s.get(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return s.body(blocksOf()), nil
		}))
	}),
	// No text asks a server of Python's for an error, and one that drops in
	// silence what comes too late harms nobody.
	onServer("SRV-10", "callables after the request", func(s *serverRun) {
		var start wsgi.StartResponse
		var write wsgi.Write
		var elsewhere atomic.Bool
		s.expect(s.get(func(_ *wsgi.Environ, sr wsgi.StartResponse) (wsgi.Iterable, error) {
			start = sr
			write, _ = sr("200 OK", plainText("Content-Length", "2"), nil)
			if !s.given(write) {
				write = func([]byte) (int, error) { return 0, errProbe }
			}
			return s.body(blocksOf("ok")), nil
		}), 200, "ok")
		s.record.await("close", s.patience) // or not: BODY-08's affair
		// The next request passes the connection on, so the first one is over.
		s.expect(s.get(func(_ *wsgi.Environ, sr wsgi.StartResponse) (wsgi.Iterable, error) {
			sr("200 OK", plainText("Content-Length", "4"), nil)
			_, err := write([]byte("XXXX"))
			elsewhere.Store(errors.Is(err, errors.ErrUnsupported))
			s.script.current().note("write(%q) of the request before: %s", "XXXX", ending(err))
			if err == nil && !s.subject.python {
				s.faultf("expected write of a finished request to fail, it returned no error")
			}
			_, err = start("500 Late", plainText(), errProbe)
			s.script.current().note("start_response(%q) of the request before: %s", "500 Late", ending(err))
			if err == nil && !s.subject.python {
				s.faultf("expected start_response of a finished request to fail, it returned no error")
			}
			return wsgi.Strings("next"), nil
		}), 200, "next")
		if elsewhere.Load() {
			s.skipf("the next request came to another process, which has no callables of this one")
		}
	}),
	onServer("SRV-12", "environ emptied by the application", func(s *serverRun) {
		wreck := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			for key := range environ.Map() {
				environ.Delete(key)
			}
			environ.Set("SERVER_PROTOCOL", "HTTP/0.9")
			environ.Set("REQUEST_METHOD", "GET")
			return s.answer("200 OK", plainText(), blocksOf("a", "b"))(environ, start)
		}
		s.expect(s.get(wreck), 200, "ab")
		head := func(a app) (*wireResponse, error) {
			s.install(a)
			c := s.dial().send(s.request("HEAD", s.path))
			return s.receive(c, "HEAD"), s.next(c)
		}
		_, leaks := head(s.answer("200 OK", plainText(), blocksOf("a", "b")))
		r, err := head(wreck)
		s.expect(r, 200, "")
		if err != nil && leaks == nil { // else it is HTTP-15's affair
			s.faultf("for HEAD, %v", err)
		}
	}),
}

// calls checks how often the application was called up to now.
func (s *serverRun) calls(after string, want int) {
	if got := s.record.count("call"); got != want {
		s.fatalf("expected one call of the application for %s, got %d calls after %d requests", after, got, want)
	}
}
