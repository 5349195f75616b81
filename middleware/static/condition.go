package static

import (
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// outcome is what the conditions of a request make of it.
type outcome int

const (
	proceed     outcome = iota
	notModified         // 304
	failed              // 412
)

// check evaluates the conditions of a GET or HEAD in the order of RFC 9110,
// 13.2.2: each date counts only where its list of tags is absent.
func (v validators) check(environ *wsgi.Environ) outcome {
	if tags := environ.Var("HTTP_IF_MATCH"); tags != "" {
		if !v.inList(tags, strongly) {
			return failed
		}
	} else if date, ok := parseDate(environ.Var("HTTP_IF_UNMODIFIED_SINCE")); ok && !v.modified.IsZero() && v.modified.After(date) {
		return failed
	}
	if tags := environ.Var("HTTP_IF_NONE_MATCH"); tags != "" {
		if v.inList(tags, weakly) {
			return notModified
		}
	} else if date, ok := parseDate(environ.Var("HTTP_IF_MODIFIED_SINCE")); ok && !v.modified.IsZero() && !v.modified.After(date) {
		return notModified
	}
	return proceed
}

// ranged reports whether If-Range, when it is there, allows to send a part: it
// has to name just what the file is now, by a strong validator (RFC 9110, 13.1.5).
func (v validators) ranged(environ *wsgi.Environ) bool {
	value := environ.Var("HTTP_IF_RANGE")
	if value == "" {
		return true
	}
	if strings.Contains(value, `"`) {
		tag, rest := nextTag(value)
		return rest == "" && strongly(tag, v.etag)
	}
	date, ok := parseDate(value)
	return ok && v.strong && date.Equal(v.modified)
}

// inList reports whether the ETag is in a list of entity tags. What follows a
// malformed one is not looked at.
func (v validators) inList(list string, same func(a, b string) bool) bool {
	if strings.Trim(list, " \t") == "*" {
		return true // there is a file
	}
	for {
		list = strings.TrimLeft(list, " \t,")
		tag, rest := nextTag(list)
		if tag == "" {
			return false
		}
		rest = strings.TrimLeft(rest, " \t")
		if rest != "" && rest[0] != ',' {
			return false
		}
		if same(tag, v.etag) {
			return true
		}
		list = rest
	}
}

// weakly is the weak comparison of RFC 9110, 8.8.3.2.
func weakly(a, b string) bool {
	return a != "" && strings.TrimPrefix(a, "W/") == strings.TrimPrefix(b, "W/")
}

// strongly is the strong one.
func strongly(a, b string) bool {
	return a != "" && a == b && a[0] == '"'
}

// nextTag splits off the entity tag that s begins with. tag is "" when there is
// none.
func nextTag(s string) (tag, rest string) {
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

// httpDate is the layout of dates in headers; the others are those of old.
const httpDate = "Mon, 02 Jan 2006 15:04:05 GMT"

func parseDate(value string) (time.Time, bool) {
	if value == "" {
		return time.Time{}, false
	}
	for _, layout := range []string{httpDate, time.RFC850, time.ANSIC} {
		if t, err := time.Parse(layout, value); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
