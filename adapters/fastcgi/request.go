package fastcgi

import (
	"context"
	"errors"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// request is one request on its way through the gateway: its variables and its
// transport in one allocation.
type request struct {
	gateway.Exchange
	vars  cgi.Vars
	c     *conn
	id    uint16
	keep  bool // the web server closes the connection, not we
	stdin *stdin
	ctx   context.Context
	leave context.CancelCauseFunc

	whole bool // the response is complete

	// Guarded by conn.mu.
	held    bool // the head is in conn.head, until the first block
	aborted bool // by the web server
	ended   bool // END_REQUEST was sent
	warned  bool // the FCGI_STDERR stream has begun
}

var (
	errAborted = errors.New("the web server has aborted the request")
	errLeft    = errors.New("the web server has closed the connection")
	errEnded   = errors.New("the response has ended")
)

// run serves the request. It ends with END_REQUEST or with the connection.
func (r *request) run() {
	defer r.c.running.Done()
	defer r.finish() // also when the application ends its goroutine
	if err := r.c.Server.Gateway.Serve(r.ctx, r.c.Server.App, &r.Exchange); err == nil {
		r.whole = true
	}
}

// Head holds the head back.
func (r *request) Head(_ int, status string, headers wsgi.Headers) error {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.c.head = cgi.AppendHead(r.c.head[:0], cgi.Status, status, headers)
	r.held = true
	return nil
}

// Block writes what is held back and then block.
func (r *request) Block(block []byte) error {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.send(block)
}

// send is Block; the caller holds the lock.
func (r *request) send(block []byte) error {
	c := r.c
	if r.aborted {
		return errAborted
	}
	var head []byte
	if r.held {
		r.held, head = false, c.head
	}
	for len(head) > fcgi.MaxContent { // of a head with many cookies, say
		if err := c.write(fcgi.AppendRecord(c.out[:0], fcgi.Stdout, r.id, head[:fcgi.MaxContent])); err != nil {
			return err
		}
		head = head[fcgi.MaxContent:]
	}
	for len(head)+len(block) > 0 {
		part := block[:min(len(block), fcgi.MaxContent-len(head))]
		block = block[len(part):]
		if err := c.write(fcgi.AppendRecord(c.out[:0], fcgi.Stdout, r.id, head, part)); err != nil {
			return err
		}
		head = nil
	}
	return nil
}

// End writes what is held back and the end of the request. The web server may
// begin another one then, while the body of this one is closed.
func (r *request) End() error {
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.held && len(c.head) > fcgi.MaxContent {
		if err := r.send(nil); err != nil {
			return err
		}
	}
	if r.aborted {
		return errAborted
	}
	out := c.out[:0]
	if r.held {
		r.held = false
		out = fcgi.AppendRecord(out, fcgi.Stdout, r.id, c.head)
	}
	out = fcgi.AppendStreamEnd(out, fcgi.Stdout, r.id)
	return r.end(out)
}

// end appends the end of the request to out and writes all of it. The caller
// holds the lock.
func (r *request) end(out []byte) error {
	if r.warned {
		out = fcgi.AppendStreamEnd(out, fcgi.Stderr, r.id)
	}
	out = fcgi.AppendEnd(out, r.id, 0, fcgi.RequestComplete)
	r.ended = true
	err := r.c.write(out)
	if err == nil {
		r.c.ended(r)
	}
	return err
}

// Write writes wsgi.errors: to the web server, as long as there is a request.
func (r *request) Write(p []byte) (int, error) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if r.ended || r.aborted {
		return 0, errEnded
	}
	r.warned = true
	for rest := p; len(rest) > 0; {
		part := rest[:min(len(rest), fcgi.MaxContent)]
		rest = rest[len(part):]
		if err := r.c.write(fcgi.AppendRecord(r.c.out[:0], fcgi.Stderr, r.id, part)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// abort ends the request at the word of the web server, which gets its
// END_REQUEST once the application is done.
func (r *request) abort() {
	r.c.mu.Lock()
	r.aborted = true
	r.c.mu.Unlock()
	r.fail(errAborted, errAborted)
}

// fail tells the application that there is nobody to answer, and why the body
// has ended, if it has not come.
func (r *request) fail(cause, body error) {
	if r.stdin != nil {
		r.stdin.fail(body)
	}
	if r.leave != nil {
		r.leave(cause)
	}
}

// finish ends what Serve did not.
func (r *request) finish() {
	if r.stdin != nil {
		r.stdin.close()
	}
	r.leave(context.Canceled)
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.whole:
	case r.aborted && !r.ended:
		r.end(c.out[:0])
	default:
		c.active, c.closing = nil, true
		c.Reset() // no END_REQUEST: what was sent is not the whole
	}
	c.rest()
}
