package forward

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Client is an application that lets a backend answer.
type Client struct {
	Options
	Group    *Group
	protocol *Protocol
}

// New returns a client with the defaults in the place of zero values.
func New(o Options, p *Protocol) (*Client, error) {
	if err := o.Fill(); err != nil {
		return nil, err
	}
	return &Client{Options: o, Group: NewGroup(o.Addrs, o.MaxConns), protocol: p}, nil
}

// CloseIdle closes the connections that carry no request.
func (c *Client) CloseIdle() {
	for _, b := range c.Group.backends {
		b.idle.closeAll()
	}
}

// Call sends the request to a backend, and answers with what that answers.
func (c *Client) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	x := &exchange{client: c, ctx: environ.Context(), method: environ.Var("REQUEST_METHOD"), errs: environ.Errors()}
	head, rest, err := x.exchange(environ)
	if err == nil {
		if _, err := start(head.Status, head.Headers, nil); err != nil {
			x.finish(false)
			return nil, err
		}
		return x.response(head, rest), nil
	}
	stale := x.kept && x.gone(err)
	if err = x.explain(err); x.backend != nil && errors.As(err, new(*Failure)) && !stale {
		x.backend.Failed()
	}
	x.finish(false)
	return Fail(c.Logger, environ, start, err)
}

// explain returns what an error means for the client: a Failure, or what the
// gateway is to be told.
func (x *exchange) explain(err error) error {
	if x.ctx.Err() != nil {
		return context.Cause(x.ctx) // the client has left, and with it the reason to go on
	}
	x.mu.Lock()
	inputErr := x.inputErr
	x.mu.Unlock()
	if inputErr != nil {
		return inputErr
	}
	failure := (*Failure)(nil)
	if !errors.As(err, &failure) {
		return err
	}
	if failure.Backend == "" && x.backend != nil {
		failure.Backend = x.backend.Addr
	}
	return failure
}

func unexpected(err error) error {
	if err == io.EOF {
		return fmt.Errorf("the backend has closed the connection: %w", io.ErrUnexpectedEOF)
	}
	return err
}
