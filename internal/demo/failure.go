package demo

import (
	"errors"
	"fmt"

	"github.com/gowsgi/gowsgi/wsgi"
)

// failing has begun its response when something fails, and answers with an
// error page instead.
func (d *Demo) failing(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	if _, err := startResponse("200 OK", pageHeaders(), nil); err != nil {
		return nil, err
	}
	drink, err := brew()
	if err != nil {
		return d.failed(environ, startResponse, err)
	}
	return wsgi.Strings(drink), nil
}

func brew() (string, error) { return "", errors.New("the kettle is empty") }

// failed is the error handler of this application. The second call of
// startResponse needs excInfo: it replaces the head that was stored, or
// returns an error when that is sent already, and then the server cuts the
// response.
func (d *Demo) failed(environ *wsgi.Environ, startResponse wsgi.StartResponse, err error) (wsgi.Iterable, error) {
	fmt.Fprintf(environ.Errors(), "demo: %s: %v\n", environ.Var("PATH_INFO"), err)
	return d.respond(environ, startResponse, response{
		status:  "500 Internal Server Error",
		page:    "failed",
		title:   "Something failed",
		data:    err.Error(),
		excInfo: err,
	})
}

// panicking leaves everything to the server.
func (d *Demo) panicking(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
	panic("the demo application panics, as it was asked to")
}
