package middleware

import "github.com/gowsgi/gowsgi/wsgi"

// MapStatus returns a middleware that answers with the status that f makes of
// the application's, such as "200 OK".
//
// It changes the status alone, each time that start_response is called, and
// leaves headers and body as they are. A status that has no body, 204 or 304, in
// the place of one that has, or the other way round, makes the body a matter of
// the server, which will not send one for these.
//
// Security: caches act on the status. A 200 made of a 500 may be kept for all.
func MapStatus(f func(environ *wsgi.Environ, status string) string) wsgi.Middleware {
	if f == nil {
		panic("middleware: MapStatus: the function is nil")
	}
	return onHead(headLayer{head: func(environ *wsgi.Environ, status string, headers headList) (string, headList) {
		return f(environ, status), headers
	}})
}

// MapHeaders returns a middleware that answers with the headers that f makes of
// the application's. They are a copy, which f may change and return.
//
// It changes the headers alone, each time that start_response is called, and
// leaves status and body as they are. So it is not for headers that speak of
// the body, such as Content-Length and Content-Encoding: Filter changes these
// together with it. The server checks what f returns, as if the application had
// given it.
//
// Security: a value that is put together from a request goes through the check
// of the server, which refuses line ends and other control characters; what else
// it may mean to a browser is for f to know.
func MapHeaders(f func(environ *wsgi.Environ, status string, headers wsgi.Headers) wsgi.Headers) wsgi.Middleware {
	if f == nil {
		panic("middleware: MapHeaders: the function is nil")
	}
	return onHead(headLayer{head: func(environ *wsgi.Environ, status string, headers headList) (string, headList) {
		headers.Headers = f(environ, status, headers.own(0).Headers)
		headers.fresh = false // it may be one that f keeps for all responses
		return status, headers
	}})
}

// SetEnv returns a middleware that calls the application with a copy of the
// environ in which the given variables are set; nil as a value deletes one. The
// map is copied, its values are shared by all requests.
//
// It does nothing to status, headers or body.
//
// Security: a variable whose name begins with HTTP_ stands in the place of what
// the client sent. One that a client can send too, such as HTTP_X_USER, is to be
// set or deleted for every request, or strangers set it.
func SetEnv(vars map[string]any) wsgi.Middleware {
	type pair struct {
		key   string
		value any
	}
	list := make([]pair, 0, len(vars))
	for key, value := range vars {
		list = append(list, pair{key, value})
	}
	return func(next wsgi.Application) wsgi.Application {
		if len(list) == 0 {
			return next
		}
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			environ = environ.Clone()
			for _, p := range list {
				if p.value == nil {
					environ.Delete(p.key)
				} else {
					environ.Set(p.key, p.value)
				}
			}
			return next.Call(environ, start)
		})
	}
}
