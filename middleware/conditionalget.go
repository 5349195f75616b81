package middleware

import (
	"net/http"
	"slices"
	"strings"
	"time"

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
			p := preconditions{
				match: environ.Var("HTTP_IF_MATCH"), unmodifiedSince: environ.Var("HTTP_IF_UNMODIFIED_SINCE"),
				noneMatch: environ.Var("HTTP_IF_NONE_MATCH"), modifiedSince: environ.Var("HTTP_IF_MODIFIED_SINCE"),
			}
			if p == (preconditions{}) {
				return next.Call(environ, start)
			}
			u := &unsent{start: start}
			u.decide = func(status string, headers wsgi.Headers) (string, wsgi.Headers, bool) {
				if !strings.HasPrefix(status, "200 ") {
					return status, headers, false
				}
				switch p.evaluate(headers.Get("ETag"), headers.Get("Last-Modified")) {
				case 304:
					return "304 Not Modified", without(headers, describesBody), true
				case 412:
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

// preconditions are the conditional headers of a request, "" for none.
type preconditions struct{ match, unmodifiedSince, noneMatch, modifiedSince string }

// evaluate returns the status that the conditions demand of a response with the
// given validators, 0 for that response itself, in the order of RFC 9110, 13.2.2.
func (p *preconditions) evaluate(etag, lastModified string) int {
	modified, dated := parseDate(lastModified)
	if p.match != "" {
		if !matches(p.match, etag, strongly) {
			return 412
		}
	} else if since, ok := parseDate(p.unmodifiedSince); ok && dated && modified.After(since) {
		return 412
	}
	if p.noneMatch != "" {
		if matches(p.noneMatch, etag, weakly) {
			return 304
		}
	} else if since, ok := parseDate(p.modifiedSince); ok && dated && !modified.After(since) {
		return 304
	}
	return 0
}

func parseDate(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, false
	}
	t, err := http.ParseTime(s)
	return t, err == nil
}

// Comparisons of entity tags (RFC 9110, 8.8.3.2).
func weakly(a, b string) bool   { return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/") }
func strongly(a, b string) bool { return a == b && !strings.HasPrefix(a, "W/") }

// matches reports whether a list of entity tags, or "*", has etag. "*" matches
// whatever exists, and a response that exists need not have a tag. A list that is
// malformed ends where it is.
func matches(list, etag string, equal func(a, b string) bool) bool {
	if strings.Trim(list, " \t") == "*" {
		return true
	}
	if !isETag(etag) {
		return false
	}
	for list != "" {
		list = strings.TrimLeft(list, " \t,")
		tag, rest, ok := cutETag(list)
		if !ok {
			return false
		}
		if equal(tag, etag) {
			return true
		}
		list = rest
	}
	return false
}

// cutETag takes an entity tag off the beginning of s. A comma may be inside, and
// a backslash is a character as any other.
func cutETag(s string) (tag, rest string, ok bool) {
	at := 0
	if strings.HasPrefix(s, "W/") {
		at = 2
	}
	if at >= len(s) || s[at] != '"' {
		return "", "", false
	}
	for i := at + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[:i+1], s[i+1:], true
		case c <= ' ' || c == 0x7f:
			return "", "", false
		}
	}
	return "", "", false
}

func isETag(s string) bool {
	_, rest, ok := cutETag(s)
	return ok && rest == ""
}
