package bridge

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Call calls the application. A mistake that leaves nothing to pass on, such
// as a block of str, is an error that wraps a wsgi.ContractError.
func (a *App) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	c, err := a.lane(environ.Context())
	if err != nil {
		return nil, err
	}
	x := &exchange{app: a, c: c, environ: environ, start: startResponse,
		request: environ.Var("REQUEST_METHOD") + " " + environ.Var("SCRIPT_NAME") + environ.Var("PATH_INFO")}
	f, err := x.ask(frameApp, variables(environ))
	if err != nil {
		x.end()
		return nil, err
	}
	var shape string
	var size any
	args, _ := f.value.(Tuple)
	if f.kind != frameReturn || !scan(args, &shape, &size) {
		return nil, x.fail(fmt.Errorf("bridge: frame %q in the place of a return", f.kind))
	}
	if shape == "none" {
		x.ask(frameClose, nil)
		x.end()
		return nil, nil
	}
	if n, ok := size.(int); ok {
		return sizedBody{x, n}, nil
	}
	return x, nil
}

// variables is an environ as Python gets it. What has no counterpart there is
// an object that has no use.
func variables(environ *wsgi.Environ) []any {
	list := []any{}
	for key, value := range environ.All() {
		list = append(list, Tuple{key, value})
	}
	return list
}

// exchange is one call of an application, and its body.
type exchange struct {
	app     *App
	c       *conn // nil at the end
	environ *wsgi.Environ
	start   wsgi.StartResponse
	write   wsgi.Write
	request string
	ledger  ledger
	broken  *wsgi.ContractError // the last mistake that was found
	fault   error
	ended   bool // the iteration
}

// Blocks iterates the body.
func (x *exchange) Blocks(yield func(block []byte, err error) bool) {
	for !x.ended {
		f, err := x.ask(frameNext, nil)
		if err != nil {
			x.ended = true
			yield(nil, err)
			return
		}
		block, ok := f.value.([]byte)
		switch {
		case f.kind == frameStop:
			x.ended = true
			return
		case f.kind != frameYield || !ok:
			yield(nil, x.fail(fmt.Errorf("bridge: frame %q in the place of a block", f.kind)))
			return
		case !yield(block, nil):
			x.ended = true
			return
		}
	}
}

// Close closes the body, and ends the call.
func (x *exchange) Close() error {
	if x.c == nil {
		return x.fault
	}
	_, err := x.ask(frameClose, nil)
	x.end()
	return err
}

// sizedBody is the body of an object that has __len__.
type sizedBody struct {
	*exchange
	size int
}

func (b sizedBody) Len() int { return b.size }

// end gives the lane back.
func (x *exchange) end() {
	if x.c != nil {
		x.app.release(x.c)
		x.c = nil
	}
	x.ended = true
}

// fail gives the lane up, for a reason that is no exception.
func (x *exchange) fail(err error) error {
	if x.c != nil {
		x.app.spoil(x.c)
		x.c = nil
	}
	x.ended = true
	if err == io.EOF || isReset(err) {
		err = errExit
	}
	x.fault = err
	return err
}

// ask has Python do something, and is its server until that is done. The error
// is what Python raised.
func (x *exchange) ask(kind byte, value any) (frame, error) {
	if x.c == nil {
		return frame{}, x.fault
	}
	x.broken = nil
	if err := x.c.send(kind, value); err != nil {
		return frame{}, x.fail(err)
	}
	for {
		f, err := x.c.receive()
		if err != nil {
			return frame{}, x.fail(err)
		}
		switch f.kind {
		case frameEvent:
			x.found(f.value)
		case frameCall:
			kind, answer := x.serve(f.value)
			if err := x.c.send(kind, answer); err != nil {
				return frame{}, x.fail(err)
			}
		case frameRaise:
			e, err := x.ledger.exception(f.value)
			if err != nil {
				return frame{}, x.fail(err)
			}
			if x.broken != nil && e.Class == brokenClass {
				return frame{}, fmt.Errorf("%w: %w", x.broken, e)
			}
			return frame{}, e
		default:
			return f, nil
		}
	}
}

// brokenClass is what the driver raises for a mistake that leaves nothing to
// pass on.
const brokenClass = "__main__.BrokenContract"

// found takes a finding.
func (x *exchange) found(value any) {
	var rule, detail string
	if args, ok := value.(Tuple); ok && scan(args, &rule, &detail) {
		x.app.found(rule, detail, x.request)
		x.broken = &wsgi.ContractError{Rule: rule, Detail: detail}
	}
}

// serve does what the application wants of its server.
func (x *exchange) serve(request any) (kind byte, answer any) {
	args, _ := request.([]any)
	answer, err := x.do(args)
	if err != nil {
		return frameRaised, x.ledger.cause(err, isInput(args))
	}
	return frameResult, answer
}

func isInput(args []any) bool {
	return len(args) > 0 && (args[0] == "read" || args[0] == "readline")
}

func (x *exchange) do(args []any) (any, error) {
	var name, status string
	var list []any
	var excInfo any
	var data []byte
	var size int
	switch {
	case len(args) == 4 && args[0] == "start":
		status, _ = args[1].(string) // its bytes are those on the wire
		list, _ = args[2].([]any)
		excInfo = args[3]
		return x.startResponse(status, list, excInfo)
	case scan(args, &name, &data) && name == "write":
		if x.write == nil {
			return nil, errors.New("bridge: the server has no write")
		}
		_, err := x.write(data)
		return nil, err
	case scan(args, &name, &size) && name == "read":
		b, err := readSize(x.environ.Input(), size)
		return b, err
	case scan(args, &name, &size) && name == "readline":
		line, err := x.environ.Input().ReadLine(size)
		if err == io.EOF {
			err = nil
		}
		if line == nil {
			line = []byte{}
		}
		return line, err
	case scan(args, &name, &data) && name == "log":
		_, err := x.environ.Errors().Write(data)
		return nil, err
	case scan(args, &name) && name == "flush":
		return nil, x.environ.Errors().Flush()
	}
	return nil, fmt.Errorf("bridge: request %v of an application", args)
}

// startResponse calls the server's. It returns the headers when the server
// has changed them, which it may at once.
func (x *exchange) startResponse(status string, list []any, excInfo any) (any, error) {
	headers := make(wsgi.Headers, 0, len(list))
	for _, item := range list {
		pair, _ := item.(Tuple)
		if len(pair) != 2 {
			return nil, fmt.Errorf("bridge: header %v", item)
		}
		name, _ := pair[0].(string)
		value, _ := pair[1].(string)
		headers = append(headers, wsgi.Header{Name: name, Value: value})
	}
	var cause error
	if excInfo != nil {
		e, err := x.ledger.exception(excInfo)
		if err != nil {
			return nil, err
		}
		cause = e
	}
	before := headers.Clone()
	write, err := x.start(status, headers, cause)
	if err != nil {
		return nil, err
	}
	x.write = write
	if slices.Equal(before, headers) {
		return nil, nil
	}
	changed := []any{}
	for _, h := range headers {
		changed = append(changed, Tuple{h.Name, h.Value})
	}
	return changed, nil
}
