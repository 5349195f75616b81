package gateway

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
)

// errorStream is the wsgi.errors of one request. It passes complete lines on,
// as many as came at once in one piece, so that the lines of concurrent
// requests are not torn (LOG-13); the rest waits for its newline, for Flush or
// for the end of the request, as long as it is not more than mostPending.
type errorStream struct {
	gateway *Gateway
	own     io.Writer // the protocol's own stream, nil when there is none
	mu      sync.Mutex
	pending []byte // without a newline
}

// mostPending is how many bytes of a line wait for the rest of it: what never
// comes to its newline must not fill the memory.
const mostPending = 64 << 10

func (s *errorStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, p...)
	return len(p), s.passLines(len(p))
}

func (s *errorStream) WriteString(text string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending = append(s.pending, text...)
	return len(text), s.passLines(len(text))
}

func (s *errorStream) WriteLines(lines ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, line := range lines {
		s.pending = append(s.pending, line...)
		n += len(line)
	}
	return s.passLines(n)
}

func (s *errorStream) Flush() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pass(len(s.pending))
}

// finish passes on a last line that has no newline, with one.
func (s *errorStream) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.pending) > 0 {
		s.pending = append(s.pending, '\n')
		s.pass(len(s.pending))
	}
}

// passLines passes on what the last n bytes have completed.
func (s *errorStream) passLines(n int) error {
	before := len(s.pending) - n
	if i := bytes.LastIndexByte(s.pending[before:], '\n'); i >= 0 {
		return s.pass(before + i + 1)
	}
	if len(s.pending) > mostPending {
		return s.pass(len(s.pending))
	}
	return nil
}

// pass passes on the first n pending bytes.
func (s *errorStream) pass(n int) error {
	if n == 0 {
		return nil
	}
	text := s.pending[:n]
	defer func() { s.pending = append(s.pending[:0], s.pending[n:]...) }()
	if s.own != nil {
		if wrote, err := s.own.Write(text); err != nil {
			text = text[min(wrote, len(text)):]
		} else {
			return nil
		}
	}
	if s.gateway.Errors != nil {
		return s.gateway.writeErrors(text)
	}
	for line := range strings.Lines(string(text)) {
		s.gateway.logger().Log(context.Background(), levelError, strings.TrimRight(line, "\r\n"), "stream", "wsgi.errors")
	}
	return nil
}

// writeErrors writes text to Errors in one piece.
func (g *Gateway) writeErrors(text []byte) error {
	g.errorsMu.Lock()
	defer g.errorsMu.Unlock()
	_, err := g.Errors.Write(text)
	return err
}
