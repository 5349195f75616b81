package middleware

import (
	"errors"
	"fmt"
	"io"
	"runtime/pprof"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Profile returns a middleware that records what a request costs: a profile of
// the processor, as runtime/pprof makes it, for each request for which open returns
// a writer. It is recorded from the call of the application until its body was
// closed. Then the writer is closed, which is an error of Close if it fails. nil
// leaves a request alone.
//
// A process has one such profile at a time, and all that the process does meanwhile
// is in it. What is this request's own has the label request=profiled, as with
// ProfileLabels: go tool pprof -tagfocus request=profiled. While one is recorded, by
// whomever, another request is served without; its writer is closed with nothing
// written, and a line in wsgi.errors says so.
//
// It does nothing to status, headers or body. The body that the server gets is a
// list, or a file, when the application's is; no block is held back. The end of a
// recorded request keeps its connection for up to a quarter of a second.
//
// A nil function panics.
//
// Security: a profile names what the program does, and slows all of it down: let it
// be asked for by what strangers cannot send, and write it where they cannot read.
func Profile(open func(environ *wsgi.Environ) io.WriteCloser) wsgi.Middleware {
	if open == nil {
		panic("middleware: Profile: open is nil, expected a function")
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			to := open(environ)
			if to == nil {
				return next.Call(environ, start)
			}
			if err := pprof.StartCPUProfile(to); err != nil {
				fmt.Fprintf(environ.Errors(), "middleware: Profile: the request is not recorded: %v\n", errors.Join(err, to.Close()))
				return next.Call(environ, start)
			}
			l := newLabelled(environ.Context(), pprof.Labels("request", "profiled"))
			defer l.enter()()
			return l.watched.call(next, environ.WithContext(l.inner), start, endFunc(func() error {
				pprof.StopCPUProfile()
				return to.Close()
			}))
		})
	}
}
