package conformance

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestMiddleware tests a middleware from both sides: it is wrapped around
// probe applications and called by a probe server. What the middleware does to
// a response is its own affair; how it treats its neighbours is looked at,
// and that it does the same to a response however the application produces it.
//
// The middleware must pass on a plain GET and POST. Each rule is a subtest,
// named after its id in the catalogue.
func TestMiddleware(t *testing.T, m wsgi.Middleware) {
	t.Helper()
	Suite{}.TestMiddleware(t, m)
}

// TestMiddleware is the function of that name, with the choices of s.
func (s Suite) TestMiddleware(t *testing.T, m wsgi.Middleware) {
	t.Helper()
	runProbes(t, s, m, middlewareProbes)
}

// sandwich is a probe at work on a middleware: an application inside and a
// server outside, which write into one record.
type sandwich struct {
	*probing
	middleware wsgi.Middleware
	record     *record
	method     string
	stopAfter  int              // values after which the server stops; 0 for never
	dontAsk    bool             // the server closes the body without iterating it
	vars       map[string]any   // further variables of the request
	wrapped    wsgi.Application // when set, is called in the place of what run wraps
	passed     bool             // the middleware has called the application, in one of the requests
	alone      bool             // what the middleware sends by itself can be judged
}

func onMiddleware(rule, name string, run func(s *sandwich)) probe[wsgi.Middleware] {
	return probe[wsgi.Middleware]{rule, name, func(p *probing, m wsgi.Middleware) {
		s := &sandwich{probing: p, middleware: m, record: &record{probing: p}, method: "GET"}
		if run(s); !s.passed && !s.alone {
			s.left("MW-02", "the middleware does not call the application")
		}
	}}
}

// outcome is what the server outside got.
type outcome struct {
	status  string
	headers wsgi.Headers
	starts  int
	excInfo error // of the last call of start_response
	environ *wsgi.Environ
	body    []byte   // what was written and yielded, in this order
	written string   // by write
	values  []string // that were yielded, empty ones too
	sized   bool
	len     int
	err     error // of Call, of the body, or a panic
	callErr bool
}

// probeInput is the body of every request, of two lines.
const probeInput = "input of\nthe probe\n"

// data is the response body.
func (o *outcome) data() string { return string(o.body) }

// failed reports whether the server outside learns of a failure: by an error,
// or by an error response.
func (o *outcome) failed() bool { return o.err != nil || o.status >= "5" }

func (o *outcome) String() string {
	return fmt.Sprintf("%d calls of start_response, status %q, %d values with %q, %s", o.starts, o.status, len(o.values), shorten(o.data()), ending(o.err))
}

// run sends one request through the middleware to the application, as a server
// that keeps the contract.
func (s *sandwich) run(inner app) *outcome {
	x := s.script.begin("in order")
	s.record = &record{probing: s.probing, who: "application: "}
	o := new(outcome)
	environ := wsgitest.NewRequest(s.method, "/probe/path?query").Content("text/plain", probeInput).Environ()
	for key, value := range s.vars {
		environ.Set(key, value)
	}
	o.environ = environ
	s.guarded("the middleware that is asked for "+s.method, func() {
		defer recovered(x, &o.err)
		s.drive(o, inner, environ, x)
	})
	s.passed = s.passed || s.reached()
	return o
}

// wrap puts the middleware around an application.
func (s *sandwich) wrap(inner wsgi.AppFunc) (wrapped wsgi.Application) {
	defer func() {
		if v := recover(); v != nil {
			s.faultf("expected the middleware to wrap an application, it panicked: %v", v)
			panic(errEnough)
		}
	}()
	if wrapped = s.middleware(inner); wrapped == nil {
		s.faultf("expected the middleware to make an application of another, it returned nil")
		panic(errEnough)
	}
	return wrapped
}

