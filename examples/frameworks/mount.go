package main

import (
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// mounts are applications by the first segment of the path.
type mounts map[string]wsgi.Application

// Call passes the request on to the application that is mounted where it goes.
// The segment moves from PATH_INFO to SCRIPT_NAME: the application sees the
// rest as its path, and can find out its own place.
func (m mounts) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	segment, _, _ := strings.Cut(strings.TrimPrefix(environ.Var("PATH_INFO"), "/"), "/")
	app, ok := m[segment]
	if !ok {
		return notFound.Call(environ, startResponse)
	}
	environ.ShiftPathInfo()
	return app.Call(environ, startResponse)
}

var notFound = text("404 Not Found", "There is nothing here.\n")

// text is a complete answer in plain text.
func text(status, body string) wsgi.Response {
	return wsgi.Response{
		Status:  status,
		Headers: wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
		Body:    wsgi.Strings(body),
	}
}

// poweredBy is a middleware: it adds a header to every response of app, from
// whichever framework it comes.
func poweredBy(app wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		return app.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
			headers.Add("X-Powered-By", "gowsgi")
			return startResponse(status, headers, excInfo)
		})
	})
}
