package middleware

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Cascade returns a middleware that asks applications in turn, the next
// application last, and answers with the first response whose status is not
// 404. The response of the last one stands, whatever it is.
//
// A response that is passed over is closed without being iterated further, and
// what it wrote with write is dropped. An application that has not called
// start_response when it returns is iterated until it does, while the server
// iterates. Once a status other than 404 was given the response is that
// application's, with its errors: a failure is not passed over.
//
// Each application gets a copy of the environ, so that what one changes the
// next does not see, and a wsgi.input from the beginning: up to 64 KiB that a
// 404 has read are read again by the next. An application that has read more is
// taken for the one that was meant, and its 404 stands.
//
// Cascade does nothing to status, headers and body of the response that it
// chooses, and passes the body on as it is, unless start_response was called
// late. A nil application panics.
//
// Security: an application that answers "you may not" with a 404 is passed
// over like any other. Put gates outside.
func Cascade(apps ...wsgi.Application) wsgi.Middleware {
	apps = slices.Clone(apps)
	for i, app := range apps {
		if app == nil {
			panic(fmt.Sprintf("middleware: Cascade: argument %d is nil, expected an application", i+1))
		}
	}
	return func(next wsgi.Application) wsgi.Application {
		if len(apps) == 0 {
			return next
		}
		return cascade(append(slices.Clone(apps), next))
	}
}

type cascade []wsgi.Application

func (apps cascade) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	return (&cascading{environ: environ, start: start, apps: apps}).next()
}

// cascading is one request on its way through the applications.
type cascading struct {
	environ *wsgi.Environ
	start   wsgi.StartResponse
	apps    []wsgi.Application // those that were not asked yet
	input   *replay            // nil for a request without a body
	trying  *attempt
	body    wsgi.Iterable                      // of trying, until it is closed
	yield   func(block []byte, err error) bool // once Blocks was called
	stopped bool                               // yield may not be called any more
}

// next asks the applications until one answers, or until one does not say yet
// whether it does.
func (c *cascading) next() (wsgi.Iterable, error) {
	for {
		body, err := c.ask()
		if a := c.trying; err == nil && body != nil && a.pending() {
			c.body = body
			return c, nil
		} else if err != nil || !a.passedOver() {
			return body, err
		}
		if body != nil {
			c.passOver(body)
		}
		if !c.input.whole() {
			return nil, errReadOn
		}
	}
}

var errReadOn = fmt.Errorf("middleware: Cascade: an application answered 404 and then read more than %d bytes of the request, which the next one lacks", mostReplayed)

// passOver closes the body of a response that is passed over. Its error is no
// matter of the response that is sent (BODY-14).
func (c *cascading) passOver(body wsgi.Iterable) {
	if err := body.Close(); err != nil {
		fmt.Fprintf(c.environ.Errors(), "middleware: Cascade: closing a response that was passed over: %v\n", err)
	}
}

// ask calls the next application.
func (c *cascading) ask() (wsgi.Iterable, error) {
	app := c.apps[0]
	c.apps = c.apps[1:]
	c.trying = &attempt{c: c, last: len(c.apps) == 0}
	environ := c.environ.Clone()
	if !c.trying.last || c.input != nil {
		c.rewind(environ)
	}
	return app.Call(environ, c.trying.startResponse)
}

// rewind puts the input of the request into environ, from its beginning.
func (c *cascading) rewind(environ *wsgi.Environ) {
	if c.input == nil {
		if environ.Var("CONTENT_LENGTH") == "0" {
			return
		}
		c.input = &replay{from: environ.Input()}
	}
	c.input.at = 0
	environ.Set("wsgi.input", wsgi.NewInput(c.input))
}

// Blocks is the body of an application that starts its response late, or of
// those that are asked after it.
func (c *cascading) Blocks(yield func(block []byte, err error) bool) {
	c.yield = func(block []byte, err error) bool {
		if !c.stopped {
			c.stopped = !yield(block, err) || err != nil
		}
		return !c.stopped
	}
	for {
		a := c.trying
		c.body.Blocks(func(block []byte, err error) bool {
			if a.passedOver() && err == nil {
				return false
			}
			return c.yield(block, err)
		})
		if c.stopped || !a.passedOver() {
			return
		}
		body := c.body
		c.body = nil // before the call: once is once, even if Close panics
		c.passOver(body)
		if !c.input.whole() {
			c.yield(nil, errReadOn)
			return
		}
		body, err := c.next()
		if body != wsgi.Iterable(c) {
			c.body = body // nil with an error, perhaps
		}
		if err == nil && c.body == nil {
			err = &wsgi.ContractError{Rule: "BODY-01", Detail: "the application returned nil, expected a body"}
		}
		if err != nil {
			c.yield(nil, err)
		}
		if c.stopped {
			return
		}
	}
}

// Close closes the body of the application that was asked last.
func (c *cascading) Close() error {
	if body := c.body; body != nil {
		c.body = nil
		return body.Close()
	}
	return nil
}

// attempt is one application's turn.
type attempt struct {
	c       *cascading
	last    bool
	started bool // start_response was called
	taken   bool // the response is this application's
	dropped bool // it wrote to a response that is passed over
}

func (a *attempt) pending() bool    { return !a.started && !a.last }
func (a *attempt) passedOver() bool { return a.started && !a.taken }

func (a *attempt) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	over := a.passedOver()
	switch {
	case over && excInfo == nil:
		return nil, &wsgi.ContractError{Rule: "START-19", Detail: fmt.Sprintf("start_response was called again with status %q and no exc_info", status)}
	case over && a.dropped:
		return nil, fmt.Errorf("the response is passed over: %w", excInfo)
	}
	a.started = true
	if !a.taken && !a.last && strings.HasPrefix(status, "404") && a.c.input.whole() {
		if _, _, err := wsgi.ParseStatus(status); err == nil {
			return a.drop, nil
		}
	}
	a.taken = true
	write, err := a.c.start(status, headers, excInfo)
	if err == nil && a.c.yield != nil {
		write = a.c.write
	}
	return write, err
}

var errStopped = errors.New("middleware: Cascade: the server wants nothing more of the body")

// write is that of an application that is called while the server iterates,
// when the server's own may no longer be used (WRITE-08).
func (c *cascading) write(block []byte) (int, error) {
	if !c.yield(block, nil) {
		return 0, errStopped
	}
	return len(block), nil
}

// drop is the write of a response that is passed over.
func (a *attempt) drop(block []byte) (int, error) {
	a.dropped = true
	return len(block), nil
}

// mostReplayed is how many bytes of a request one application may read and
// another one read again.
const mostReplayed = 64 << 10

// replay is a request body that can be read again.
type replay struct {
	from io.Reader
	seen []byte
	at   int  // how many bytes of seen the present reader has had
	lost bool // more was read than is in seen
	err  error
}

// whole reports whether the next application can read it from the beginning.
func (r *replay) whole() bool { return r == nil || !r.lost }

func (r *replay) Read(p []byte) (int, error) {
	if r.at < len(r.seen) {
		n := copy(p, r.seen[r.at:])
		r.at += n
		return n, nil
	}
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.from.Read(p)
	if len(r.seen)+n > mostReplayed {
		r.lost, r.seen, r.at = true, nil, 0
	}
	if !r.lost {
		r.seen = append(r.seen, p[:n]...)
		r.at = len(r.seen)
	}
	r.err = err
	return n, err
}