// drive is the server outside.
func (s *sandwich) drive(o *outcome, inner app, environ *wsgi.Environ, x *exchange) {
	record := s.record
	committed := false
	start := observed(x, "middleware: ", func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		switch {
		case committed && excInfo != nil:
			return nil, fmt.Errorf("too late: %w", excInfo)
		case o.starts > 0 && excInfo == nil:
			return nil, &wsgi.ContractError{Rule: "START-19", Detail: "start_response was called twice"}
		}
		o.starts++
		o.status, o.headers, o.excInfo = status, headers.Clone(), excInfo
		return func(block []byte) (int, error) {
			committed = true
			o.body = append(o.body, block...)
			o.written += string(block)
			record.addAs("outer write", "")
			return len(block), nil
		}, nil
	})
	called := func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		record.addAs("inner call", "is called")
		return inner(environ, observed(x, record.who, startResponse))
	}
	application := s.wrapped
	if application == nil {
		application = s.wrap(called)
	}
	body, err := application.Call(environ, start)
	record.addAs("outer returned", "")
	o.err, o.callErr = err, err != nil
	if err != nil {
		x.note("middleware: returns the error %q", err)
	} else {
		x.note("middleware: returns from its call")
	}
	if body == nil {
		if err == nil {
			s.faultf("expected the middleware to return a body or an error, it returned neither")
		}
		return
	}
	defer func() {
		defer recovered(x, &o.err)
		x.note("server: closes the middleware's body")
		body.Close()
	}()
	if err != nil || s.dontAsk {
		return
	}
	if sized, ok := body.(wsgi.Sized); ok {
		o.sized, o.len = true, sized.Len()
	}
	stopped, after, late := false, 0, time.Now().Add(s.patience/2)
	body.Blocks(func(block []byte, err error) bool {
		if stopped {
			record.addAs("outer value after stop", "")
			if after == 0 {
				x.note("middleware: yields %s after the stop", sample(block))
			}
			if after++; after == maxAfter {
				panic(errEnough) // or it would stay at work for ever
			}
			return false
		}
		if err != nil {
			x.note("middleware: yields the error %q", err)
			o.err, stopped = err, true
			return false
		}
		committed = committed || len(block) > 0
		o.body = append(o.body, block...)
		o.values = append(o.values, string(block))
		record.addAs("outer value", "")
		x.note("middleware: yields %s", sample(block))
		if stopped = len(o.values) == s.stopAfter; stopped {
			x.note("server: stops")
		}
		if len(o.values) == maxBlocks || time.Now().After(late) {
			s.faultf("expected the body of a few blocks to end, the middleware has yielded %d", len(o.values))
			stopped = true
		}
		return !stopped
	})
}

// recovered makes an error of a panic, and an event of x.
func recovered(x *exchange, err *error) {
	switch v := recover(); v {
	case nil:
	case errEnough:
		*err = errEnough
	default:
		stack := debug.Stack()
		x.note("panic in %s: %v", origin(stack), v)
		*err = &wsgi.PanicError{Value: v, Stack: stack}
	}
}

// origin returns the file and the line at which the panic of a stack began.
func origin(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	began := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "panic(") })
	for i := began + 2; began >= 0 && i+1 < len(lines); i += 2 {
		if !strings.HasPrefix(lines[i], "runtime.") {
			place, _, _ := strings.Cut(strings.TrimSpace(lines[i+1]), " ")
			return filepath.Base(place)
		}
	}
	return "an unknown place"
}

// reached reports whether the middleware called the application. One that does
// not is judged by MW-02 alone.
func (s *sandwich) reached() bool { return s.record.has("inner call") }

// inner is an application with a recorded body.
func (s *sandwich) inner(status string, headers wsgi.Headers, blocks wsgi.Generator) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start(status, headers.Clone(), nil); err != nil {
			return nil, err
		}
		return &recorded{record: s.record, blocks: blocks}, nil
	}
}

// text is an application that yields the blocks.
func (s *sandwich) text(blocks ...string) app {
	return s.inner("200 OK", plainText(), blocksOf(blocks...))
}

// sameBody expects that the middleware makes the same of two responses with
// the same content.
func (s *sandwich) sameBody(what string, got, want *outcome) {
	if got.data() != want.data() || got.err != nil {
		s.faultf("expected the same body for %s as for one that is yielded, %q, got %q, %s", what, shorten(want.data()), shorten(got.data()), ending(got.err))
	}
}

// lengthFits checks the Content-Length against the bytes.
func (s *sandwich) lengthFits(o *outcome) {
	if length := o.headers.Get("Content-Length"); length != "" && length != fmt.Sprint(len(o.data())) && o.err == nil {
		s.faultf("expected the Content-Length %s of the middleware's response to be right or left out, there are %d bytes", length, len(o.data()))
	}
}

// failure checks that an error of the application reaches the server.
func (s *sandwich) failure(what string, o *outcome) {
	var panicked *wsgi.PanicError
	switch {
	case !s.reached():
	case !o.failed():
		s.faultf("expected %s to reach the server as an error, or as an error response, got %v", what, o)
	case o.err != nil && !errors.Is(o.err, errProbe) && !errors.As(o.err, &panicked):
		s.faultf("expected %s to reach the server, got another error, %v", what, o.err)
	}
}
