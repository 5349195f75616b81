package conformance

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Lint returns app with an observer in front of it, which looks at every call
// in both directions and reports what breaks a rule: the server's environ,
// callables and use of the body, and the application's response. It is a
// wsgi.Middleware, and changes nothing that either side sees, but for what
// Linter says.
//
// A finding is one line on the request's wsgi.errors, so that it is in the
// server's log, and fails a test that uses wsgitest.Do. A finding that comes
// when the request is over goes to slog.Default. A Linter reports elsewhere.
func Lint(app wsgi.Application) wsgi.Application { return new(Linter).Lint(app) }

// Linter is Lint with a choice of where findings go. Its zero value reports as
// Lint does. It must not be copied, nor Report be changed, once it is used; it
// observes any number of applications and requests at once.
//
// Between two linted layers, each by this or another Linter, the outer one also
// finds what the middleware between them owes to both sides (MW-04 to MW-19):
//
//	app = conformance.Lint(middleware(conformance.Lint(app)))
//
// What an application sees of a Linter: the variable gowsgi.lint in environ; a
// wsgi.errors, and where wsgi.input_terminated is not true a wsgi.input, with
// the methods of the contract and no others. To the server, the body is a
// wsgi.Sized and a wsgi.FileStreamer exactly when the application's is. A
// wsgi.Block reaches it as it is, so that nobody watches how it is iterated.
type Linter struct {
	// Report receives each finding, at the moment it is found and on the
	// goroutine that broke the rule, so that it may panic(f); a body that was
	// forgotten is found on another one, where a panic ends the process. It
	// may be called concurrently. A rule is reported at most once for each
	// request and side, and not again by an observer to whom a middleware only
	// passed it on.
	Report func(f Finding)

	mu   sync.Mutex
	open *call // the bodies that were not closed yet, a list
}

// NewLinter returns a Linter for a test: what breaks a rule fails t, warnings
// are logged, and bodies that nobody closed are found when t ends.
func NewLinter(t testing.TB) *Linter {
	l := &Linter{Report: func(f Finding) {
		t.Helper()
		if f.Warning {
			t.Log(f.Error())
		} else {
			t.Error(f.Error())
		}
	}}
	t.Cleanup(l.Close)
	return l
}

// Lint returns app with an observer that reports to l.
func (l *Linter) Lint(app wsgi.Application) wsgi.Application { return &linted{l, app} }

// Close reports the bodies that were not closed by now (BODY-08 to BODY-13).
// Call it when the server has stopped; the Linter may be used further. Without
// it a body that was forgotten is reported once the garbage collector has found
// it, which may be never.
func (l *Linter) Close() {
	for {
		l.mu.Lock()
		c := l.open
		l.mu.Unlock()
		if c == nil {
			return
		}
		c.forgotten()
	}
}

// add and remove keep the list of open bodies.
func (l *Linter) add(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.listed, c.next = true, l.open
	if l.open != nil {
		l.open.previous = c
	}
	l.open = c
}

// remove reports whether c was in the list.
func (l *Linter) remove(c *call) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !c.listed {
		return false
	}
	c.listed = false
	if c.previous != nil {
		c.previous.next = c.next
	} else {
		l.open = c.next
	}
	if c.next != nil {
		c.next.previous = c.previous
	}
	c.next, c.previous = nil, nil
	return true
}

// linted is an application with its observer.
type linted struct {
	linter *Linter
	app    wsgi.Application
}

// marker is the variable by which nested observers find each other. It holds
// the *call that is executing.
const marker = "gowsgi.lint"

// Call calls the application and observes it.
func (a *linted) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	c := &call{linter: a.linter, at: a, environ: environ, start: start, length: -1}
	if environ == nil || start == nil {
		if environ == nil {
			c.report("ENV-01", byServer, "environ is nil, expected a dictionary")
		}
		if start == nil {
			c.report("CALL-04", byServer, "start_response is nil, expected a callable")
		}
		return a.app.Call(environ, start)
	}
	c.meet()
	c.stderr, _ = environ.Get("wsgi.errors").(wsgi.ErrorStream) // before there is a finding
	c.checkEnviron()
	c.wrapStreams()
	c.enter()
	ended := false
	defer func() {
		if !ended { // a panic, or Goexit
			c.leave()
			c.callFailed()
			c.finish()
		}
	}()
	body, err := a.app.Call(environ, c.startResponse)
	ended = true
	c.leave()
	return c.returned(body, err)
}

// returned looks at the results of the application, and returns them with an
// observer around the body.
func (c *call) returned(body wsgi.Iterable, err error) (wsgi.Iterable, error) {
	c.mu.Lock()
	c.hasReturned = true
	trapped, wrote := c.trapped, c.wrote
	if err != nil {
		c.trapped = false
	}
	c.mu.Unlock()
	if err != nil {
		c.callFailed()
	} else if trapped {
		c.reportTrapped()
	}
	if body == nil {
		if err == nil && wrote {
			c.report("WRITE-05", byApp, "the application used write and returned no body, expected a body, which may be empty")
		} else if err == nil {
			c.report("BODY-01", byApp, "the application returned no body and no error, expected a body")
		}
		c.finish()
		return body, err
	}
	if block, ok := body.(wsgi.Block); ok && c.outer == nil {
		if err == nil {
			c.observeBlock(block)
		}
		c.finish()
		return body, err
	}
	return c.wrapBody(body), err
}

// callFailed notes that the call of the application ended in an error.
func (c *call) callFailed() {
	c.mu.Lock()
	c.hasReturned, c.failed, c.trapped = true, true, false
	c.mu.Unlock()
	if c.outer != nil {
		c.outer.innerFailed()
	}
}

// log is where findings go when the Linter has no Report.
func (c *call) log(f Finding) {
	c.mu.Lock()
	over := c.over
	c.mu.Unlock()
	if c.stderr != nil && !over {
		if _, err := c.stderr.WriteString("gowsgi lint: " + f.Error() + "\n"); err == nil {
			return
		}
	}
	level := slog.LevelError
	if f.Warning {
		level = slog.LevelWarn
	}
	slog.Default().LogAttrs(context.Background(), level, "rule broken", f.attrs()...)
}
