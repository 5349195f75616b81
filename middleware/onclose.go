package middleware

import (
	"errors"

	"github.com/gowsgi/gowsgi/wsgi"
)

// OnClose returns a middleware that calls hook when a request is over: once, on
// every path, after the body of the response was closed. When the application
// returns no body, because it failed or panicked, that is when it returns.
//
// It is the place to give back what a request has held, which lasts longer than
// the call of the application: a defer around Call runs before the body does.
// An error of hook is one of Close, which servers log; the client has its
// response by then.
//
// It does nothing to status, headers or body. The body that the server gets is
// a list, or a file, when the application's is.
//
// Security: hook runs while the client may already send its next request, and
// on the goroutine of the connection. What is to be revoked before the response
// is seen has to be revoked earlier.
func OnClose(hook func(environ *wsgi.Environ) error) wsgi.Middleware {
	if hook == nil {
		panic("middleware: OnClose: the hook is nil, expected a function")
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return new(watched).call(next, environ, start, endFunc(func() error { return hook(environ) }))
		})
	}
}

type endFunc func() error

func (f endFunc) end() error { return f() }

// call calls next, and at when the request is over. w is the body that it returns.
func (w *watched) call(next wsgi.Application, environ *wsgi.Environ, start wsgi.StartResponse, at ender) (body wsgi.Iterable, err error) {
	returned := false
	defer func() {
		if !returned { // a panic, or Goexit, which goes on
			at.end()
		}
	}()
	body, err = next.Call(environ, start)
	returned = true
	if body == nil {
		return nil, errors.Join(err, at.end())
	}
	w.body, w.at = body, at
	return watch(w), err
}

// blockOf returns body as a single block, whether it is one or is one that has a
// hook when it is closed.
func blockOf(body wsgi.Iterable) (wsgi.Block, bool) {
	block, ok := underneath(body).(wsgi.Block)
	return block, ok
}

// isDone reports whether body is a single block, or none at all: what can neither
// fail nor be late, so that nobody has to look on while it is iterated.
func isDone(body wsgi.Iterable) bool {
	body = underneath(body)
	_, ok := body.(wsgi.Block)
	return ok || body == wsgi.Empty()
}

// underneath returns the body that has a hook when it is closed, and nothing
// else.
func underneath(body wsgi.Iterable) wsgi.Iterable {
	for {
		list, ok := body.(*watchedList)
		if !ok || list.passing != nil {
			return body
		}
		body = list.body
	}
}
