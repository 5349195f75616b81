package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gowsgi/gowsgi/wsgi"
)

// RecoverConfig holds the choices of Recover.
type RecoverConfig struct {
	// Page returns the application that answers for a failure that does not say
	// itself what to answer; nil means a plain 500. Its status must not claim
	// success.
	Page func(environ *wsgi.Environ, err error) wsgi.Application

	// Log is told of failures that are answered with a 500 or above; nil means
	// a line on wsgi.errors, with the id of a RequestID outside and the stack of a
	// panic.
	Log func(environ *wsgi.Environ, err error)
}

// Recover returns a middleware that makes responses of failures: of an error
// that the application returns or yields, and of a panic. An error that is an
// application, such as an *HTTPError, alone or wrapped or as the value of a
// panic, answers itself; any other is answered by Page.
//
// It does so while nothing of the response was sent, and then replaces status,
// headers and body; Page gets the response that servers make of exc_info. After
// the first byte the failure goes on to the server, which cuts the response: a
// page that has ended well would look whole. Two failures are passed on at all
// times: http.ErrAbortHandler, which means to cut the connection, and that of a
// client that has left. Where the environ has x-wsgiorg.throw_errors, and it is
// true when the request comes, all of them are passed on, panics too. A response without a failure is left as it is; the
// server still gets a single block, or a file, as such.
//
// Security: what Page shows of err may be a secret; the default shows nothing.
// The log has the error in full, with control characters escaped.
func Recover(c RecoverConfig) wsgi.Middleware {
	if c.Page == nil {
		c.Page = func(*wsgi.Environ, error) wsgi.Application { return internalError }
	}
	if c.Log == nil {
		c.Log = func(environ *wsgi.Environ, err error) { logFailure("Recover", environ, err) }
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if throws, _ := environ.Get("x-wsgiorg.throw_errors").(bool); throws { // COM-09
				return next.Call(environ, start)
			}
			g := guarded{environ: environ, start: start, by: &c, panics: true}
			return g.call(next, start)
		})
	}
}

var internalError = &HTTPError{Code: 500}

func (c *RecoverConfig) instead(environ *wsgi.Environ, err error) wsgi.Application {
	if isAbort(environ, err) {
		return nil
	}
	return &recovered{c, err}
}

// recovered answers for a failure.
type recovered struct {
	*RecoverConfig
	err error
}

func (r *recovered) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	app, failed := response(r.err), (*HTTPError)(nil)
	if app != nil && !(errors.As(r.err, &failed) && failed.Status() >= "5") {
		return app.Call(environ, start)
	}
	if err := takeOver(start); err != nil {
		return nil, err // it is for the server to log it
	}
	r.Log(environ, r.err)
	if app == nil {
		app = r.Page(environ, r.err)
	}
	return app.Call(environ, start)
}

// isAbort reports whether a failure is one that is not answered: a connection
// that is meant to be cut, or a client that has left.
func isAbort(environ *wsgi.Environ, err error) bool {
	gone := environ.Context().Err()
	return gone != nil && errors.Is(err, gone) || errors.Is(err, http.ErrAbortHandler)
}

// logFailure writes err to wsgi.errors, with the stack of a panic.
func logFailure(middleware string, environ *wsgi.Environ, err error) {
	path := strconv.QuoteToASCII(environ.Var("SCRIPT_NAME") + environ.Var("PATH_INFO"))
	id := environ.Var(requestIDKey) // which the page of the failure shows, to be found by
	if id != "" {
		id = ", request " + escape(id)
	}
	line := fmt.Sprintf("middleware: %s: %s %s%s: %s\n", middleware, escape(environ.Var("REQUEST_METHOD")), path, id, escape(err.Error()))
	if panicked := (*wsgi.PanicError)(nil); errors.As(err, &panicked) {
		line += string(panicked.Stack)
	}
	environ.Errors().WriteString(line)
}

// escape returns s with control characters, and bytes that are no UTF-8, as Go
// writes them in a string.
func escape(s string) string {
	quoted := strconv.Quote(s)
	return quoted[1 : len(quoted)-1]
}
