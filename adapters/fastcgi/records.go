package fastcgi

import (
	"errors"
	"fmt"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

// read reads the records of the connection until it ends, and returns why it
// did.
func (c *conn) read() error {
	for {
		b, err := c.in.Peek(fcgi.HeaderLen)
		if err != nil {
			if len(b) > 0 {
				return malformedEnd(err)
			}
			return err
		}
		h, err := fcgi.ParseHeader(b)
		if err != nil {
			return malformed("%v", backend.Explain(err, b))
		}
		c.in.Discard(fcgi.HeaderLen)
		if h.ID == 0 {
			err = c.management(h)
		} else {
			err = c.application(h)
		}
		if err != nil {
			return err
		}
		if _, err := c.in.Discard(int(h.Padding)); err != nil {
			return malformedEnd(err)
		}
	}
}

func malformedEnd(err error) error { return fmt.Errorf("a record is not complete: %w", err) }

// content gives the content of a record to take, as it comes.
func (c *conn) content(n uint16, take func(p []byte)) error {
	for left := int(n); left > 0; {
		if _, err := c.in.Peek(1); err != nil {
			return malformedEnd(err)
		}
		p, _ := c.in.Peek(min(left, c.in.Buffered()))
		take(p)
		c.in.Discard(len(p))
		left -= len(p)
	}
	return nil
}

// whole returns the content of a record in one piece, until the next call.
func (c *conn) whole(n uint16) ([]byte, error) {
	c.scratch = c.scratch[:0]
	err := c.content(n, func(p []byte) { c.scratch = append(c.scratch, p...) })
	return c.scratch, err
}

func (c *conn) skip(n uint16) error {
	if n == 0 {
		if err := c.waste(); err != nil {
			return err
		}
	}
	return c.content(n, func([]byte) {})
}

// mostVain is how many records that bring no request further there may be from
// one request to the next. They cost the peer less than us.
const mostVain = 1000

// waste counts such a record.
func (c *conn) waste() error {
	if c.vain++; c.vain > mostVain {
		return malformed("more than %d records that bring no request further", mostVain)
	}
	return nil
}

// management takes a record that concerns the connection.
func (c *conn) management(h fcgi.Header) error {
	switch {
	case h.Type >= fcgi.BeginRequest && h.Type <= fcgi.Data:
		return malformed("record of type %d has the request id 0", h.Type)
	case h.Type != fcgi.GetValues:
		if err := c.skip(h.Length); err != nil {
			return err
		}
		if err := c.waste(); err != nil {
			return err
		}
		return c.answer(func(b []byte) []byte { return fcgi.AppendUnknown(b, h.Type) })
	}
	content, err := c.whole(h.Length)
	if err != nil {
		return err
	}
	if err := c.waste(); err != nil {
		return err
	}
	var result []byte
	for rest := string(content); rest != ""; {
		var name string
		if name, _, rest, err = fcgi.NextPair(rest); err != nil {
			return malformed("GET_VALUES: %v", err)
		}
		// FCGI_MAX_CONNS and FCGI_MAX_REQS have no limit here to tell of, and
		// a name that has no value is left out.
		if name == "FCGI_MPXS_CONNS" && result == nil {
			result = fcgi.AppendPair(nil, name, "0")
		}
	}
	return c.answer(func(b []byte) []byte { return fcgi.AppendRecord(b, fcgi.GetValuesResult, 0, result) })
}

// application takes a record of a request.
func (c *conn) application(h fcgi.Header) error {
	if h.Type == fcgi.BeginRequest {
		return c.beginRequest(h)
	}
	c.mu.Lock()
	r := c.active
	c.mu.Unlock()
	if h.Type == fcgi.Stdin && h.Length == 0 && (r == nil || r.id == h.ID) {
		c.endInput()
	}
	if r == nil || r.id != h.ID { // it has ended, or was refused
		return c.skip(h.Length)
	}
	begun := r.ctx != nil
	switch {
	case h.Type == fcgi.Params && !begun && h.Length > 0:
		return c.takeParams(r, h.Length)
	case h.Type == fcgi.Params && !begun:
		return c.endParams(r)
	case h.Type == fcgi.Stdin && !begun:
		if err := c.skip(h.Length); err != nil {
			return err
		}
		return c.refuse(r, errors.New("STDIN came before the end of PARAMS"), true)
	case h.Type == fcgi.Stdin && r.stdin != nil && h.Length > 0:
		return c.content(h.Length, r.stdin.put)
	case h.Type == fcgi.Stdin && r.stdin != nil:
		r.stdin.end()
		return c.waste()
	case h.Type == fcgi.AbortRequest:
		if err := c.skip(h.Length); err != nil {
			return err
		}
		if !begun {
			return c.abandon(r)
		}
		r.abort()
		return nil
	}
	return c.skip(h.Length)
}

// beginRequest takes a BEGIN_REQUEST.
func (c *conn) beginRequest(h fcgi.Header) error {
	content, err := c.whole(h.Length)
	if err != nil {
		return err
	}
	role, flags, err := fcgi.ParseBegin(content)
	if err != nil {
		return malformed("%v", err)
	}
	keep := flags&fcgi.KeepConn != 0
	c.mu.Lock()
	active := c.active
	c.mu.Unlock()
	switch {
	case active != nil && active.id == h.ID:
		return malformed("BEGIN_REQUEST for the id %d, which is in use", h.ID)
	case active != nil:
		if err := c.waste(); err != nil {
			return err
		}
		return c.answer(func(b []byte) []byte { return fcgi.AppendEnd(b, h.ID, 0, fcgi.CantMpxConn) })
	case role != fcgi.Responder:
		if err := c.waste(); err != nil {
			return err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if err := c.write(fcgi.AppendEnd(c.out[:0], h.ID, 0, fcgi.UnknownRole)); err != nil {
			return err
		}
		if !keep {
			c.inEnded = false // that of the request before may have
			c.hangUp()
		}
		return nil
	}
	r := &request{c: c, id: h.ID, keep: keep}
	if !c.begin(r) {
		return errors.New("the connection is being closed")
	}
	c.params, c.vain = c.params[:0], 0
	return nil
}

// takeParams takes a part of the variables.
func (c *conn) takeParams(r *request, n uint16) error {
	if len(c.params)+int(n) > c.Server.MaxHeaderBytes {
		if err := c.skip(n); err != nil {
			return err
		}
		return c.refuse(r, &cgi.Refusal{Status: "431 Request Header Fields Too Large",
			Err: errors.New("the variables take more bytes than the limit")}, true)
	}
	return c.content(n, func(p []byte) { c.params = append(c.params, p...) })
}

// endParams begins with what a request asks for, once its variables are known.
func (c *conn) endParams(r *request) error {
	block := string(c.params)
	if cap(c.params) > mostKept {
		c.params = nil
	}
	for block != "" {
		name, value, rest, err := fcgi.NextPair(block)
		if err != nil {
			return c.refuse(r, err, true)
		}
		block = rest
		if err := r.vars.Add(name, value); err != nil {
			return c.refuse(r, err, errors.Is(err, cgi.ErrTooMany))
		}
	}
	terms := c.Terms()
	terms.Unknown = true
	if err := r.vars.Settle(terms); err != nil {
		return c.refuse(r, err, false)
	}
	c.start(r)
	return nil
}

// mostKept is how much of the variables of one request a connection keeps room
// for.
const mostKept = 16 << 10

// abandon ends a request that was aborted before it had begun.
func (c *conn) abandon(r *request) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return r.end(c.out[:0])
}
