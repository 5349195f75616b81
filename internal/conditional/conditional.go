// Package conditional has the conditions of requests (RFC 9110, 13), and the entity
// tags and dates that they are made of.
package conditional

import (
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Outcome is what the conditions of a request make of its response.
type Outcome int

// The outcomes.
const (
	Proceed     Outcome = iota
	NotModified         // 304
	Failed              // 412
)

// Headers are the conditional headers of a request, "" for none.
type Headers struct{ Match, UnmodifiedSince, NoneMatch, ModifiedSince string }

// Of returns the conditional headers of the request of environ.
func Of(environ *wsgi.Environ) Headers {
	return Headers{
		Match: environ.Var("HTTP_IF_MATCH"), UnmodifiedSince: environ.Var("HTTP_IF_UNMODIFIED_SINCE"),
		NoneMatch: environ.Var("HTTP_IF_NONE_MATCH"), ModifiedSince: environ.Var("HTTP_IF_MODIFIED_SINCE"),
	}
}

// Evaluate evaluates the conditions of a GET or a HEAD for something that exists, with
// the given validators, "" and zero for none. The order is that of RFC 9110, 13.2.2:
// each date counts only where its list of tags is absent.
func (h *Headers) Evaluate(etag string, modified time.Time) Outcome {
	if h.Match != "" {
		if !inList(h.Match, etag, Strongly) {
			return Failed
		}
	} else if since, ok := ParseDate(h.UnmodifiedSince); ok && !modified.IsZero() && modified.After(since) {
		return Failed
	}
	if h.NoneMatch != "" {
		if inList(h.NoneMatch, etag, weakly) {
			return NotModified
		}
	} else if since, ok := ParseDate(h.ModifiedSince); ok && !modified.IsZero() && !modified.After(since) {
		return NotModified
	}
	return Proceed
}

// inList reports whether a list of entity tags, or "*", has etag. "*" matches whatever
// exists, and what exists need not have a tag. What follows a malformed tag is not
// looked at.
func inList(list, etag string, same func(a, b string) bool) bool {
	if strings.Trim(list, " \t") == "*" {
		return true
	}
	for {
		tag, rest := CutETag(strings.TrimLeft(list, " \t,"))
		if tag == "" {
			return false
		}
		list = strings.TrimLeft(rest, " \t")
		if list != "" && list[0] != ',' {
			return false
		}
		if same(tag, etag) {
			return true
		}
	}
}

// weakly is the weak comparison of two entity tags (RFC 9110, 8.8.3.2).
func weakly(a, b string) bool { return strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/") }

// Strongly is the strong comparison of two entity tags (RFC 9110, 8.8.3.2).
func Strongly(a, b string) bool { return a == b && strings.HasPrefix(a, `"`) }

// CutETag splits off the entity tag that s begins with. tag is "" when there is none. A
// comma may be inside of it, and a backslash is a character as any other.
func CutETag(s string) (tag, rest string) {
	open := 0
	if strings.HasPrefix(s, "W/") {
		open = 2
	}
	if len(s) <= open || s[open] != '"' {
		return "", s
	}
	for i := open + 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[:i+1], s[i+1:]
		case c <= 0x20 || c == 0x7F:
			return "", s
		}
	}
	return "", s
}

// Date is the layout of dates in headers (RFC 9110, 5.6.7), for times in UTC.
const Date = "Mon, 02 Jan 2006 15:04:05 GMT"

// ParseDate parses a date in that layout, or in one of the two of old.
func ParseDate(value string) (time.Time, bool) {
	if value == "" {
		return time.Time{}, false
	}
	for _, layout := range []string{Date, time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, value); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
