package conformance

import (
	"errors"
	"runtime"
	"sync/atomic"
	"weak"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverStartProbes look at start_response.
var serverStartProbes = []probe[*serverSubject]{
	onServer("START-02", "returns write", func(s *serverRun) {
		s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if write, err := start("200 OK", plainText(), nil); write == nil || err != nil {
				s.faultf("expected start_response to return a write and no error, got write == nil: %t, %s", write == nil, ending(err))
			}
			return wsgi.Strings("ok"), nil
		})
	}),
	onServer("START-06", "called in the first iteration", func(s *serverRun) {
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return s.body(func(yield func([]byte, error) bool) {
				start("202 Late", plainText(), nil)
				yield([]byte("late"), nil)
			}), nil
		}), 202, "late")
	}),
	onServer("START-06", "called after an empty block", func(s *serverRun) {
		s.reading("AMB-01")
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return s.body(func(yield func([]byte, error) bool) {
				if yield(nil, nil) {
					start("202 Late", plainText(), nil)
					yield([]byte("late"), nil)
				}
			}), nil
		}), 202, "late")
	}),
	onServer("START-13", "replaces the head", func(s *serverRun) {
		r := s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText("X-Old", "1"), nil)
			if _, err := start("503 New", plainText("X-New", "1"), errProbe); err != nil {
				s.faultf("expected start_response with exc_info to succeed before output, got %v", err)
			}
			return s.body(blocksOf("new")), nil
		})
		s.expect(r, 503, "new")
		if r.headers.Has("X-Old") || !r.headers.Has("X-New") || len(r.headers.Values("Content-Type")) != 1 {
			s.faultf("expected the second list of headers in the place of the first, got %q", r.headers)
		}
	}),
	onServer("START-13", "replaces a Content-Length", func(s *serverRun) {
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText("Content-Length", "77"), nil)
			start("503 New", plainText(), errProbe)
			return s.body(blocksOf("new")), nil
		}), 503, "new")
	}),
	onServer("START-14", "too late with exc_info", func(s *serverRun) {
		s.tooLate(func(err error) {
			if err == nil {
				s.faultf("expected start_response with exc_info to fail after output, it returned no error")
			}
		})
	}),
	onServer("START-15", "the original error", func(s *serverRun) {
		var taken atomic.Bool
		s.tooLate(func(err error) {
			if taken.Store(err == nil); err != nil && !errors.Is(err, errProbe) {
				s.faultf("expected an error that wraps the one given as exc_info, got %v", err)
			}
		})
		if taken.Load() {
			s.left("START-14", "start_response with exc_info does not fail after output")
		}
	}),
	onServer("START-26", "aborted and not changed", func(s *serverRun) {
		s.onMarkedEnd()
		r := s.tooLate(func(error) {})
		if r.code != 200 || r.headers.Has("X-New") || r.body != "begun" {
			s.faultf("expected the response that had begun, 200 with %q and no more, got %v", "begun", r)
		}
		s.reading("AMB-28")
		if s.unmarked(r); r.complete() {
			s.faultf("expected the response to be cut, it looks complete: %v", r)
		}
	}),
	onServer("START-13", "the last of several", func(s *serverRun) {
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			start("500 Second", plainText(), errProbe)
			_, err := start("503 Third", plainText(), errProbe)
			return s.body(blocksOf("third")), err
		}), 503, "third")
	}),
	onServer("START-19", "twice without exc_info", func(s *serverRun) {
		s.expectError(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			if _, err := start("200 OK", plainText(), nil); err == nil {
				s.faultf("expected the second start_response without exc_info to fail, it returned no error")
			} else {
				return nil, err
			}
			return wsgi.Strings("twice"), nil
		}))
	}),
	onServer("START-20", "after a refused call", func(s *serverRun) {
		s.install(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := start("200 OK", fields("Bad Name", "x"), nil); err == nil {
				return nil, errProbe // not detected: START-22's affair
			}
			s.record.addAs("refused", "")
			if _, err := start("200 OK", plainText(), nil); err == nil {
				s.faultf("expected start_response without exc_info to fail after a refused call, it returned no error")
			}
			if _, err := start("503 Repaired", plainText(), errProbe); err != nil {
				s.faultf("expected start_response with exc_info to repair a refused call, got %v", err)
			}
			return s.body(blocksOf("repaired")), nil
		})
		r, err := s.dial().send(s.request("GET", s.path)).receive("GET")
		switch {
		case !s.record.has("refused"):
			s.skipf("the server does not refuse a header %q", "Bad Name")
		case err != nil:
			s.fatalf("%s", unreceived("GET", err))
		default:
			s.expect(r, 503, "repaired")
		}
	}),
	onServer("START-21", "exc_info is not kept", func(s *serverRun) {
		s.onlyGo("a traceback has references of its own")
		var kept weak.Pointer[releasable]
		looked := s.gate() // on a busy machine the collector takes longer than the client waits
		s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			kept = startOver(start)
			return s.body(func(yield func([]byte, error) bool) {
				if !yield([]byte("streaming"), nil) {
					return
				}
				defer looked.open()
				for range 3 {
					if kept.Value() != nil {
						runtime.GC()
					}
				}
				if kept.Value() != nil {
					s.faultf("expected the server to keep no reference to exc_info while the body is sent, it has one")
				}
			}), nil
		})
		if looked.waitAtMost(2 * s.patience); !looked.isOpen() {
			s.skipf("the body was not iterated to its end in time")
		}
	}),
	onServer("START-24", "exc_info at the first call", func(s *serverRun) {
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("503 First", plainText(), errProbe)
			return s.body(blocksOf("first")), err
		}), 503, "first")
	}),
	onServer("START-28", "write of a superseded call", func(s *serverRun) {
		s.reading("AMB-15")
		r := s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, _ := start("200 OK", plainText("X-Old", "1"), nil)
			if _, err := start("503 New", plainText(), errProbe); err != nil || !s.given(write) {
				return wsgi.Empty(), err
			}
			write([]byte("written"))
			return s.body(blocksOf()), nil
		})
		if r.code != 503 || r.headers.Has("X-Old") {
			s.faultf("expected the head of the second call, whatever became of the first one's write, got %v %q", r, r.headers)
		}
	}),
}

// releasable is an error that nobody else refers to.
type releasable struct{ _ [64]byte }

func (e *releasable) Error() string { return "conformance: exc_info of a probe" }

// startOver starts a response, and again with an exc_info of its own.
//
//go:noinline
func startOver(start wsgi.StartResponse) weak.Pointer[releasable] {
	err := new(releasable)
	start("200 OK", plainText(), nil)
	start("503 New", plainText(), err)
	return weak.Make(err)
}

// tooLate runs an application that starts an error response when a block is
// out already, and gives on what start_response answered. It ends a probe in
// which the application did not come to that.
func (s *serverRun) tooLate(see func(err error)) *wireResponse {
	r := s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", plainText(), nil)
		return s.body(func(yield func([]byte, error) bool) {
			if !yield([]byte("begun"), nil) {
				return
			}
			_, err := start("500 New", plainText("X-New", "1"), errProbe)
			s.record.addAs("late", "")
			see(err)
			if err == nil {
				err = errProbe
			}
			yield(nil, err)
		}), nil
	})
	if s.called.Load() && !s.record.has("late") {
		s.skipf("not decided: the body was not asked for a second block")
	}
	return r
}
