package frontend

import (
	"errors"
	"io"

	"github.com/gowsgi/gowsgi/internal/cgi"
)

// readHead reads the head of a response from in, byte for byte as it comes,
// and returns what came behind it. The end of in before the end of the head is
// an error.
func readHead(in io.Reader, form cgi.Form) (h *head, rest []byte, err error) {
	b := make([]byte, 0, 4<<10)
	for looked := 0; ; looked = len(b) {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		end := cgi.HeadLen(b, looked)
		if end > mostHead || end == 0 && len(b) > mostHead {
			return nil, nil, &malformedError{errors.New("the head is too long")}
		}
		if end > 0 {
			h, parseErr := parseHead(b[:end], form)
			return h, b[end:], parseErr
		}
		switch {
		case err == io.EOF && len(b) > 0:
			return nil, nil, &malformedError{errors.New("it ends within the head")}
		case err != nil:
			return nil, nil, err
		}
	}
}

func parseHead(b []byte, form cgi.Form) (*head, error) {
	h, err := cgi.ParseHead(b, form)
	if err != nil {
		return nil, &malformedError{err}
	}
	if h.Local != "" {
		return nil, &malformedError{errors.New("a local redirect, which this front end does not follow")}
	}
	return &head{h.Status, h.Code, h.Headers, h.Length}, nil
}

// afterHead reads what came with the head and then what follows.
type afterHead struct {
	rest []byte
	in   io.Reader
}

func (a *afterHead) read(p []byte) (int, error) {
	if len(a.rest) > 0 {
		n := copy(p, a.rest)
		a.rest = a.rest[n:]
		return n, nil
	}
	return a.in.Read(p)
}
