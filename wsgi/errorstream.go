package wsgi

import (
	"io"
	"sync"
)

// ErrorStream is wsgi.errors: a text stream for diagnostics. Lines end in
// "\n"; the text may hold any character, and bytes that are not UTF-8 are
// accepted too (LOG-04, LOG-05). A write may be held back until a line is
// complete, Flush is called or the request ends (LOG-08). One write is atomic
// with regard to other requests (LOG-13). Where the text goes is the server's
// affair (LOG-11).
//
// It has no Close: the stream outlives the request (LOG-10).
//
// Source: PEP 3333, "Input and Error Streams".
type ErrorStream interface {
	io.Writer
	io.StringWriter
	WriteLines(lines ...string) error // adds no newlines
	Flush() error
}

// NewErrors returns an ErrorStream that forwards every write to w at once,
// under a lock of its own; Flush does nothing. It is safe for concurrent use.
func NewErrors(w io.Writer) ErrorStream { return &errorWriter{w: w} }

type errorWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (e *errorWriter) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.w.Write(p)
}

func (e *errorWriter) WriteString(s string) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return io.WriteString(e.w, s)
}

func (e *errorWriter) WriteLines(lines ...string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, line := range lines {
		if _, err := io.WriteString(e.w, line); err != nil {
			return err
		}
	}
	return nil
}

func (e *errorWriter) Flush() error { return nil }
