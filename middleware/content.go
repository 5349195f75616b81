package middleware

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Content is something that has bytes from a first to a last, such as a file, as
// an application: one that answers to conditions and to Range. It answers once,
// for it closes its Reader.
//
// The status is 200; 206 for a part of it, by GET and Range, with If-Range or
// without; 416 where there is no such part; 304 and 412 by the conditions that
// ConditionalGet tells of. A Range that is malformed, in another unit than bytes,
// of more than 16 parts, or of more bytes than there are, is as good as none. One
// part is sent as it is, several as multipart/byteranges. An *os.File, whole or a
// part, may be sent by the operating system.
//
// The headers are Headers with Content-Length, and Accept-Ranges, ETag and
// Last-Modified where they are known. The body of HEAD is empty.
type Content struct {
	// Reader has the bytes. It is closed when it is an io.Closer. Without a Seek
	// there are no parts.
	Reader io.Reader

	Size    int64     // in bytes
	ModTime time.Time // zero for unknown
	ETag    string    // with its quotes; "" for none

	// Headers are the others, such as Content-Type and Cache-Control.
	Headers wsgi.Headers
}

var _ wsgi.Application = Content{}

// Call answers with c, or with what the request asks of it.
func (c Content) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	status, headers, body := c.respond(environ)
	if body == nil {
		c.close()
		body = wsgi.Empty()
	}
	if _, err := start(status, headers, nil); err != nil {
		body.Close()
		return nil, err
	}
	return body, nil
}

