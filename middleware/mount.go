package middleware

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/internal/mounts"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Mount returns a middleware that gives app the requests whose path is prefix
// or lies below it; the others go on to the next application.
//
// A prefix ends where a segment does: "/app" is for "/app", "/app/" and
// "/app/x", and not for "/apple". It is compared byte by byte with PATH_INFO,
// which is decoded. A slash at the end of prefix means nothing, and "" and "/"
// stand for every path. A prefix that does not begin with a slash, or has an
// empty segment or a "." or "..", panics: no path that was cleaned has one.
//
// app is called with a copy of the environ in which the prefix has moved from
// the beginning of PATH_INFO to the end of SCRIPT_NAME (CGI-20). Both together
// are what they were, so URLs that app makes are right, and app may be another
// Mount. A request for the mount itself has the PATH_INFO "", and it is for app
// to redirect to "/" or not.
//
// It does nothing to status, headers or body.
//
// Security: the path is taken as it comes. Behind "/static", "/static/../x" has
// the PATH_INFO "/../x": an application that opens files must clean it, as
// Static does. A path such as "//app" is not below "/app".
func Mount(prefix string, app wsgi.Application) wsgi.Middleware {
	prefix = cleanPrefix("Mount", prefix)
	if app == nil {
		panic(fmt.Sprintf("middleware: Mount: the application for %q is nil", prefix))
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if !below(environ.Var("PATH_INFO"), prefix) {
				return next.Call(environ, start)
			}
			return app.Call(moveDown(environ, prefix), start)
		})
	}
}

// below reports whether path is prefix or continues it with a further segment.
func below(path, prefix string) bool {
	return strings.HasPrefix(path, prefix) && (len(path) == len(prefix) || path[len(prefix)] == '/')
}

// moveDown returns a copy of environ for what is mounted at prefix. It is a
// copy because whoever called reads the old one: a log when the response is
// over, a Cascade when it asks the next application.
func moveDown(environ *wsgi.Environ, prefix string) *wsgi.Environ {
	inner := environ.Clone()
	if prefix == "" {
		return inner
	}
	inner.Set("SCRIPT_NAME", environ.Var("SCRIPT_NAME")+prefix)
	inner.Set("PATH_INFO", environ.Var("PATH_INFO")[len(prefix):])
	return inner
}

// cleanPrefix returns prefix without a slash at its end. It panics when no path
// can be below it.
func cleanPrefix(constructor, prefix string) string {
	clean, err := mounts.Clean(prefix)
	if err != nil {
		panic(fmt.Sprintf("middleware: %s: the prefix %v", constructor, err))
	}
	return clean
}
