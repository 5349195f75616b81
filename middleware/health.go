package middleware

import (
	"context"
	"fmt"

	"github.com/gowsgi/gowsgi/wsgi"
)

// HealthConfig holds the choices of Health.
type HealthConfig struct {
	// Path is where the question is asked; "" means /healthz. It is the whole
	// PATH_INFO.
	Path string

	// Check says by an error that the program is not well; nil means that it is
	// well if it answers. It should return when its context ends.
	Check func(ctx context.Context) error
}

// Health returns a middleware that answers whether the program is well: GET and
// HEAD at Path with 200 and "ok", or with 503. All other requests, those at Path
// by other methods too, go on to the application, whose status, headers and body
// stay as they are.
//
// It is put outside AllowedHosts and BasicAuth, for those who ask come by a bare
// address and without a password. A Path without a slash at its beginning panics.
//
// Security: anybody may ask. The answer has no detail: the error of Check goes to
// wsgi.errors. A Check that costs something should remember its answer.
func Health(c HealthConfig) wsgi.Middleware {
	if c.Path == "" {
		c.Path = "/healthz"
	}
	if c.Path[0] != '/' {
		panic(fmt.Sprintf("middleware: Health: the Path is %q, expected one that begins with a slash", c.Path))
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("PATH_INFO") != c.Path {
				return next.Call(environ, start)
			}
			method := environ.Var("REQUEST_METHOD")
			if method != "GET" && method != "HEAD" {
				return next.Call(environ, start)
			}
			status, text := "200 OK", "ok\n"
			if c.Check != nil {
				if err := c.Check(environ.Context()); err != nil {
					status, text = "503 Service Unavailable", "unavailable\n"
					environ.Errors().WriteString("middleware: Health: " + escape(err.Error()) + "\n")
				}
			}
			body := wsgi.Strings(text)
			if method == "HEAD" {
				body = wsgi.Empty()
			}
			return wsgi.Response{Status: status, Body: body, Headers: wsgi.Headers{
				{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
				{Name: "Content-Length", Value: fmt.Sprint(len(text))},
				{Name: "Cache-Control", Value: "no-store"},
			}}.Call(environ, start)
		})
	}
}
