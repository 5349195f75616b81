package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ErrCut is wrapped by the errors that Serve returns.
var ErrCut = errors.New("wsgi: the response was cut")

// Serve runs one request: it calls app, sends what it answers, and closes the
// body, whatever happens, exactly once. ctx ends when the client leaves.
//
// A nil result means that the response is complete. Otherwise the result wraps
// ErrCut, and the caller must now end the connection, or the stream, in such a
// way that the client does not take what it has received for the whole
// (ERR-11). What failed has been reported by then.
//
// All of it runs on the calling goroutine (THR-03). A panic, of the application
// or of the transport, does not leave Serve. runtime.Goexit does: the body is
// closed, and the caller's deferred functions see a response that did not
// complete (ERR-13).
func (g *Gateway) Serve(ctx context.Context, app wsgi.Application, x *Exchange) (cut error) {
	x.ctx, x.gateway = ctx, g
	x.response = responses.Get().(*response)
	x.environ.Reset(ctx, (*variables)(x))
	if g.SingleThread {
		g.turn.Lock()
		defer g.turn.Unlock()
	}
	defer x.abandon(&cut)
	err := x.call(app)
	if _, ok := x.body.(wsgi.Block); err == nil && !ok { // finish sends a Block
		err = x.iterate()
	}
	cut = x.finish(err)
	x.close()
	x.end()
	return cut
}

// call invokes the application. A body is kept even when an error came with
// it, for it has to be closed (AMB-36).
func (x *Exchange) call(app wsgi.Application) (err error) {
	defer catch(&err)
	x.body, err = app.Call(&x.environ, x.startResponse)
	if err == nil && x.body == nil {
		err = &wsgi.ContractError{Rule: "BODY-01", Detail: "the application returned nil, expected a body"}
	}
	return err
}

// iterate sends the blocks of the body. Besides what the contract names, the
// gateway looks for no more than two types of package wsgi (BODY-17): a
// FileStreamer, and a Block, which needs no iteration and is sent by finish.
func (x *Exchange) iterate() (err error) {
	defer catch(&err)
	switch body := x.body.(type) {
	case wsgi.FileStreamer:
		body.StreamFiles(x.yield, x.sendFile)
	default:
		if sized, ok := body.(wsgi.Sized); ok {
			x.single = sized.Len() == 1 // LEN-06, unless write is used (WRITE-12)
		}
		body.Blocks(x.yield)
	}
	return nil
}

// finish completes the response, or says why it cannot be.
func (x *Exchange) finish(err error) (cut error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		x.failure = err
	} else if block, ok := x.body.(wsgi.Block); ok {
		x.single = true
		x.take(block, nil)
	}
	x.finished = true // Close may still be busy with the callables: in vain
	if x.failure != nil {
		x.failure = sound(x.failure)
	}
	if x.discard && errors.Is(x.failure, errDiscarded) {
		x.failure = nil
	}
	switch {
	case errors.Is(x.failure, http.ErrAbortHandler):
		return x.cut()
	case x.discard && x.committed && x.failure == nil && x.gone == nil:
		// The client has its head, and may well have left with it.
	case x.gone != nil || x.left():
		return x.leave()
	case x.overflow:
		x.report(levelWarn, "response is longer than its Content-Length", &wsgi.ContractError{Rule: "LEN-01",
			Detail: fmt.Sprintf("more than the declared %d bytes came, the rest was not sent", x.length)})
		if x.failure != nil && !errors.Is(x.failure, errTooLong) {
			return x.cut()
		}
		return x.complete()
	case x.failure == nil && !x.started:
		x.failure = &wsgi.ContractError{Rule: "SRV-07",
			Detail: "the body ended, expected start_response to be called before"}
	}
	switch {
	case x.failure != nil && x.committed:
		return x.cut()
	case x.failure != nil:
		return x.fail()
	}
	if !x.committed {
		if x.length < 0 {
			x.setLength(0) // LEN-12
		}
		if err := x.commit(); err != nil {
			return x.leave()
		}
	}
	if x.length > x.sent && !x.discard {
		if x.sent == 0 {
			x.Transport.Block(nil) // or the head might be cut with the rest
		}
		x.failure = &wsgi.ContractError{Rule: "LEN-04",
			Detail: fmt.Sprintf("the body has %d bytes, expected the %d that Content-Length declares", x.sent, x.length)}
		return x.cut()
	}
	if x.discard && x.sent > 0 && x.Method != "HEAD" {
		x.report(levelWarn, "response body was discarded", &wsgi.ContractError{Rule: "HTTP-16",
			Detail: fmt.Sprintf("a %d response came with a body of %d bytes, expected none", x.code, x.sent)})
	}
	return x.complete()
}

