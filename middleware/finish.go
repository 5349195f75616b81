package middleware

import (
	"fmt"

	"github.com/gowsgi/gowsgi/wsgi"
)

// finishKey is the variable with the *finishing of a request.
const finishKey = "gowsgi.finish_hooks"

// FinishHooks returns a middleware that lets the application say, while it works,
// what is to be done when the request is over: by AtFinish.
//
// The hooks run when the body of the response was closed, the last one first, each
// of them once, on every path. An error or a panic of one goes to wsgi.errors, and
// the others still run. It does nothing to status, headers or body. The body that the
// server gets is a list, or a file, when the application's is.
//
// Security: hooks run when the client has its response. What has to be done before
// the client may go on is to be done earlier.
func FinishHooks() wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f := &finishing{log: environ.Errors()}
			environ = environ.Clone()
			environ.Set(finishKey, f)
			return new(watched).call(next, environ, start, f)
		})
	}
}

// AtFinish lets hook run when the request of environ is over; a hook may add another,
// which runs next. It is false, and hook is not kept, when there is no FinishHooks
// outside, or its hooks have run. Like the environ, it is not for two goroutines at
// once.
func AtFinish(environ *wsgi.Environ, hook func() error) bool {
	f, ok := environ.Get(finishKey).(*finishing)
	if !ok || f.over {
		return false
	}
	f.hooks = append(f.hooks, hook)
	return true
}

// finishing are the hooks of a request.
type finishing struct {
	hooks []func() error // those that have not run
	over  bool           // all have
	log   wsgi.ErrorStream
}

func (f *finishing) end() error {
	for len(f.hooks) > 0 {
		last := len(f.hooks) - 1
		hook := f.hooks[last]
		f.hooks = f.hooks[:last] // before the call, which may add one
		if err := run(hook); err != nil {
			f.log.WriteString("middleware: FinishHooks: " + escape(err.Error()) + "\n")
		}
	}
	f.over = true
	return nil
}

// run calls hook and makes an error of a panic.
func run(hook func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("a hook panicked: %v", v)
		}
	}()
	return hook()
}
