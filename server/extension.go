package server

import (
	"net/http"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// extension is what the environ offers under "gowsgi.http", to applications
// that are themselves bridges to net/http. It has three methods and nothing
// else: no way to the response but start_response and the body (EXT-02).
type extension exchange

// Value gives the server's extension.
func (x *exchange) Value(key string) (any, bool) {
	if key == "gowsgi.http" {
		return (*extension)(x), true
	}
	return nil, false
}

// Values gives the server's extensions.
func (x *exchange) Values(yield func(key string, value any) bool) {
	yield("gowsgi.http", (*extension)(x))
}

// HTTPRequest returns the request as net/http gave it to the server. Its Body is
// not for reading: it knows nothing of the server's limits, nor of what was
// read before; wsgi.input does.
//
// environ is the dictionary that the caller was called with: when it is not the
// server's, or a middleware has changed what it says of the request, the
// original would bypass that middleware, and there is no service (EXT-03,
// EXT-04).
func (e *extension) HTTPRequest(environ *wsgi.Environ) (*http.Request, bool) {
	if !e.Describes(environ) || e.handler.server.ScriptName != "" {
		return nil, false
	}
	return e.r, true
}

// SetReadDeadline bounds the time for reading the request body, in the place
// of the server's own limit, which the zero time puts in force again.
func (e *extension) SetReadDeadline(t time.Time) error {
	if e.body == nil || e.body.isEnded() {
		// What net/http reads now, it reads to learn that the client has left; and
		// it takes the end of the time for that.
		return nil
	}
	e.body.fixed.Store(!t.IsZero())
	return http.NewResponseController(e.w).SetReadDeadline(t)
}

// SetWriteDeadline bounds the time for writing the response, in the place of
// the server's own limit, which the zero time puts in force again.
func (e *extension) SetWriteDeadline(t time.Time) error {
	e.fixed.Store(!t.IsZero())
	return http.NewResponseController(e.w).SetWriteDeadline(t)
}
