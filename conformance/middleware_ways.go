package conformance

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// inputWays are the ways to read all of an input but Read.
var inputWays = []struct {
	name string
	read func(in wsgi.InputStream) ([]byte, error)
}{
	{"ReadLine", func(in wsgi.InputStream) (all []byte, err error) {
		for range 1 + strings.Count(probeInput, "\n") {
			line, err := in.ReadLine(-1)
			if all = append(all, line...); err != nil {
				break
			}
		}
		return all, nil
	}},
	{"ReadLines", func(in wsgi.InputStream) ([]byte, error) {
		lines, err := in.ReadLines(0)
		return bytes.Join(lines, nil), err
	}},
	{"Lines", func(in wsgi.InputStream) (all []byte, err error) {
		for line, err := range in.Lines() {
			if err != nil {
				return all, err
			}
			all = append(all, line...)
		}
		return all, nil
	}},
}

// readInput runs an application that reads its input.
func (s *sandwich) readInput(way string, read func(in wsgi.InputStream) ([]byte, error)) (all string) {
	s.run(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		b, err := read(environ.Input())
		if err != nil {
			s.faultf("expected %s of the input to work, got %v", way, err)
		}
		all = string(b)
		return s.text("hello")(environ, start)
	})
	return all
}

// folded returns the names of the headers in lower case and sorted, and the
// values of those that the application gave.
func folded(headers wsgi.Headers) (lines []string) {
	for _, h := range headers {
		line := strings.ToLower(h.Name)
		switch line {
		case "content-type", "cache-control", "etag", "vary":
			line += ": " + h.Value
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// lockStep yields blocks and expects that each gives the server a value before
// the next is asked for.
func (s *sandwich) lockStep(blocks ...string) {
	s.run(s.inner("200 OK", plainText(), func(yield func([]byte, error) bool) {
		for i, block := range blocks {
			before := s.record.count("outer value")
			if !yield([]byte(block), nil) {
				return
			}
			if s.record.count("outer value") == before {
				s.faultf("expected the server to get at least an empty block for block %d of the application, %q, it got nothing", i+1, block)
			}
		}
	}))
}

// closes checks that the application's body is closed once.
func (s *sandwich) closes(after string, a app) {
	s.run(a)
	if n := s.record.count("close"); n != 1 && s.reached() {
		s.faultf("expected one Close of the application's body after %s, got %d", after, n)
	}
}

// replacing is an application that answers 503, at once or in the place of a
// response that it had started.
func (s *sandwich) replacing(twice bool) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if twice {
			start("200 OK", fields("Content-Type", "application/octet-stream", "Content-Length", "3", "X-Old", "1"), nil)
		}
		_, err := start("503 New", plainText(), errProbe)
		return &recorded{record: s.record, blocks: blocksOf("an error page")}, err
	}
}

func (s *sandwich) writing(use func(wsgi.Write), blocks ...string) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", plainText(), nil)
		if err != nil {
			return nil, err
		}
		use(write)
		return &recorded{record: s.record, blocks: blocksOf(blocks...)}, nil
	}
}

// meeting is where several requests wait for each other.
type meeting struct {
	mu      sync.Mutex
	missing int
	all     *gate
}

func newMeeting(n int) *meeting {
	return &meeting{missing: n, all: &gate{opened: make(chan struct{}), patience: 5 * moment}}
}

// wait waits for the others, or not for long where a middleware lets one at a
// time pass.
func (m *meeting) wait() {
	m.mu.Lock()
	if m.missing--; m.missing == 0 {
		m.all.open()
	}
	m.mu.Unlock()
	m.all.wait()
}
