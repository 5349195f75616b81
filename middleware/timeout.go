package middleware

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ErrTimeout is wrapped by the failure of a request that Timeout has ended. It
// is also the context.Cause of its context.
var ErrTimeout = errors.New("middleware: Timeout: the time for the request is over")

// Timeout returns a middleware that gives each request a time, from the call of
// the application to the end of its body. The context of the environ ends then,
// so that whatever waits for it stops.
//
// Go cannot stop an application that does not look at its context. When the time
// is over the response ends with its next block: while nothing was sent, it is
// replaced by a 503, with status, headers and body of its own; after that the
// server cuts it, and a write fails. So a response that came too late is never
// taken for one that came in time. The server still gets a single block, or a
// file, as such; what it is given in one piece it may send to the end.
//
// d must be more than 0, anything else panics.
//
// Security: a time is no protection from a client that sends or reads slowly
// while nothing is asked of the application; the time-outs of the server are.
func Timeout(d time.Duration) wsgi.Middleware {
	if d <= 0 {
		panic(fmt.Sprintf("middleware: Timeout: the time is %v, expected more than 0", d))
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			t := &timed{next: next, start: start}
			t.ctx.outer, t.ctx.at = environ.Context(), time.Now().Add(d)
			environ.CloneInto(&t.inner, &t.ctx)
			return t.body.call(t, environ, start, &t.ctx)
		})
	}
}

// timed is a request that has a deadline, and its response.
type timed struct {
	next    wsgi.Application
	ctx     deadline
	inner   wsgi.Environ
	body    watched
	start   wsgi.StartResponse // the server's
	write   wsgi.Write         // the same
	written bool               // by write
}

// Call calls the application, with what was made ready for it.
func (t *timed) Call(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
	g := guarded{environ: &t.inner, start: t.start, by: t, limit: t}
	return g.call(t.next, t.startResponse)
}

func (t *timed) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	write, err := t.start(status, headers, excInfo)
	if err != nil {
		return nil, err
	}
	t.write = write
	return t.onWrite, nil
}

func (t *timed) onWrite(block []byte) (int, error) {
	if err := t.check(); err != nil {
		return 0, err
	}
	t.written = true
	return t.write(block)
}

func (t *timed) check() error {
	if t.ctx.Err() != nil && t.ctx.outer.Err() == nil {
		return ErrTimeout
	}
	return nil
}

func (t *timed) empty() error {
	if t.written {
		return nil // as after a block: what came in time is whole
	}
	return t.check()
}

func (t *timed) instead(_ *wsgi.Environ, err error) wsgi.Application {
	late := errors.Is(err, ErrTimeout) || errors.Is(err, context.DeadlineExceeded)
	if !late || t.check() == nil {
		return nil
	}
	return tooLate
}

var tooLate = &HTTPError{Code: 503, Detail: "The request took too long.", Headers: wsgi.Headers{{Name: "Retry-After", Value: "10"}}, Err: ErrTimeout}
