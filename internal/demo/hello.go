package demo

import (
	"net/url"

	"github.com/gowsgi/gowsgi/wsgi"
)

// hello greets who is named in the query, in plain text.
func (d *Demo) hello(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	query, _ := url.ParseQuery(environ.Var("QUERY_STRING")) // what is malformed is left out
	name := query.Get("name")
	if name == "" {
		name = "World"
	}
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}
	if _, err := startResponse("200 OK", headers, nil); err != nil {
		return nil, err
	}
	return wsgi.Strings("Hello, " + readable(name) + "!\n"), nil
}
