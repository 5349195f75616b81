package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverLogProbes look at wsgi.errors, and at what the server logs by itself.
// Most of them need the log, Suite.Log.
var serverLogProbes = []probe[*serverSubject]{
	onServer("LOG-01", "flush", func(s *serverRun) {
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if err := environ.Errors().Flush(); err != nil {
				s.faultf("expected Flush of wsgi.errors to succeed, got %v", err)
			}
			return s.sized("ok")(environ, start)
		})
	}),
	onServer("LOG-02", "write", func(s *serverRun) {
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			s.logging(environ.Errors(), logLine)
			return s.sized("ok")(environ, start)
		})
	}),
	onServer("LOG-03", "writelines", func(s *serverRun) {
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if err := environ.Errors().WriteLines(logLine, logLine); err != nil {
				s.faultf("expected WriteLines of wsgi.errors to take two lines, got %v", err)
			}
			return s.sized("ok")(environ, start)
		})
	}),
	onServer("LOG-05", "any text", func(s *serverRun) {
		var mute atomic.Bool
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := io.WriteString(environ.Errors(), logLine); err != nil {
				mute.Store(true)
			} else {
				s.logging(environ.Errors(), "\u20ac \U0001F600 \xff\xfe\n")
			}
			return s.sized("ok")(environ, start)
		})
		if mute.Load() {
			s.left("LOG-02", "wsgi.errors takes no text at all")
		}
	}),
	onServer("LOG-13", "no torn lines", func(s *serverRun) {
		const requests, lines = 8, 40
		mark := s.onLog()
		payload := func(request, line int) string {
			return fmt.Sprintf("%s-%d-%d-%s-end", mark, request, line, strings.Repeat(string(rune('a'+request)), 100))
		}
		var n atomic.Int32
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			request, errs := int(n.Add(1)-1), environ.Errors()
			for line := range lines {
				errs.WriteString(payload(request, line) + "\n")
			}
			errs.Flush()
			return s.sized("ok")(environ, start)
		})
		conns := make([]*wireConn, requests)
		for i := range conns {
			conns[i] = s.dial().send(s.request("GET", s.path))
		}
		for _, c := range conns {
			s.receive(c, "GET")
		}
		whole := func(log string) (n int) {
			for request := range requests {
				for line := range lines {
					if strings.Contains(log, payload(request, line)) {
						n++
					}
				}
			}
			return n
		}
		log, ok := s.logged(func(log string) bool { return whole(log) == requests*lines })
		switch n := whole(log); {
		case ok:
		case !strings.Contains(log, mark):
			s.skipf(elsewhere)
		default:
			s.faultf("expected the %d lines that %d requests wrote at the same time to be whole in the log, %d are; one is %s",
				requests*lines, requests, n, torn(log, mark))
		}
	}),
	onServer("LOG-15", "a line for each newline", func(s *serverRun) {
		one, two := s.onLog(), s.onLog()
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			environ.Errors().WriteString(one + "\n" + two + "\n")
			environ.Errors().Flush()
			return s.sized("ok")(environ, start)
		})
		log, ok := s.logged(func(log string) bool { return strings.Contains(log, one) && strings.Contains(log, two) })
		if !ok {
			s.skipf(elsewhere)
		}
		for line := range strings.Lines(log) {
			if strings.Contains(line, one) && strings.Contains(line, two) {
				s.faultf("expected two lines of wsgi.errors to be two lines of the log, they are in one: %q", line)
			}
		}
	}),
	onServer("ERR-07", "errors are logged", func(s *serverRun) {
		for _, ending := range []struct {
			name string
			make func(err error) app
		}{
			{"an error of the call", func(err error) app {
				return func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, err }
			}},
			{"an error of the body", func(err error) app { return s.answer("200 OK", plainText(), failing(err)) }},
			{"an error of the body behind a block", func(err error) app { return s.answer("200 OK", plainText(), failing(err, "begun")) }},
			{"a panic", func(err error) app {
				return func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic(err) }
			}},
		} {
			text := "on purpose: " + s.onLog()
			s.install(ending.make(errors.New(text)))
			s.dial().send(s.request("GET", s.path)).receive("GET")
			if _, ok := s.logged(func(log string) bool { return strings.Contains(log, text) }); !ok {
				s.faultf("expected %s to be in the log with its text, %q, it is not within %v", ending.name, text, s.patience)
			}
		}
	}),
	onServer("BODY-14", "an error of Close is logged", func(s *serverRun) {
		text := "on purpose: " + s.onLog()
		s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return &recorded{record: s.record, blocks: blocksOf("complete"), closeErr: errors.New(text)}, nil
		})
		if !s.record.await("close", s.patience) {
			s.left("BODY-08", notClosed)
		}
		if _, ok := s.logged(func(log string) bool { return strings.Contains(log, text) }); !ok {
			s.faultf("expected an error of Close to be in the log with its text, %q, it is not within %v", text, s.patience)
		}
	}),
	onServer("ERR-15", "a client that leaves is no error", func(s *serverRun) {
		s.onLog()
		before := len(s.subject.log())
		s.leaves(s.answer("200 OK", plainText(), untilStopped(s.patience)))
		if !s.record.await("close", s.patience) {
			s.left("BODY-10", "the body is not closed when the client leaves")
		}
		s.get(s.sized("ok")) // by then the end of the first request has been logged
		log := string(s.subject.log()[before:])
		for _, trace := range []string{"Traceback (most recent call last)", "goroutine "} {
			if i := strings.Index(log, trace); i >= 0 {
				s.faultf("expected no stack trace in the log when a client leaves, got %q", shorten(log[i:]))
			}
		}
	}),
}

const logLine = "a line of the conformance suite\n"

const (
	noLog     = "the suite was not given the server's log (Suite.Log)"
	elsewhere = "what is written to wsgi.errors is not in the log that the suite was given"
)

// onLog ends a probe of the log where there is none, and returns a text that
// occurs nowhere else.
func (s *serverRun) onLog() (mark string) {
	if s.subject.log == nil {
		s.skipf(noLog)
	}
	return fmt.Sprintf("conformance-%d-%d", time.Now().UnixNano(), marks.Add(1))
}

var marks atomic.Int64

// logged waits until the log is as it should be, and returns the log.
func (s *serverRun) logged(good func(log string) bool) (log string, ok bool) {
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(s.patience); ; <-ticks.C {
		log = string(s.subject.log())
		if good(log) {
			return log, true
		}
		if time.Now().After(deadline) {
			return log, false
		}
	}
}

// torn returns a line of the log that has mark, and not a whole payload.
func torn(log, mark string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, mark) && (strings.Count(line, mark) > 1 || !strings.Contains(line, "-end")) {
			return fmt.Sprintf("%q", shorten(line))
		}
	}
	return "missing"
}

// untilStopped yields large blocks until it is stopped, or for too long.
func untilStopped(patience time.Duration) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		block := bytes.Repeat([]byte{'x'}, 64<<10)
		for end := time.Now().Add(patience); yield(block, nil) && time.Now().Before(end); {
		}
	}
}

// logging writes text to an error stream.
func (s *serverRun) logging(errs wsgi.ErrorStream, text string) {
	for _, call := range []struct {
		name string
		err  error
	}{
		{"WriteString", second(io.WriteString(errs, text))},
		{"Write", second(errs.Write([]byte(text)))},
	} {
		if call.err != nil {
			s.faultf("expected %s of wsgi.errors to take %q, got %v", call.name, text, call.err)
		}
	}
}

func second(_ int, err error) error { return err }
