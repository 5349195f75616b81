package wsgi

import (
	"io"
	"os"
)

// Var returns the CGI variable key, "" when it is absent or not a string. It
// is the cheap way to one variable: nothing is boxed.
func (e *Environ) Var(key string) string {
	if c := e.changed(key); c != nil {
		s, _ := c.value.(string)
		return s
	}
	if e.source == nil {
		return ""
	}
	s, _ := e.source.Lookup(key)
	return s
}

// Header returns the value of a request header by its name: the variable
// CONTENT_TYPE, CONTENT_LENGTH or HTTP_*, "" when it is absent (CGI-10,
// CGI-11).
func (e *Environ) Header(name string) string {
	switch {
	case equalFold(name, "Content-Type"):
		return e.Var("CONTENT_TYPE")
	case equalFold(name, "Content-Length"):
		return e.Var("CONTENT_LENGTH")
	}
	key := make([]byte, 0, 64)
	key = append(key, "HTTP_"...)
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '-':
			key = append(key, '_')
		case 'a' <= c && c <= 'z':
			key = append(key, c-('a'-'A'))
		default:
			key = append(key, c)
		}
	}
	return e.Var(string(key))
}

// ContentLength returns the length of the request body in bytes. ok is false
// when it was not declared, as in a chunked request, or when CONTENT_LENGTH is
// not a decimal number.
func (e *Environ) ContentLength() (n int64, ok bool) {
	return parseLength(e.Var("CONTENT_LENGTH"))
}

// Input returns wsgi.input; an empty stream when there is none.
func (e *Environ) Input() InputStream {
	if in, ok := e.Get("wsgi.input").(InputStream); ok {
		return in
	}
	return NewInput(nil)
}

// Errors returns wsgi.errors; the process's standard error when there is none.
func (e *Environ) Errors() ErrorStream {
	if errs, ok := e.Get("wsgi.errors").(ErrorStream); ok {
		return errs
	}
	return standardErrors
}

var standardErrors = NewErrors(os.Stderr)

// FileWrapper returns wsgi.file_wrapper. It is never nil: where the server
// offers none the result reads the file block by block (FILE-02).
func (e *Environ) FileWrapper() FileWrapper {
	switch wrap := e.Get("wsgi.file_wrapper").(type) {
	case FileWrapper:
		if wrap != nil {
			return wrap
		}
	case func(io.Reader, int) Iterable: // such as WrapFile, set without a conversion
		if wrap != nil {
			return wrap
		}
	}
	return Reader
}

// Strings calls yield for each variable whose value is a string: the CGI
// variables and what else is text. It is All for those who pass a request on
// over a wire, without boxing a value.
func (e *Environ) Strings(yield func(key, value string) bool) {
	for c := e.changes; c != nil; c = c.before {
		if s, ok := c.value.(string); ok && !yield(c.key, s) {
			return
		}
	}
	switch {
	case e.source == nil:
	case e.changes == nil:
		e.source.All(yield)
	default:
		e.source.All(func(key, value string) bool {
			return e.changed(key) != nil || yield(key, value)
		})
	}
}
