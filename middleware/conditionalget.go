package middleware

import (
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/internal/conditional"
	"github.com/gowsgi/gowsgi/wsgi"
)

// ConditionalGet returns a middleware that answers 304 to a client that has the
// response already, and 412 to one that wanted another, by the ETag and the
// Last-Modified that the application gives (RFC 9110, 13).
//
// It looks at responses with the status 200 to GET and HEAD, and at the first of
// these headers that the request has: If-Match, or else If-Unmodified-Since, whose
// failure is a 412; then If-None-Match, or else If-Modified-Since, of which a 304
// may come. Lists, "*" and weak tags are what the RFC makes of them. A date that
// is none is not there.
//
// A 304 keeps the headers but those that describe a body which is not there:
// Content-Length, Content-Type, Content-Encoding, Content-Language, Content-Range,
// and digests; a 412 loses the ETag and Last-Modified too. Their body is empty, and
// the application's is closed without being iterated. All other responses are left
// as they are.
//
// It is put outside Compress, so that it compares the tag that the client was
// given.
//
// Security: nothing is saved of the application's own work: who may not see a
// response has to be turned away by it, or outside.
func ConditionalGet() wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			method := environ.Var("REQUEST_METHOD")
			if method != "GET" && method != "HEAD" {
				return next.Call(environ, start)
			}
			asked := conditional.Of(environ)
			if asked == (conditional.Headers{}) {
				return next.Call(environ, start)
			}
			u := &unsent{start: start}
			u.decide = func(status string, headers wsgi.Headers) (string, wsgi.Headers, bool) {
				if !strings.HasPrefix(status, "200 ") {
					return status, headers, false
				}
				modified, _ := conditional.ParseDate(headers.Get("Last-Modified"))
				switch asked.Evaluate(headers.Get("ETag"), modified) {
				case conditional.NotModified:
					return "304 Not Modified", without(headers, describesBody), true
				case conditional.Failed:
					return "412 Precondition Failed", without(headers, func(name string) bool {
						return describesBody(name) || strings.EqualFold(name, "ETag") || strings.EqualFold(name, "Last-Modified")
					}), true
				}
				return status, headers, false
			}
			return u.call(next, environ)
		})
	}
}

// describesBody reports whether a header describes a body that comes with it.
// Content-Location does not: RFC 9110, 15.4.5 keeps it in a 304.
func describesBody(name string) bool {
	if strings.EqualFold(name, "ETag") {
		return false
	}
	return dependsOnBody(name) || slices.ContainsFunc(
		[]string{"Content-Type", "Content-Encoding", "Content-Language"},
		func(other string) bool { return strings.EqualFold(name, other) })
}

// without returns a copy of headers without some.
func without(headers wsgi.Headers, drop func(name string) bool) wsgi.Headers {
	return slices.DeleteFunc(headers.Clone(), func(h wsgi.Header) bool { return drop(h.Name) })
}
