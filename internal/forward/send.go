package forward

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/uwsgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// exchange sends the request and reads the head of the response.
func (x *exchange) exchange(environ *wsgi.Environ) (head cgi.Head, rest []byte, err error) {
	x.body, err = Open(environ, x.client.MaxBodyBytes)
	switch {
	case err == ErrTooLong:
		return head, nil, &Failure{Status: "413 Content Too Large", Doing: "reading the request", Err: err}
	case err != nil:
		return head, nil, err // of wsgi.input: the gateway knows what to answer
	}
	pairs := x.client.collect(environ, x.body.Length, x.body.declared).all
	for {
		if err := x.send(pairs); err != nil {
			return head, nil, err
		}
		if head, rest, err = x.readHead(); err == nil {
			x.backend.Answered()
			return head, rest, nil
		}
		if !x.lost(err) {
			return head, rest, err
		}
		// The backend closed the connection when this request was on its way,
		// and says so by its silence: another connection for it.
		x.stop()
		x.stream.Close()
		x.stream = nil
		x.backend.Release()
		x.backend = nil
	}
}

// lost reports whether a request may be sent again that was sent on a kept
// connection, after err: it asks for information alone, and the backend has
// closed the connection without a byte of an answer (RFC 9112, 9.3.1).
func (x *exchange) lost(err error) bool {
	return x.kept && x.gone(err) && safe(x.method) && x.body.Length == 0 && x.ctx.Err() == nil
}

// gone reports whether err says that the backend has closed the connection without
// a byte of an answer.
func (x *exchange) gone(err error) bool {
	return !x.heard && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE))
}

// send sends the request to a backend, or to the next when nothing of it could
// be sent.
func (x *exchange) send(pairs Pairs) (err error) {
	c := x.client
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	*b = (*b)[:0]
	if c.protocol.Head != nil {
		if *b, err = c.protocol.Head(*b, pairs, c.MaxIdleConns > 0); err != nil {
			return &Failure{Status: unwritable(err), Doing: "writing the variables", Err: err}
		}
	}
	if x.body.Length == 0 && c.protocol.End != nil {
		*b = c.protocol.End(*b)
	}
	var tried []*Backend
	var last error
	for {
		backend, err := c.Group.Acquire(x.ctx, c.QueueTimeout, tried)
		if err == ErrNone && last != nil {
			return last
		}
		if err != nil {
			return &Failure{Doing: "waiting for a backend", Err: err}
		}
		x.backend = backend
		if err := x.connect(pairs); err != nil {
			last = &Failure{Doing: "connecting", Backend: backend.Addr, Err: err}
		} else {
			n, err := x.write(*b)
			if err == nil {
				x.upload()
				return nil
			}
			last = &Failure{Doing: "sending the request", Backend: backend.Addr, Err: err}
			if n > 0 || !safe(x.method) {
				return last
			}
			x.stop()
			x.stream.Close()
			x.stream = nil
		}
		if x.ctx.Err() == nil && !x.kept {
			backend.Failed()
			tried = append(tried, backend)
		}
		backend.Release()
		x.backend = nil
		if x.ctx.Err() != nil {
			return last
		}
	}
}

// unwritable is the status for a request that the protocol cannot carry.
func unwritable(err error) string {
	if errors.Is(err, fcgi.ErrTooLarge) || errors.Is(err, uwsgi.ErrTooLarge) {
		return "431 Request Header Fields Too Large"
	}
	return "400 Bad Request"
}

// safe reports whether a method asks for nothing but information (RFC 9110,
// 9.2.1).
func safe(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	return false
}

// connect gets a connection to the backend, one that was kept where there is one.
func (x *exchange) connect(pairs Pairs) (err error) {
	c := x.client
	x.stream = x.backend.idle.get()
	if x.kept = x.stream != nil; !x.kept {
		ctx := x.ctx
		if c.DialTimeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, c.DialTimeout)
			defer cancel()
		}
		if c.protocol.Dial != nil {
			x.stream, err = c.protocol.Dial(ctx, x.backend.Addr, pairs, x.errs)
		} else {
			var conn net.Conn
			if conn, err = new(net.Dialer).DialContext(ctx, c.Network, x.backend.Addr); err == nil {
				x.stream = conn
			}
		}
		if err != nil {
			x.stream = nil
			return err
		}
	}
	stream := x.stream
	if x.heard = false; x.kept {
		x.channel = c.protocol.Open(heard{stream, x}, x.errs)
	} else {
		x.channel = c.protocol.Open(stream, x.errs)
	}
	channel := x.channel
	x.stop = context.AfterFunc(x.ctx, func() { end(stream, channel) })
	return nil
}

// heard is a connection that was kept, and notes when the backend has said
// something.
type heard struct {
	Stream
	x *exchange
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Stream.Read(p)
	if n > 0 {
		h.x.heard = true
	}
	return n, err
}

// end ends a request in the middle.
func end(s Stream, c Channel) {
	if c, ok := c.(Aborter); ok {
		s.SetWriteDeadline(time.Now().Add(abortTime))
		c.Abort()
	}
	s.Close()
}

// abortTime bounds how long a backend that reads nothing is waited for to take
// the word that its answer is not wanted.
const abortTime = 100 * time.Millisecond

// write writes to the stream, in pieces each of which the backend must take in
// time.
func (x *exchange) write(p []byte) (written int, err error) {
	for len(p) > 0 {
		x.armWrite()
		n, err := x.stream.Write(p[:min(len(p), piece)])
		written += n
		if p = p[n:]; err != nil {
			return written, err
		}
	}
	return written, nil
}

func (x *exchange) armWrite() {
	if timeout := x.client.WriteTimeout; timeout > 0 {
		x.stream.SetWriteDeadline(time.Now().Add(timeout))
	}
}

const piece = 32 << 10

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, piece)
	return &b
}}
