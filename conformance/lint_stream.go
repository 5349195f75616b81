package conformance

import (
	"bytes"
	"io"
	"iter"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// wrapStreams puts observers around the streams. A stream that an outer
// observer watches already is left alone. The input is watched only where
// there is something to see: to replace it is to alter the dictionary, and a
// server extension may then have to refuse service (EXT-03).
func (c *call) wrapStreams() {
	if s := c.stderr; s != nil {
		switch s.(type) {
		case *lintErrors, *lintErrorsCloser:
		default:
			c.errors = lintErrors{ErrorStream: s, call: c}
			var watched wsgi.ErrorStream = &c.errors
			if closer, ok := s.(io.Closer); ok {
				watched = &lintErrorsCloser{&c.errors, closer}
			}
			c.environ.Set("wsgi.errors", watched)
		}
	}
	s, ok := c.environ.Get("wsgi.input").(wsgi.InputStream)
	if !ok {
		return
	}
	switch s.(type) {
	case *lintInput, *lintInputCloser:
		return
	}
	closer, closes := s.(io.Closer)
	if c.environ.Get("wsgi.input_terminated") == true && !closes {
		return
	}
	in := &lintInput{stream: s, call: c, left: -1}
	if n, ok := c.environ.ContentLength(); ok && c.environ.Get("wsgi.input_terminated") != true {
		in.left = n
	}
	if closes {
		c.environ.Set("wsgi.input", &lintInputCloser{in, closer})
	} else {
		c.environ.Set("wsgi.input", in)
	}
}

// lintErrors is wsgi.errors with an observer.
type lintErrors struct {
	wsgi.ErrorStream
	call *call
}

func (e *lintErrors) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("\r\n")) {
		e.reportEnding()
	}
	return e.ErrorStream.Write(p)
}

func (e *lintErrors) WriteString(s string) (int, error) {
	if strings.Contains(s, "\r\n") {
		e.reportEnding()
	}
	return e.ErrorStream.WriteString(s)
}

func (e *lintErrors) WriteLines(lines ...string) error {
	for _, line := range lines {
		if strings.Contains(line, "\r\n") {
			e.reportEnding()
		}
	}
	return e.ErrorStream.WriteLines(lines...)
}

func (e *lintErrors) reportEnding() {
	e.call.report("LOG-04", byApp, `a line for wsgi.errors ends in "\r\n", expected "\n"`)
}

// lintErrorsCloser stands for a stream that has a Close, though nobody may
// call it.
type lintErrorsCloser struct {
	*lintErrors
	closer io.Closer
}

func (e *lintErrorsCloser) Close() error {
	e.call.report("LOG-10", byApp, "wsgi.errors was closed, expected it to be left open")
	return e.closer.Close()
}

// lintInput is wsgi.input with an observer.
type lintInput struct {
	stream wsgi.InputStream
	call   *call
	left   int64 // bytes of CONTENT_LENGTH that did not come yet, -1 when nobody counts
}

// gave notes that the stream gave n bytes. An application may read until it
// ends; that it ends is for whoever made it to see to.
func (in *lintInput) gave(n int) {
	if in.left < 0 {
		return
	}
	if in.left -= int64(n); in.left < 0 {
		in.call.report("INPUT-07", byServer, "wsgi.input gave %d bytes beyond CONTENT_LENGTH, expected io.EOF there", -in.left)
	}
}

func (in *lintInput) Read(p []byte) (int, error) {
	n, err := in.stream.Read(p)
	if n < 0 || n > len(p) {
		in.call.report("INPUT-01", byServer, "Read of %d bytes returned %d", len(p), n)
	}
	in.gave(n)
	return n, err
}

func (in *lintInput) ReadLine(size int) ([]byte, error) {
	line, err := in.stream.ReadLine(size)
	if !oneLine(line) || size >= 0 && len(line) > size {
		in.call.report("INPUT-02", byServer, "ReadLine(%d) returned %q, expected one line", size, line)
	}
	in.gave(len(line))
	return line, err
}

// oneLine reports whether a newline is at the end of line, if anywhere.
func oneLine(line []byte) bool {
	i := bytes.IndexByte(line, '\n')
	return i < 0 || i == len(line)-1
}

// ReadLines is the stream's own: where it stops is for whoever made it to see to.
func (in *lintInput) ReadLines(hint int) ([][]byte, error) {
	lines, err := in.stream.ReadLines(hint)
	for _, line := range lines {
		if !oneLine(line) {
			in.call.report("INPUT-03", byServer, "ReadLines(%d) returned %q, expected one line in each element", hint, line)
		}
		in.gave(len(line))
	}
	return lines, err
}

// Lines is the stream's own.
func (in *lintInput) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for line, err := range in.stream.Lines() {
			if !oneLine(line) {
				in.call.report("INPUT-04", byServer, "Lines yielded %q, expected one line", line)
			}
			in.gave(len(line))
			if !yield(line, err) {
				return
			}
		}
	}
}

// lintInputCloser stands for a stream that has a Close, though nobody may call
// it.
type lintInputCloser struct {
	*lintInput
	closer io.Closer
}

func (in *lintInputCloser) Close() error {
	in.call.report("INPUT-15", byApp, "wsgi.input was closed, expected it to be left open")
	return in.closer.Close()
}
