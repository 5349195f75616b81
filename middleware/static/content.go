package static

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/internal/conditional"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Content is an application that answers with something that is no file of a Config's
// but is to be served like one: what is in a database, was made a moment ago, or is
// somebody's alone. It is what http.ServeContent is in net/http.
//
// Status: 200, 206, 304, 412, 416. Headers: as those of New, from the fields below.
// Body: the content, its range, or none. The conditions of a request are those of GET
// and HEAD, and only GET has ranges: an application that has other methods answers them
// itself. A Content is sent once, for it closes its Reader.
//
// A Reader that is nil or cannot be sought, a Content-Type that is not in Type, and an
// ETag or a header that could not be sent are errors, for which the server answers 500.
//
// Security: who may see the content is decided before. A cache may keep what says no
// other: CacheControl is "private, no-cache" unless it is set. What strangers have
// uploaded runs in the site's name when it is HTML or SVG: give it a Type that browsers
// do not show, or a Content-Disposition of attachment.
type Content struct {
	// Reader has the content, from its beginning to its end, wherever it stands. When it
	// is an io.Closer it is closed with the response, whatever that is. An *os.File is
	// sent by the operating system where the server can have it do so.
	Reader io.ReadSeeker

	// Type is the media type; "" means application/octet-stream.
	Type string

	// ETag tells this content from all others that the same URL has had or has for
	// others, with its quotes, as in `"v7"`; "" for none. One that begins with W/ is
	// weak, and allows no range to be asked for by it.
	ETag string

	// Modified is when the content was changed last; zero for unknown.
	Modified time.Time

	// CacheControl is the value of that header; "" means "private, no-cache".
	CacheControl string

	// Headers are further ones, such as Content-Disposition and Vary. Those that describe
	// the content, by names that begin with Content-, are sent with it alone.
	Headers wsgi.Headers
}

// Call answers with c.
func (c Content) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	if c.Reader == nil {
		return nil, errors.New("static: Content: the Reader is nil")
	}
	s := content{seeker: c.Reader, contentType: c.Type, cacheControl: c.CacheControl}
	for _, h := range c.Headers {
		const of = "Content-"
		if len(h.Name) > len(of) && strings.EqualFold(h.Name[:len(of)], of) {
			s.describing = append(s.describing, h)
		} else {
			s.more = append(s.more, h)
		}
	}
	s.file = readCloser{c.Reader}
	if file, ok := c.Reader.(io.ReadCloser); ok {
		s.file = file // itself, which may be an *os.File
	}
	if s.contentType == "" {
		s.contentType = unknownType
	}
	if s.cacheControl == "" {
		s.cacheControl = "private, no-cache"
	}
	var err error
	if s.size, err = c.Reader.Seek(0, io.SeekEnd); err == nil {
		_, err = c.Reader.Seek(0, io.SeekStart)
	}
	if tag, rest := conditional.CutETag(c.ETag); err == nil && c.ETag != "" && (tag == "" || rest != "") {
		err = fmt.Errorf("the ETag is %q, expected one in quotes", c.ETag)
	}
	if err == nil && c.Headers.Has("Content-Type") {
		err = errors.New("Headers has a Content-Type, expected it in Type")
	}
	if err != nil {
		s.file.Close()
		return nil, fmt.Errorf("static: Content: %w", err)
	}
	s.etag = c.ETag
	if !c.Modified.IsZero() && !c.Modified.After(time.Now()) { // none from the future (RFC 9110, 8.8.2.1)
		s.modified = c.Modified.Truncate(time.Second)
		s.strong = time.Since(c.Modified) >= unsettled
	}
	return s.send(environ, start)
}

// readCloser is a reader that nobody has to close.
type readCloser struct{ io.Reader }

func (readCloser) Close() error { return nil }
