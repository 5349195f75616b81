package static

import (
	"strings"

	"github.com/gowsgi/gowsgi/internal/conditional"
	"github.com/gowsgi/gowsgi/wsgi"
)

// ranged reports whether If-Range, when it is there, allows to send a part: it
// has to name just what the file is now, by a strong validator (RFC 9110, 13.1.5).
func (v validators) ranged(environ *wsgi.Environ) bool {
	value := environ.Var("HTTP_IF_RANGE")
	if value == "" {
		return true
	}
	if strings.Contains(value, `"`) {
		tag, rest := conditional.CutETag(value)
		return rest == "" && conditional.Strongly(tag, v.etag)
	}
	date, ok := conditional.ParseDate(value)
	return ok && v.strong && date.Equal(v.modified)
}
