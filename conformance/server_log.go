package conformance

import (
	"io"
	"strings"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverLogProbes look at wsgi.errors. Some of them need to see what becomes of
// it: Suite.Log or Suite.Output.
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
	onServer("LOG-03", "writelines adds nothing", func(s *serverRun) {
		s.onLog()
		parts := []string{mark(), mark() + "\n", mark(), mark() + "\n"}
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			errs := environ.Errors()
			errs.WriteString(parts[0])
			errs.WriteString(parts[1])
			errs.WriteLines(parts[2:]...)
			errs.Flush()
			return s.sized("ok")(environ, start)
		})
		written, lines := strings.TrimSpace(parts[0]+parts[1]), strings.TrimSpace(parts[2]+parts[3])
		log, ok := s.logged(func(log string) bool {
			for _, part := range parts {
				if !strings.Contains(log, strings.TrimSpace(part)) {
					return false
				}
			}
			return true
		})
		switch {
		case !ok:
			s.skipElsewhere()
		case !strings.Contains(log, written):
			s.skipf("not decided: the log has a record for each write")
		case !strings.Contains(log, lines):
			s.faultf("expected two texts of WriteLines to be together in the log, as those of two writes are: %q, got %q", lines, shorten(log[strings.Index(log, lines[:20]):]))
		}
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
		s.onLog()
		p := tearing{mark: mark()}
		var n atomic.Int32
		var alone, several atomic.Bool
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			request, errs := int(n.Add(1)-1), environ.Errors()
			alone.Store(environ.Get("wsgi.multithread") != true)
			several.Store(environ.Get("wsgi.multiprocess") == true)
			for line := range tearingLines {
				errs.WriteString(p.payload(request, line) + "\n")
			}
			errs.Flush()
			return s.sized("ok")(environ, start)
		})
		conns := make([]*wireConn, tearingRequests)
		for i := range conns {
			conns[i] = s.dial().send(s.request("GET", s.path))
		}
		for _, c := range conns {
			s.receive(c, "GET")
		}
		const all = tearingRequests * tearingLines
		log, ok := s.logged(func(log string) bool { return p.whole(log) == all })
		torn := p.torn(log)
		switch whole := p.whole(log); {
		case s.subject.printed && alone.Load():
			s.skipf("wsgi.multithread is false: no two requests write at the same time")
		case ok:
		case !strings.Contains(log, p.mark):
			s.skipElsewhere()
		case s.subject.printed && several.Load():
			s.skipf("not decided: wsgi.multiprocess is true, and what several processes print may be mixed on its way to the suite")
		case s.subject.printed && torn == "":
			s.skipf("not decided: of %d lines that %d requests wrote, %d are among what the server prints, and none of the others is torn by another request",
				all, tearingRequests, whole)
		case torn == "":
			torn = "missing"
			fallthrough
		default:
			s.faultf("expected the %d lines that %d requests wrote at the same time to be whole in the log, %d are; one is %s",
				all, tearingRequests, whole, torn)
		}
	}),
	onServer("LOG-15", "a line for each newline", func(s *serverRun) {
		s.onLog()
		one, two := mark(), mark()
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			environ.Errors().WriteString(one + "\n" + two + "\n")
			environ.Errors().Flush()
			return s.sized("ok")(environ, start)
		})
		log, ok := s.logged(func(log string) bool { return strings.Contains(log, one) && strings.Contains(log, two) })
		if !ok {
			s.skipElsewhere()
		}
		for line := range strings.Lines(log) {
			_, rest, _ := strings.Cut(line, one)
			between, _, joined := strings.Cut(rest, two)
			switch {
			case !joined:
			case s.subject.printed && escapedNewline.MatchString(between):
				s.skipf("not decided: the server prints a newline as %q, as a log of records does", between)
			default:
				s.faultf("expected two lines of wsgi.errors to be two lines of the log, they are in one: %q", line)
			}
		}
	}),
}

const logLine = "a line of the conformance suite\n"

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
