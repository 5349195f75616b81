package middleware

import (
	"fmt"
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Chain returns one middleware made of several. The first listed is the
// outermost: it sees a request first and the response last. Since the result is
// a middleware, chains nest:
//
//	Chain(a, Chain(b, c))(app) // the same as a(b(c(app)))
//
// Chain of none is the identity, which returns the application itself. The
// arguments are copied; a nil one panics.
//
// It does nothing to status, headers or body.
//
// Security: the order is what protects; doc/middleware.md has one, with reasons.
func Chain(m ...wsgi.Middleware) wsgi.Middleware {
	m = slices.Clone(m)
	for i, one := range m {
		if one == nil {
			panic(fmt.Sprintf("middleware: Chain: argument %d is nil, expected a middleware", i+1))
		}
	}
	return func(next wsgi.Application) wsgi.Application {
		for _, one := range slices.Backward(m) {
			next = one(next)
		}
		return next
	}
}

// When returns a middleware that applies m to the requests for which condition
// holds; the others go on to the application as if m were not there. m wraps
// the application once, when the chain is put together, so whatever m keeps
// between requests is kept.
//
// condition is called once for each request, possibly by many goroutines at
// once, and leaves the environ as it is.
//
// When does nothing to status, headers or body itself, and passes the body on
// as it is.
//
// Security: a gate, such as BasicAuth, behind a condition is as strong as the
// condition. The path of a request has many spellings, so let Mount decide by
// path, which looks at what the application will see.
func When(condition func(environ *wsgi.Environ) bool, m wsgi.Middleware) wsgi.Middleware {
	if condition == nil {
		panic("middleware: When: the condition is nil, expected a function")
	}
	if m == nil {
		panic("middleware: When: the middleware is nil, expected one")
	}
	return func(next wsgi.Application) wsgi.Application {
		applied := m(next)
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if condition(environ) {
				return applied.Call(environ, start)
			}
			return next.Call(environ, start)
		})
	}
}
