package conformance

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverErrorProbes look at what becomes of errors and panics.
var serverErrorProbes = []probe[*serverSubject]{
	onServer("ERR-10", "before start_response", func(s *serverRun) {
		s.expectError(s.get(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errProbe }))
	}),
	onServer("ERR-10", "after start_response", func(s *serverRun) { s.staleError(failing(errProbe)) }),
	onServer("ERR-11", "behind a block", func(s *serverRun) {
		s.reading("AMB-28")
		s.onMarkedEnd()
		s.cutAfter(plainText(), failing(errProbe, "begun"))
	}),
	onServer("ERR-11", "behind a block with Content-Length", func(s *serverRun) {
		s.reading("AMB-28")
		s.cutAfter(plainText("Content-Length", "50"), failing(errProbe, "begun"))
	}),
	onServer("ERR-13", "panic", func(s *serverRun) {
		s.onlyGo("an exception is ERR-10's affair")
		for _, value := range []any{"a string", errProbe, struct{ n int }{7}} {
			s.expectError(s.get(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic(value) }))
		}
	}),
	onServer("ERR-13", "panic behind a block", func(s *serverRun) {
		s.onlyGo("an exception is ERR-11's affair")
		s.reading("AMB-28")
		s.onMarkedEnd()
		s.cutAfter(plainText(), func(yield func([]byte, error) bool) {
			yield([]byte("begun"), nil)
			panic("conformance: on purpose")
		})
	}),
	onServer("ERR-13", "end of the goroutine", func(s *serverRun) {
		s.onlyGo("runtime.Goexit")
		s.install(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
			runtime.Goexit()
		}))
		c := s.dial().send(s.request("GET", s.path))
		if r, err := c.receive("GET"); isTimeout(err) || err == nil && r.code != 500 {
			s.faultf("expected a 500 or the end of the connection after runtime.Goexit, got %s", got(r, err))
		}
		if !s.record.await("close", s.patience) {
			s.faultf("expected Close of the body after runtime.Goexit, it was not called within %v", s.patience)
		}
	}),
	onServer("ERR-12", "goes on serving", func(s *serverRun) {
		for i := range 20 {
			s.install(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
				if i%2 == 0 {
					panic(http.ErrAbortHandler)
				}
				return nil, errProbe
			})
			c := s.dial().send(s.request("GET", s.path))
			c.receive("GET")
			c.Close()
		}
		s.expect(s.get(s.sized("serving")), 200, "serving")
	}),
	onServer("SRV-08", "failures beside good requests", func(s *serverRun) {
		fail := s.gate()
		defer fail.open()
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("QUERY_STRING") == "fail" {
				defer fail.open()
				panic(7) // no error and no text
			}
			return s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
				if yield([]byte("before,"), nil) {
					fail.waitAtMost(5 * moment) // a server may let one in at a time
					yield([]byte("after"), nil)
				}
			})(environ, start)
		})
		good := s.dial().send(s.request("GET", s.path))
		bad := s.dial().send(s.request("GET", s.path+"?fail"))
		s.expect(s.receive(good, "GET"), 200, "before,after")
		bad.receive("GET") // of what form is ERR-13's affair
	}),
	onServer("ERR-14", "no details to the client", func(s *serverRun) {
		answered := false
		for _, a := range []app{
			func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errProbe },
			func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic(errProbe) },
		} {
			s.install(a)
			r, err := s.dial().send(s.request("GET", s.path)).receive("GET")
			if err != nil {
				continue
			}
			answered = true
			for _, secret := range []string{errProbe.Error(), "goroutine ", ".go:", "Traceback (most recent call last)", ".py"} {
				if strings.Contains(r.body+fmt.Sprint(r.headers), secret) {
					s.faultf("expected a response that tells nothing of the error, it contains %q: %v", secret, r)
				}
			}
		}
		if !answered {
			s.left("ERR-10", "an error has no response")
		}
	}),
	onServer("ERR-16", "refused and ignored", func(s *serverRun) {
		s.reading("AMB-12")
		r := s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			if _, err := start("404 Not Found", plainText(), nil); err == nil {
				s.record.addAs("taken", "")
				return nil, errProbe
			}
			return s.body(blocksOf("as if nothing had happened")), nil
		})
		if s.record.has("taken") {
			s.left("START-19", "the server refuses no second start_response")
		}
		s.expectError(r)
	}),
	onServer("ERR-16", "too late and ignored", func(s *serverRun) {
		s.reading("AMB-12")
		s.onMarkedEnd()
		s.install(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return s.body(func(yield func([]byte, error) bool) {
				yield([]byte("begun"), nil)
				if _, err := start("500 Late", plainText(), errProbe); err == nil {
					yield(nil, errProbe) // START-14's affair
					return
				}
				yield([]byte("an error page in the middle"), nil)
			}), nil
		})
		c := s.dial().send(s.request("GET", s.path))
		if r := s.receive(c, "GET"); r.body != "begun" || r.complete() && r.framing != "close" {
			s.faultf("expected the response to be cut after %q, got %v", "begun", r)
		}
	}),
}

// staleError expects a 500 that has nothing of the head that was stored.
func (s *serverRun) staleError(blocks wsgi.Generator) {
	r := s.get(s.answer("200 OK", plainText("X-Stale", "1", "Content-Length", "3"), blocks))
	s.expectError(r)
	if r.headers.Has("X-Stale") {
		s.faultf("expected nothing of the stored headers in the server's own response, got %q", r.headers)
	}
}

// cutAfter expects a response that has begun to be cut: the client can see
// that it is not whole, and nothing follows on the connection.
func (s *serverRun) cutAfter(headers wsgi.Headers, blocks wsgi.Generator) {
	s.install(s.answer("200 OK", headers, blocks))
	c := s.dial().send(s.request("GET", s.path) + s.request("GET", goodPath))
	r := s.receive(c, "GET")
	s.unmarked(r)
	if r.complete() || isTimeout(r.err) || r.code != 200 || !strings.HasPrefix("begun", r.body) {
		s.faultf("expected the response to be cut after %q and the connection to end, got %v", "begun", r)
		return
	}
	if rest, closed := c.ended(); rest != "" || !closed {
		s.faultf("expected nothing after a response that was cut, got %q", rest)
	}
}
