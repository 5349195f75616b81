package demo

import (
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// route says what answers a path.
type route struct {
	path    string // of PATH_INFO
	app     wsgi.AppFunc
	methods []string

	// What the first page says of it; a route without a title has no link.
	title, about string
	example      string // what the link goes to, when it is not path
}

var (
	readOnly = []string{"GET", "HEAD"}
	withPost = []string{"GET", "HEAD", "POST"}
)

func (d *Demo) table() []route {
	return []route{
		{path: "/", app: d.index, methods: readOnly},
		{path: "/hello", app: d.hello, methods: readOnly, example: "/hello?name=you",
			title: "Say hello", about: "The smallest application there is: one status, one header, one block."},
		{path: "/stream", app: d.stream, methods: readOnly,
			title: "Watch a stream", about: "A page that arrives piece by piece, each sent before the next is made."},
		{path: "/upload", app: d.upload, methods: withPost,
			title: "Upload a file", about: "Its size and hash come back. It is read as it arrives and kept nowhere."},
		{path: "/download", app: d.sendFile, methods: readOnly,
			title: "Download a file", about: "The program of this page, sent by way of wsgi.file_wrapper."},
		{path: "/error", app: d.failing, methods: readOnly,
			title: "See an error handled", about: "A response that had begun is replaced by an error page, with exc_info."},
		{path: "/panic", app: d.panicking, methods: readOnly,
			title: "See a panic survived", about: "The application falls over. The server answers 500 and goes on."},
		{path: "/style.css", app: asset("static/style.css", "text/css; charset=utf-8"), methods: readOnly},
		{path: "/favicon.svg", app: asset("static/favicon.svg", "image/svg+xml"), methods: readOnly},
	}
}

// dispatch calls the route of the request.
func (d *Demo) dispatch(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	path := environ.Var("PATH_INFO")
	if path == "" {
		path = "/" // the mount point itself, without a slash after it
	}
	for _, r := range d.routes {
		if r.path != path {
			continue
		}
		if !slices.Contains(r.methods, environ.Var("REQUEST_METHOD")) {
			return d.methodNotAllowed(environ, startResponse, r)
		}
		return r.app(environ, startResponse)
	}
	return d.notFound(environ, startResponse)
}

func (d *Demo) notFound(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return d.respond(environ, startResponse, response{
		status: "404 Not Found",
		page:   "message",
		title:  "Nothing here",
		data:   message{Text: "This application has no page at", Code: readable(environ.Var("PATH_INFO"))},
	})
}

func (d *Demo) methodNotAllowed(environ *wsgi.Environ, startResponse wsgi.StartResponse, r route) (wsgi.Iterable, error) {
	allowed := strings.Join(r.methods, ", ")
	return d.respond(environ, startResponse, response{
		status:  "405 Method Not Allowed",
		headers: wsgi.Headers{{Name: "Allow", Value: allowed}},
		page:    "message",
		title:   "Not this way",
		data:    message{Text: "This page answers to", Code: allowed},
	})
}
