package backend

import (
	"io"
	"sync"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Response is a gateway.Transport over a stream of bytes that ends where the
// response does: SCGI's, uwsgi's and CGI's.
type Response struct {
	W    io.Writer
	Form cgi.Form

	// Done is called when all is written. It may be nil.
	Done func() error

	held *[]byte // the head, until the first block
}

// The most that is copied to be written in one piece with the head.
const together = 32 << 10

var heads = sync.Pool{New: func() any { return new([]byte) }}

// Head holds the head back.
func (r *Response) Head(_ int, status string, headers wsgi.Headers) error {
	r.held = heads.Get().(*[]byte)
	*r.held = cgi.AppendHead((*r.held)[:0], r.Form, status, headers)
	return nil
}

// Block writes the head, if that is still to do, and block.
func (r *Response) Block(block []byte) error {
	if r.held != nil {
		head := r.held
		r.held = nil
		defer heads.Put(head)
		if len(block) > together {
			if _, err := r.W.Write(*head); err != nil {
				return err
			}
		} else {
			*head = append(*head, block...)
			block = *head
		}
	}
	if len(block) == 0 {
		return nil
	}
	_, err := r.W.Write(block)
	return err
}

// End writes the head, if that is still to do.
func (r *Response) End() error {
	if err := r.Block(nil); err != nil {
		return err
	}
	if r.Done != nil {
		return r.Done()
	}
	return nil
}