func (c Content) close() error {
	if closer, ok := c.Reader.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// respond returns the response, with a nil body where c is not sent.
func (c Content) respond(environ *wsgi.Environ) (string, wsgi.Headers, wsgi.Iterable) {
	h := make(wsgi.Headers, 0, len(c.Headers)+5)
	h = append(h, c.Headers...)
	if c.ETag != "" {
		h.Set("ETag", c.ETag)
	}
	modified := ""
	if !c.ModTime.IsZero() && c.ModTime.Unix() != 0 { // the zero of time stands for none there is, in archives
		modified = c.ModTime.UTC().Format(http.TimeFormat)
		h.Set("Last-Modified", modified)
	}
	method := environ.Var("REQUEST_METHOD")
	if method == "GET" || method == "HEAD" {
		p := preconditions{
			match: environ.Var("HTTP_IF_MATCH"), unmodifiedSince: environ.Var("HTTP_IF_UNMODIFIED_SINCE"),
			noneMatch: environ.Var("HTTP_IF_NONE_MATCH"), modifiedSince: environ.Var("HTTP_IF_MODIFIED_SINCE"),
		}
		switch p.evaluate(c.ETag, modified) {
		case 304:
			return "304 Not Modified", without(h, describesBody), nil
		case 412:
			return "412 Precondition Failed", c.refusal(environ), nil
		}
	}
	seeker, seekable := c.Reader.(io.ReadSeeker)
	if seekable {
		h.Set("Accept-Ranges", "bytes")
	}
	if asked := environ.Var("HTTP_RANGE"); asked != "" && method == "GET" && seekable && c.ifRange(environ.Var("HTTP_IF_RANGE"), modified) {
		switch ranges, ok := parseRange(asked, c.Size); {
		case !ok:
		case len(ranges) == 0:
			h := c.refusal(environ)
			h.Set("Content-Range", "bytes */"+strconv.FormatInt(c.Size, 10))
			return "416 Range Not Satisfiable", h, nil
		case len(ranges) == 1:
			h.Set("Content-Range", ranges[0].contentRange(c.Size))
			h.Set("Content-Length", strconv.FormatInt(ranges[0].length, 10))
			return "206 Partial Content", h, &parts{content: c, from: seeker, list: []part{{byteRange: ranges[0]}}}
		default:
			body := c.multipart(seeker, ranges, h.Get("Content-Type"))
			h.Set("Content-Type", "multipart/byteranges; boundary="+body.boundary)
			h.Set("Content-Length", strconv.FormatInt(body.size(), 10))
			return "206 Partial Content", h, body
		}
	}
	h.Set("Content-Length", strconv.FormatInt(c.Size, 10))
	if method == "HEAD" {
		return "200 OK", h, nil
	}
	return "200 OK", h, environ.FileWrapper()(c.Reader, 0)
}

// refusal is the head of a response that is about c and has nothing of it.
func (c Content) refusal(*wsgi.Environ) wsgi.Headers {
	h := wsgi.Headers{{Name: "Content-Length", Value: "0"}}
	for _, field := range c.Headers {
		if strings.EqualFold(field.Name, "Vary") {
			h = append(h, field)
		}
	}
	return h
}

// ifRange reports whether a part may be sent: the client has the rest of just
// this body. Only a strong tag says so, and the exact date (RFC 9110, 13.1.5).
func (c Content) ifRange(condition, modified string) bool {
	if condition == "" {
		return true
	}
	if isETag(condition) {
		return strongly(condition, c.ETag)
	}
	want, ok := parseDate(condition)
	have, known := parseDate(modified)
	return ok && known && want.Equal(have)
}

// part is a part of a body, with the text that goes before it.
type part struct {
	before string
	byteRange
}

// parts is the body of one part, or of several.
type parts struct {
	content  Content
	from     io.ReadSeeker
	list     []part
	after    string
	boundary string
}

var _ wsgi.FileStreamer = (*parts)(nil)

// multipart returns the body of several parts. The boundary is random, so that
// nobody can put it into the content (Rack's is a constant).
func (c Content) multipart(from io.ReadSeeker, ranges []byteRange, mediaType string) *parts {
	p := &parts{content: c, from: from, boundary: rand.Text()}
	for i, r := range ranges {
		before := "\r\n--" + p.boundary + "\r\n"
		if i == 0 {
			before = before[2:]
		}
		if mediaType != "" {
			before += "Content-Type: " + mediaType + "\r\n"
		}
		before += "Content-Range: " + r.contentRange(c.Size) + "\r\n\r\n"
		p.list = append(p.list, part{before, r})
	}
	p.after = "\r\n--" + p.boundary + "--\r\n"
	return p
}

func (p *parts) size() int64 {
	n := int64(len(p.after))
	for _, one := range p.list {
		n += int64(len(one.before)) + one.length
	}
	return n
}

func (p *parts) Blocks(yield func(block []byte, err error) bool) {
	block := make([]byte, min(p.size(), 32<<10))
	p.each(yield, func(one part) bool {
		for left := one.length; left > 0; {
			n, err := p.from.Read(block[:min(left, int64(len(block)))])
			left -= int64(n)
			if n > 0 && !yield(block[:n], nil) {
				return false
			}
			if err != nil && left > 0 {
				yield(nil, fmt.Errorf("middleware: the content has ended before its Size: %w", err))
				return false
			}
		}
		return true
	})
}

func (p *parts) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	file, ok := p.from.(*os.File)
	if !ok {
		p.Blocks(yield)
		return
	}
	p.each(yield, func(one part) bool {
		n, err := sendFile(file, one.length)
		if err == nil && n < one.length {
			err = errors.New("middleware: the file has ended before its Size")
		}
		if err != nil {
			yield(nil, err)
		}
		return err == nil
	})
}

// each calls send for each part, when its text is sent and from is where it
// begins.
func (p *parts) each(yield func(block []byte, err error) bool, send func(one part) bool) {
	for _, one := range p.list {
		if one.before != "" && !yield([]byte(one.before), nil) {
			return
		}
		if _, err := p.from.Seek(one.from, io.SeekStart); err != nil {
			yield(nil, err)
			return
		}
		if !send(one) {
			return
		}
	}
	if p.after != "" {
		yield([]byte(p.after), nil)
	}
}

func (p *parts) Close() error { return p.content.close() }
