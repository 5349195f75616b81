package fastcgi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

// conn is a connection from the web server. One goroutine reads it, in
// records.go; the applications run on others and write, under mu.
type conn struct {
	*backend.Conn
	in      *bufio.Reader
	params  []byte // the PARAMS stream of the request that begins
	scratch []byte // the content of a record that is needed whole
	vain    int    // records that brought no request further, since the last one
	running sync.WaitGroup

	mu      sync.Mutex
	out     []byte
	head    []byte   // of the response of active
	active  *request // from BEGIN_REQUEST to END_REQUEST
	called  int      // requests that are in the application
	closing bool     // nothing more is served
	inEnded bool     // the STDIN stream of the last request has ended
}

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 8<<10) }}

// serveConn serves the requests of a connection, and returns when they are
// over.
func serveConn(bc *backend.Conn) {
	c := &conn{Conn: bc, in: readers.Get().(*bufio.Reader)}
	c.in.Reset(bc)
	bc.ArmHead()
	err := c.read()
	c.in.Reset(nil)
	readers.Put(c.in)
	c.mu.Lock()
	active, closing := c.active, c.closing
	c.mu.Unlock()
	if !closing {
		c.Malformed(err)
	}
	if active != nil {
		active.fail(errLeft, io.ErrUnexpectedEOF) // INPUT-21
	}
	if errors.As(err, new(*protocolError)) {
		c.Conn.Close()
	}
	c.running.Wait()
}

// A protocolError is what a connection cannot go on after.
type protocolError struct{ text string }

func (e *protocolError) Error() string { return e.text }

func malformed(format string, args ...any) error {
	return &protocolError{fmt.Sprintf(format, args...)}
}

// write writes records. The caller holds the lock, and b began as c.out[:0].
func (c *conn) write(b []byte) error {
	if c.out = b; cap(b) > 2*fcgi.MaxContent {
		c.out = nil
	}
	_, err := c.Conn.Write(b)
	return err
}

// begin makes room for a request. The caller does not hold the lock.
func (c *conn) begin(r *request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || !c.Begin() {
		c.closing = true // nothing is wrong with what came
		return false
	}
	c.active, c.inEnded = r, false
	c.setReadTimeout(c.Server.ReadHeaderTimeout)
	return true
}

// start runs the application for a request that has its variables.
func (c *conn) start(r *request) {
	r.ctx, r.leave = context.WithCancelCause(context.Background())
	r.Source, r.Transport = &r.vars, r
	r.Method, r.Scheme = r.vars.Method(), r.vars.Scheme()
	if c.Server.Errors == nil {
		r.Errors = r
	}
	if n := r.vars.Length(); n != 0 {
		r.stdin = newStdin(n, c.Server.MaxBodyBytes, c.Server.ReadTimeout)
		r.Input = r.stdin
	}
	c.mu.Lock()
	c.called++
	c.setReadTimeout(0) // the body has its own, which runs while it is read
	c.mu.Unlock()
	c.running.Add(1)
	go r.run()
}

// ended is called when END_REQUEST of r is written. The caller holds the lock.
func (c *conn) ended(r *request) {
	if c.active == r {
		c.active = nil
	}
	if cap(c.out) > mostKept {
		c.out = nil
	}
	if !r.keep || c.closing || c.called == 0 && !c.Rest() {
		c.hangUp()
		return
	}
	c.setReadTimeout(c.Server.IdleTimeout)
}

// hangUp half-closes the connection. What still comes of the request is read,
// within limits, to its end. The caller holds the lock.
func (c *conn) hangUp() {
	c.closing = true
	if c.BeginLinger() != nil || c.inEnded {
		c.EndLinger()
	}
}

// endInput notes that a request has come to its end.
func (c *conn) endInput() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inEnded = true; c.closing {
		c.EndLinger()
	}
}

// rest is called when a request has left the application. The caller holds the
// lock.
func (c *conn) rest() {
	if c.called--; c.called == 0 && c.active == nil && !c.closing && !c.Rest() {
		c.hangUp()
	}
}

func (c *conn) setReadTimeout(d time.Duration) {
	if d <= 0 {
		c.Conn.SetReadDeadline(time.Time{})
		return
	}
	c.Conn.SetReadDeadline(time.Now().Add(d))
}

// refuse answers a request that does not reach the application.
func (c *conn) refuse(r *request, err error, closing bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if closing {
		c.closing = true
	}
	r.ended = true
	out := fcgi.AppendStream(c.out[:0], fcgi.Stdout, r.id, c.AppendRefusal(nil, cgi.Status, &r.vars, err))
	out = fcgi.AppendStreamEnd(out, fcgi.Stdout, r.id)
	out = fcgi.AppendEnd(out, r.id, 0, fcgi.RequestComplete)
	if err := c.write(out); err != nil {
		return err
	}
	c.ended(r)
	return nil
}

// answer writes records that are no response.
func (c *conn) answer(appendTo func(b []byte) []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(appendTo(c.out[:0]))
}
