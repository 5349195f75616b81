package middleware

import (
	"errors"
	"net/http"
	"os"
	"runtime/debug"

	"github.com/gowsgi/gowsgi/wsgi"
)

// guarded is a response that can be replaced for as long as nothing of it was
// sent: for Recover, Timeout and BodyLimit. A response that does not fail needs no
// memory for it.
type guarded struct {
	environ *wsgi.Environ
	start   wsgi.StartResponse // the server's
	by      guard
	limit   limit // nil for none

	// panics tells that a panic counts as a failure. Otherwise it passes through.
	panics bool
}

// guardedBody is the body of a guarded response, unless it is one that cannot fail
// any more: that of most responses costs nothing.
type guardedBody struct {
	guarded
	body    wsgi.Iterable // the application's, until it is closed
	instead wsgi.Iterable // that of the application that answers in its place
	yield   func(block []byte, err error) bool
	sent    bool  // a block, or a file
	stopped bool  // the server wants nothing more
	failure error // with which the body has ended
}

// guard returns the application that answers in the place of one that has failed
// with err, nil to let err go on to the server. It does nothing else, for it may be
// too late: see takeOver.
type guard interface {
	instead(environ *wsgi.Environ, err error) wsgi.Application
}

// limit is asked at each block: an error ends the response as if the application
// had failed with it. empty is asked at the end of a body of which nothing was sent.
type limit interface {
	check() error
	empty() error
}

// call calls next, with start, which is the server's or leads to it.
func (g *guarded) call(next wsgi.Application, start wsgi.StartResponse) (wsgi.Iterable, error) {
	body, err := g.callInner(next, start)
	if err == nil && body == nil {
		return nil, nil // it is for the server to say so
	}
	if err == nil && g.limit != nil {
		err = g.limit.check()
	}
	if err == nil {
		if isDone(body) {
			return body, nil
		}
		whole := &guardedBody{guarded: *g, body: body}
		if _, ok := body.(wsgi.FileStreamer); ok {
			return (*guardedFile)(whole), nil
		}
		return whole, nil
	}
	instead, err := g.replace(err)
	switch {
	case instead == nil:
		return body, err // the server closes it
	case body == nil:
		return instead, err
	}
	return &guardedBody{guarded: *g, body: body, instead: instead}, err
}

// callInner calls next and makes an error of a panic that counts as one.
func (g *guarded) callInner(next wsgi.Application, start wsgi.StartResponse) (body wsgi.Iterable, err error) {
	defer g.caught(&err)
	return next.Call(g.environ, start)
}

func (g *guarded) caught(err *error) {
	if !g.panics {
		return
	}
	switch v := recover(); v {
	case nil:
	case http.ErrAbortHandler: // it means to cut the connection, and is no failure
		panic(v)
	default:
		*err = &wsgi.PanicError{Value: v, Stack: debug.Stack()}
	}
}

// replace has the guard's application answer in the place of one that has failed
// with err. The error that it returns is for the server: err itself where nobody
// answers.
func (g *guarded) replace(err error) (wsgi.Iterable, error) {
	app := g.by.instead(g.environ, err)
	if app == nil {
		return nil, err
	}
	instead, failed := app.Call(g.environ, again(g.start, err))
	if failed == nil && instead == nil {
		failed = errNoBody
	}
	return instead, failed
}

// again is start for the application that answers in the place of one that failed
// with err, whose head it replaces.
func again(start wsgi.StartResponse, err error) wsgi.StartResponse {
	return func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
		if excInfo == nil {
			excInfo = err
		}
		return start(status, headers, excInfo)
	}
}

// takeOver begins a response in the place of one that has failed, for an application that
// does more than to answer. It has an error when it is too late: what was sent by write
// is known to the server alone, which refuses a second head then (START-14).
func takeOver(start wsgi.StartResponse) error {
	_, err := start("500 Internal Server Error", nil, nil)
	return err
}

// Blocks yields the body, or that of the application that answers in its place.
func (g *guardedBody) Blocks(yield func(block []byte, err error) bool) {
	g.deliver(yield, func() { g.body.Blocks(g.pass) })
}

// deliver runs iterate, which yields the body, and then what takes its place.
func (g *guardedBody) deliver(yield func(block []byte, err error) bool, iterate func()) {
	if g.instead != nil {
		g.instead.Blocks(yield)
		return
	}
	g.yield = yield
	g.run(iterate)
	if g.failure == nil || g.stopped {
		return
	}
	err := g.failure
	if !g.sent {
		g.instead, err = g.replace(err)
	}
	if err != nil {
		yield(nil, err)
		return
	}
	g.instead.Blocks(yield)
}

// run yields the application's body until it fails.
func (g *guardedBody) run(iterate func()) {
	defer g.caught(&g.failure)
	iterate()
	if g.failure == nil && g.limit != nil && !g.sent {
		g.failure = g.limit.empty()
	}
}

func (g *guardedBody) pass(block []byte, err error) bool {
	if g.stopped || g.failure != nil {
		return false
	}
	if err == nil && g.limit != nil {
		err = g.limit.check()
	}
	if err != nil {
		g.failure = err
		return false
	}
	g.sent = g.sent || len(block) > 0
	g.stopped = !g.yield(block, nil)
	return !g.stopped
}

// Close closes both bodies.
func (g *guardedBody) Close() (err error) {
	if g.instead != nil {
		instead := g.instead
		g.instead = nil
		defer func() { err = errors.Join(err, instead.Close()) }()
	}
	if g.body != nil {
		body := g.body
		g.body = nil
		err = body.Close()
	}
	return err
}

// guardedFile is a guarded response whose body may hand over files.
type guardedFile guardedBody

func (f *guardedFile) Blocks(yield func(block []byte, err error) bool) {
	(*guardedBody)(f).Blocks(yield)
}
func (f *guardedFile) Close() error { return (*guardedBody)(f).Close() }

func (f *guardedFile) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	g := (*guardedBody)(f)
	g.deliver(yield, func() {
		g.body.(wsgi.FileStreamer).StreamFiles(g.pass, func(file *os.File, n int64) (int64, error) {
			if g.stopped || g.failure != nil {
				return 0, errEnded
			}
			if g.limit != nil {
				if err := g.limit.check(); err != nil {
					g.failure = err
					return 0, err
				}
			}
			g.sent = true
			return sendFile(file, n)
		})
	})
}

var errEnded = errors.New("middleware: the response has ended")
