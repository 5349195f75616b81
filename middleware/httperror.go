package middleware

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/gowsgi/gowsgi/wsgi"
)

// HTTPError is an error that says what to answer. An application returns it, or
// yields it, alone or wrapped, and Recover makes the response of it. It is also
// an application, which gives that response.
//
// The response has the Code, the Headers, and Detail as its body: in plain text, or as
// what a Content-Type among the Headers says. Inside of ErrorPages it has a page with the
// Detail instead. It says nothing of Err. What the middlewares of this package answer in
// the place of the application is an HTTPError too.
type HTTPError struct {
	Code    int          // from 400 to 599; anything else counts as 500
	Detail  string       // for the client; "" means the phrase of Code
	Headers wsgi.Headers // such as Allow, Retry-After, WWW-Authenticate
	Err     error        // the reason, for the log; may be nil
}

var _ wsgi.Application = (*HTTPError)(nil)

// Status is the status of the response, such as "404 Not Found".
func (e *HTTPError) Status() string {
	code := e.Code
	if code < 400 || code > 599 {
		code = 500
	}
	phrase := http.StatusText(code)
	if phrase == "" {
		phrase = "Error"
	}
	return strconv.Itoa(code) + " " + phrase
}

// Error returns the status, the detail and the reason.
func (e *HTTPError) Error() string {
	text := e.Status()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns Err.
func (e *HTTPError) Unwrap() error { return e.Err }

// Call answers with the response of e.
func (e *HTTPError) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	if pages, ok := environ.Get(errorPagesKey).(*errorPages); ok {
		return pages.answer(e, environ, start)
	}
	text := e.Detail
	if text == "" {
		text = e.Status()[4:]
	}
	h := make(wsgi.Headers, 0, 3+len(e.Headers))
	if !e.Headers.Has("Content-Type") {
		h.Add("Content-Type", "text/plain; charset=utf-8")
	}
	h = append(h,
		wsgi.Header{Name: "X-Content-Type-Options", Value: "nosniff"},
		wsgi.Header{Name: "Content-Length", Value: strconv.Itoa(len(text) + 1)})
	if _, err := start(e.Status(), append(h, e.Headers...), nil); err != nil {
		return nil, err
	}
	if environ.Var("REQUEST_METHOD") == "HEAD" {
		return wsgi.Empty(), nil
	}
	return wsgi.Strings(text + "\n"), nil
}

// response is the application that err holds, nil when it holds none.
func response(err error) wsgi.Application {
	if app := (wsgi.Application)(nil); errors.As(err, &app) {
		return app
	}
	return nil
}
