package demo

import (
	"html/template"

	"github.com/gowsgi/gowsgi/wsgi"
)

// index is the first page: what WSGI is, and this request.
func (d *Demo) index(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return d.respond(environ, startResponse, response{
		status: "200 OK",
		page:   "index",
		title:  "WSGI for Go",
		data: struct {
			Code    template.HTML
			Environ []section
		}{helloCode, describe(environ)},
	})
}

// helloCode is helloSource in colours.
var helloCode = highlight(helloSource)