// left reports whether the failure is but the echo of a client that left: the
// context ended, and the application passed that on.
func (x *Exchange) left() bool {
	return x.failure != nil && x.ctx.Err() != nil &&
		(errors.Is(x.failure, x.ctx.Err()) || errors.Is(x.failure, context.Cause(x.ctx)))
}

func (x *Exchange) complete() error {
	if err := x.Transport.End(); err != nil {
		x.gone = err
		return x.leave()
	}
	return nil
}

// leave ends a response whose client is gone: no fault of the application
// (ERR-15).
func (x *Exchange) leave() error {
	if x.gone == nil {
		x.gone = context.Cause(x.ctx)
	}
	x.report(levelDebug, "client left", x.gone)
	return fmt.Errorf("%w: %w", ErrCut, x.gone)
}

// cut ends a response that failed after its head was sent. What the client has
// is what it gets; no note is appended (AMB-28). http.ErrAbortHandler is somebody's
// wish, and nothing to report.
func (x *Exchange) cut() error {
	if !errors.Is(x.failure, http.ErrAbortHandler) {
		x.report(levelError, "response cut", x.failure)
	}
	return fmt.Errorf("%w: %w", ErrCut, x.failure)
}

// close closes the body. The response is finished by then: an error is
// reported and changes nothing (BODY-14, AMB-27).
func (x *Exchange) close() {
	body := x.body
	if body == nil {
		return
	}
	x.body = nil // before the call: once is once, even if Close panics
	if err := closeBody(body); err != nil {
		x.report(levelError, "closing the response body failed", sound(err))
	}
}

func closeBody(body wsgi.Iterable) (err error) {
	defer catch(&err)
	return body.Close()
}

// end makes the streams fail from now on, as finish did with the callables
// (SRV-10).
func (x *Exchange) end() {
	x.done.Store(true)
	if s := x.streams.Load(); s != nil {
		s.errors.finish()
	}
	x.recycle()
}

// abandon is what remains to do when Serve did not get to its end: the
// application has called runtime.Goexit, which runs deferred functions and
// nothing else, or the transport panicked as the response was finished.
func (x *Exchange) abandon(cut *error) {
	if x.done.Load() {
		return
	}
	v := recover()
	x.mu.Lock()
	x.finished = true
	x.mu.Unlock()
	defer x.end()
	x.close()
	if v == nil {
		x.report(levelError, "application ended its goroutine", errors.New("runtime.Goexit was called"))
		return
	}
	x.failure = &wsgi.PanicError{Value: v, Stack: debug.Stack()}
	*cut = x.cut()
}

// catch makes an error of a panic. It is deferred directly, or recover would
// not see the panic.
func catch(err *error) {
	if v := recover(); v != nil {
		*err = &wsgi.PanicError{Value: v, Stack: debug.Stack()}
	}
}

// sound returns err, or the panic that comes of looking into it: an error that
// is a nil pointer is not nil, and few such can be asked for their text.
func sound(err error) (safe error) {
	defer catch(&safe)
	_ = err.Error()
	errors.Is(err, ErrCut)
	return err
}
