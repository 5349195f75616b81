package middleware

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Forward is an error by which an application has another page of the site answer,
// without the client's knowing. It needs Recursive outside.
type Forward struct {
	Path  string // the new PATH_INFO, not quoted; it begins with a slash
	Query string // the new QUERY_STRING
}

// Error says where the request is to go.
func (f *Forward) Error() string {
	return fmt.Sprintf("the request is forwarded to %q, which needs middleware.Recursive outside", f.Path)
}

// forwardedKey is the variable with the paths that a request has had, of type
// []string.
const forwardedKey = "gowsgi.forwarded"

// mostForwards is how often a request is passed on.
const mostForwards = 10

// Recursive returns a middleware that calls the application again, for another path,
// when it fails with a Forward and nothing of the response was sent. The new call is
// a GET without a body; the variable gowsgi.forwarded has the paths before.
//
// Status, headers and body are those of the last call. A path that the request has
// had already, one that does not begin with a slash, and the eleventh Forward are
// failures. Without a Forward nothing is changed; the server still gets a single
// block, or a file, as such.
//
// Security: what is inside is not asked again whether this client may: a gate by
// path, such as BasicAuth for /admin, belongs inside of it, or a Forward evades it.
// The path is never to be taken from the request as it is.
func Recursive() wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return &recursive{next}
	}
}

type recursive struct{ next wsgi.Application }

func (r *recursive) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	g := guarded{environ: environ, start: start, by: &forwarding{r, environ.Clone()}}
	return g.call(r.next, start)
}

// forwarding is one call of the application.
type forwarding struct {
	*recursive
	came *wsgi.Environ
}

func (f *forwarding) instead(_ *wsgi.Environ, err error) wsgi.Application {
	to := (*Forward)(nil)
	if !errors.As(err, &to) {
		return nil
	}
	here := f.came.Var("PATH_INFO")
	before, _ := f.came.Get(forwardedKey).([]string)
	before = append(before, here)
	problem := ""
	switch {
	case !strings.HasPrefix(to.Path, "/"):
		problem = "it does not begin with a slash"
	case len(before) > mostForwards:
		problem = fmt.Sprintf("it was forwarded %d times", mostForwards)
	default:
		for _, path := range before {
			if path == to.Path {
				problem = "it has been there"
			}
		}
	}
	if problem != "" {
		return failing{fmt.Errorf("middleware: Recursive: the request cannot go on from %q to %q: %s", before, to.Path, problem)}
	}
	environ := asGet(f.came)
	if pages, ok := f.came.Lookup(errorPagesKey); ok {
		environ.Set(errorPagesKey, pages)
	}
	environ.Set("PATH_INFO", to.Path)
	environ.Set("QUERY_STRING", to.Query)
	environ.Set(forwardedKey, before)
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if err := takeOver(start); err != nil {
			return nil, err
		}
		return f.Call(environ, start)
	})
}

// failing is an application that fails.
type failing struct{ err error }

func (f failing) Call(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, f.err }
