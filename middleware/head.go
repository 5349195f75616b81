package middleware

import "github.com/gowsgi/gowsgi/wsgi"

// Head returns a middleware that spares an application the body of a response to
// HEAD, which a server would throw away: the body is iterated until
// start_response was called, as a rule not at all, and closed.
//
// Status and headers stay as the application gave them, the Content-Length that
// GET would have had among them; none is added. The body is empty. Responses to
// other methods are left as they are.
//
// It is put outside of whatever makes headers by looking at the body, such as
// ETag, which would see none.
//
// Security: errors that an application would have met in its body are not met.
func Head() wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("REQUEST_METHOD") != "HEAD" {
				return next.Call(environ, start)
			}
			u := &unsent{start: start}
			u.decide = func(status string, headers wsgi.Headers) (string, wsgi.Headers, bool) { return status, headers, true }
			return u.call(next, environ)
		})
	}
}
