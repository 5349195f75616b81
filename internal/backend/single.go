package backend

import (
	"context"
	"errors"
	"sync"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/server/gateway"
)

// Protocol is a protocol in which a connection carries one request: a head
// with all variables, and then the body of the declared length. The response
// ends with the connection.
type Protocol struct {
	// HeadLen returns how many bytes the head that begins b has in all, 0 when
	// b is too short to tell. After an error there is no answer: the peer does
	// not speak the protocol.
	HeadLen func(b []byte) (int, error)

	// Parse gives the variables of a whole head to add.
	Parse func(head string, add func(name, value string) error) error

	// Form is that of the head of the response.
	Form cgi.Form

	// TooLong tells whether a head that is too long gets an answer.
	TooLong bool
}

// exchange is one request on its way through the gateway, in one allocation
// with its variables, its body and its response.
type exchange struct {
	gateway.Exchange
	vars     cgi.Vars
	body     body
	presence presence
	response Response
}

// done ends the response where the connection does not end at once.
func (x *exchange) done() error {
	if x.Closes() {
		return x.presence.c.CloseWrite()
	}
	return nil
}

var errTooLong = &cgi.Refusal{Status: "431 Request Header Fields Too Large", Err: errors.New("the variables take more bytes than the limit")}

// NewServer returns a server of the protocol.
func (p *Protocol) NewServer(o Options) (*Server, error) {
	s, err := New(o, p.serveOne)
	if err == nil {
		s.quick = true
	}
	return s, err
}

// serveOne serves the one request of c.
func (p *Protocol) serveOne(c *Conn) {
	head, early, buffer, err := p.readHead(c)
	if err != nil && err != errTooLong {
		c.Malformed(err)
		return
	}
	x := new(exchange)
	if err == nil {
		err = p.Parse(head, x.vars.Add)
	}
	if err == nil {
		err = x.vars.Settle(c.Terms())
	}
	if err != nil {
		if _, err := c.Write(c.AppendRefusal(nil, p.Form, &x.vars, err)); err == nil {
			c.Linger()
		}
		return
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(context.Canceled)
	x.Source, x.Transport = &x.vars, &x.response
	x.Method, x.Scheme = x.vars.Method(), x.vars.Scheme()
	x.response = Response{W: c, Form: p.Form, Done: x.done}
	x.presence.Context, x.presence.c, x.presence.cancel = ctx, c, cancel
	x.body.presence, x.body.pace.Timeout = &x.presence, c.Server.ReadTimeout
	c.clearReadDeadline() // that was for the head
	x.body.left = max(0, x.vars.Length())
	x.presence.surplus = int64(len(early)) > x.body.left
	x.presence.suspect = x.body.left > 0 || x.vars.Announced()
	if x.body.left > 0 {
		x.Input = &x.body
		x.body.early = early[:min(int64(len(early)), x.body.left)]
	} else {
		if cap(*buffer) <= keptBuffer {
			buffers.Put(buffer)
		}
		x.presence.arrive()
	}
	whole := false
	defer func() { // also when the application ends its goroutine
		clean := x.body.finish()
		switch {
		case !whole:
			c.Reset()
		case !clean:
			c.Linger()
		}
	}()
	whole = c.Server.Gateway.Serve(&x.presence, c.Server.App, &x.Exchange) == nil
}

const (
	firstBuffer = 4 << 10
	keptBuffer  = 64 << 10
)

var buffers = sync.Pool{New: func() any {
	b := make([]byte, 0, firstBuffer)
	return &b
}}

// readHead reads up to the end of the head, and returns what came behind it
// too, in a buffer that may go back to buffers when that is not needed. Memory
// is taken for what has come, and never for what a length promises.
func (p *Protocol) readHead(c *Conn) (head string, early []byte, buffer *[]byte, err error) {
	buffer = buffers.Get().(*[]byte)
	b := (*buffer)[:0]
	defer func() { *buffer = b[:0] }()
	read := c.tryRead
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, readErr := read(b[len(b):cap(b)])
		if n == 0 && readErr == nil {
			c.ArmHead()
			read = c.Conn.Read
			continue
		}
		if n > 0 && len(b) == 0 && !c.Begin() {
			return "", nil, buffer, errors.New("the server is being stopped")
		}
		b = b[:len(b)+n]
		total, err := p.HeadLen(b)
		switch {
		case err != nil:
			return "", nil, buffer, Explain(err, b)
		case total > c.Server.MaxHeaderBytes && p.TooLong:
			return "", nil, buffer, errTooLong
		case total > c.Server.MaxHeaderBytes:
			return "", nil, buffer, errTooLong.Err
		case total > 0 && len(b) >= total:
			return string(b[:total]), b[total:], buffer, nil
		case readErr != nil:
			if len(b) > 0 {
				readErr = &incompleteError{readErr}
			}
			return "", nil, buffer, readErr
		}
	}
}

// incompleteError tells a head that ends too early from a connection on which
// nothing was said.
type incompleteError struct{ err error }

func (e *incompleteError) Error() string {
	return "head of the request is not complete: " + e.err.Error()
}
