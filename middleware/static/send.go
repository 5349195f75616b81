package static

import (
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	"strconv"

	"github.com/gowsgi/gowsgi/internal/conditional"
	"github.com/gowsgi/gowsgi/wsgi"
)

// sending answers with a file. It was found a moment ago, and may be gone or be
// one that cannot be opened: then it is for the next application after all.
type sending struct {
	layer
	name string
}

// Call opens the file and sends it, a part of it, or nothing of it.
func (s sending) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	file, info, coding, err := s.choose(environ)
	if err != nil {
		return nil, err
	}
	if file == nil {
		return s.next.Call(environ, start)
	}
	name := s.name + suffixes[coding]
	v, err := s.validators(name, coding, info)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("static: %w", err)
	}
	c := content{file: file, size: info.Size(), validators: v, contentType: s.contentType(s.name), coding: coding, cacheControl: s.cacheControl()}
	c.seeker, _ = file.(io.Seeker)
	if len(s.Encodings) > 0 { // also where nothing was chosen: another client would get something else
		c.more.Add("Vary", "Accept-Encoding")
	}
	return c.send(environ, start)
}

// content is what is sent, as a file or what is like one.
type content struct {
	file io.ReadCloser // at its beginning
	size int64         // bytes
	validators
	seeker       io.Seeker // of file; nil when it has no ranges
	contentType  string
	coding       string // "" for none
	cacheControl string
	more         wsgi.Headers // that a 304 has as well
	describing   wsgi.Headers // that only a response with the content has
}

// send answers with the content, a part of it, or nothing of it, and closes it in any
// case.
func (c *content) send(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	given := false // away to a body, which closes it
	defer func() {
		if !given {
			c.file.Close()
		}
	}()
	var common wsgi.Headers // those that a 304 has as well
	if c.etag != "" {
		common.Add("ETag", c.etag)
	}
	common.Add("Cache-Control", c.cacheControl)
	common = append(common, c.more...)
	conditions := conditional.Of(environ)
	switch conditions.Evaluate(c.etag, c.modified) {
	case conditional.NotModified:
		return answer(start, "304 Not Modified", common)
	case conditional.Failed:
		return plain("412 Precondition Failed", "The file is not what the request expects.\n", common...).Call(environ, start)
	}
	headers := append(wsgi.Headers{{Name: "Content-Type", Value: c.contentType}}, common...)
	headers = append(headers, c.describing...)
	if c.coding != "" {
		headers.Add("Content-Encoding", c.coding)
	}
	if !c.modified.IsZero() {
		headers.Add("Last-Modified", c.modified.UTC().Format(conditional.Date))
	}
	headers.Add("X-Content-Type-Options", "nosniff")
	if c.seeker != nil {
		headers.Add("Accept-Ranges", "bytes")
	}
	head := environ.Var("REQUEST_METHOD") == "HEAD"
	if asked := environ.Var("HTTP_RANGE"); asked != "" && c.seeker != nil && environ.Var("REQUEST_METHOD") == "GET" && c.ranged(environ) {
		if spans, ok := parseRange(asked, c.size); ok {
			if len(spans) == 0 {
				common.Add("Content-Range", fmt.Sprintf("bytes */%d", c.size))
				return plain("416 Range Not Satisfiable", "The range is not in the file.\n", common...).Call(environ, start)
			}
			body := newParts(c.file, c.seeker, spans, &headers, c.size)
			if _, err := start("206 Partial Content", headers, nil); err != nil {
				return nil, err
			}
			given = true
			return body, nil
		}
	}
	headers.Add("Content-Length", strconv.FormatInt(c.size, 10))
	if head || c.size == 0 {
		return answer(start, "200 OK", headers)
	}
	if _, err := start("200 OK", headers, nil); err != nil {
		return nil, err
	}
	body := environ.FileWrapper()(c.file, int(min(c.size, blockSize)))
	given = true
	return body, nil
}

const blockSize = 32 << 10 // bytes of a file that are read at once

// answer starts a response without a body.
func answer(start wsgi.StartResponse, status string, headers wsgi.Headers) (wsgi.Iterable, error) {
	_, err := start(status, headers, nil)
	return wsgi.Empty(), err
}

// choose opens the file, or one of the compressed files beside it. file is nil
// when it is gone.
func (s sending) choose(environ *wsgi.Environ) (file fs.File, info fs.FileInfo, coding string, err error) {
	codings := negotiate(environ.Var("HTTP_ACCEPT_ENCODING"), s.Encodings)
	var original fs.FileInfo
	if len(codings) > 0 {
		if original, err = s.stat(environ, s.name); original == nil || err != nil {
			return nil, nil, "", err
		}
	}
	for _, coding := range codings {
		name := s.name + suffixes[coding]
		info, err := s.stat(environ, name)
		if err != nil {
			return nil, nil, "", err
		}
		if info == nil || !info.Mode().IsRegular() || info.ModTime().Before(original.ModTime()) {
			continue // or it is of what the file was before
		}
		if file, info, err := s.open(environ, name); file != nil || err != nil {
			return file, info, coding, err
		}
	}
	file, info, err = s.open(environ, s.name)
	return file, info, "", err
}

func (s sending) cacheControl() string {
	if s.Immutable != nil && s.Immutable(s.name) {
		return "public, max-age=31536000, immutable"
	}
	return s.CacheControl
}

// parts is a body of parts of a file: the body of a 206.
type parts struct {
	file   io.ReadCloser
	seeker io.Seeker // of file
	list   []part
	tail   string
}

type part struct {
	head string // what comes before it
	span
}

// newParts returns the body that has spans of a file of size bytes, and completes
// headers. A single one is sent as it is, several as multipart/byteranges (RFC
// 9110, 14.6), with a boundary that nobody can have put into the file.
func newParts(file io.ReadCloser, seeker io.Seeker, spans []span, headers *wsgi.Headers, size int64) *parts {
	body := &parts{file: file, seeker: seeker}
	if len(spans) == 1 {
		body.list = []part{{span: spans[0]}}
		headers.Add("Content-Range", contentRange(spans[0], size))
		headers.Add("Content-Length", strconv.FormatInt(spans[0].length, 10))
		return body
	}
	boundary := rand.Text()
	contentType := headers.Get("Content-Type")
	total := int64(0)
	for i, s := range spans {
		line := "\r\n"
		if i == 0 {
			line = ""
		}
		head := line + "--" + boundary + "\r\nContent-Type: " + contentType + "\r\nContent-Range: " + contentRange(s, size) + "\r\n\r\n"
		body.list = append(body.list, part{head, s})
		total += int64(len(head)) + s.length
	}
	body.tail = "\r\n--" + boundary + "--\r\n"
	headers.Set("Content-Type", "multipart/byteranges; boundary="+boundary)
	headers.Add("Content-Length", strconv.FormatInt(total+int64(len(body.tail)), 10))
	return body
}

func contentRange(s span, size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", s.start, s.end()-1, size)
}
