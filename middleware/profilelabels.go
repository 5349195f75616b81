package middleware

import (
	"context"
	"runtime/pprof"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ProfileLabels returns a middleware that labels what runs for a request in the
// profiles of runtime/pprof, so that a profile of the processor tells which part of
// the site has used it. labels returns names and values in turn; nil means the
// method, and the mount, which is SCRIPT_NAME.
//
// The labels hold while the application is called, while its body is iterated, and
// while that is closed; the context of the environ has them for goroutines that the
// application begins by pprof.Do. It does nothing to status, headers or body. The
// body that the server gets is a list, or a file, when the application's is.
//
// Security: a profile keeps a label for as long as it runs, and each set of labels
// is counted apart: whole paths, which strangers choose, would fill it.
func ProfileLabels(labels func(environ *wsgi.Environ) []string) wsgi.Middleware {
	if labels == nil {
		labels = func(environ *wsgi.Environ) []string {
			return []string{"method", knownMethod(environ.Var("REQUEST_METHOD")), "mount", environ.Var("SCRIPT_NAME")}
		}
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			l := newLabelled(environ.Context(), pprof.Labels(labels(environ)...))
			environ = environ.WithContext(l.inner)
			defer l.enter()()
			body, err := next.Call(environ, start)
			if body == nil {
				return nil, err
			}
			l.body, l.at = body, l
			return watch(&l.watched), err
		})
	}
}

// knownMethod is a method of RFC 9110, or "other": a client may send any word.
func knownMethod(method string) string {
	switch method {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return method
	}
	return "other"
}

// labelled is a body whose code has labels.
type labelled struct {
	watched
	around       passing
	outer, inner context.Context
}

func newLabelled(outer context.Context, labels pprof.LabelSet) *labelled {
	l := &labelled{outer: outer, inner: pprof.WithLabels(outer, labels)}
	l.around.enter = l.enter
	l.passing = &l.around
	return l
}

// enter sets the labels, and returns what takes them back.
func (l *labelled) enter() func() {
	pprof.SetGoroutineLabels(l.inner)
	return func() { pprof.SetGoroutineLabels(l.outer) }
}

func (*labelled) end() error { return nil }
