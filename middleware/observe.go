package middleware

import (
	"errors"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ObserveConfig is what Observe calls. Each hook may be nil. They run on the
// goroutine of the request, with an Observation that is the same for all of
// them.
type ObserveConfig struct {
	// Start is called before the application. It may replace the Environ, for
	// one with another context, and keep something in Value.
	Start func(o *Observation)

	// Head is called once the status and the headers can no longer be replaced:
	// right before the first byte, or before Finish when there was none. It is
	// not called when the application has not started a response.
	Head func(o *Observation)

	// FirstByte is called right before the first byte of the body is passed on,
	// or an open file.
	FirstByte func(o *Observation)

	// Finish is called when the request is over: once, on every path, after the
	// body was closed. It is called for each Start.
	Finish func(o *Observation)
}

// Observation is what Observe has seen of a request and its response so far. It
// belongs to the hooks, which may keep it when the request is over.
type Observation struct {
	Environ *wsgi.Environ // what the application is called with
	Began   time.Time     // with a monotonic reading, as time.Now gives it
	Value   any           // the hooks' own

	Status  string       // as last given to start_response; "" when it was not called
	Headers wsgi.Headers // the same; they are not to be changed

	// Bytes is how many bytes of the body the server has taken; 0 when there is
	// none on the wire, as for HEAD.
	Bytes int64

	// Err is the failure that has come by: the error that the application
	// returned or yielded, a panic as a *wsgi.PanicError, or ErrExited. When
	// Settled is false the client gets a 500 in the place of what is here.
	Err error

	Settled bool // the head can no longer be replaced

	// Stopped tells that the server has not taken the whole body, while Err is
	// nil: the client has left, or a middleware outside has put another response
	// in its place.
	Stopped bool
}

// Code returns the status that the client got, for Finish: 500 where the server answers
// for the application, 0 where the client had left before there was an answer.
func (o *Observation) Code() int {
	switch {
	case o.Settled:
		code, _ := strconv.Atoi(o.Status[:min(3, len(o.Status))])
		return code
	case !o.Failed() && (o.Err != nil || o.Stopped):
		return 0
	}
	return 500 // also for a body that has ended without a status
}

// Failed reports whether the application has failed, by an Err that is not that of a
// client who has left.
func (o *Observation) Failed() bool {
	gone := o.Environ.Context().Err()
	return o.Err != nil && (gone == nil || !errors.Is(o.Err, gone))
}

// ErrExited is the Err of an Observation whose goroutine has ended by
// runtime.Goexit.
var ErrExited = errors.New("middleware: the application ended its goroutine")

// Observe returns a middleware that tells what becomes of each request: for
// metrics, traces and logs. A Config without hooks is a middleware that is not
// there.
//
// It does nothing to status, headers or body. The body that the server gets is
// a list, or a file, when the application's is, so that its length is still
// known and sendfile still used. A panic passes through.
//
// Security: paths and header values are what strangers sent. As a label of a
// metric they fill the memory of whoever keeps it: take the SCRIPT_NAME of a
// mount, or the name of a route, and quote what goes into a log. Headers may
// hold secrets, Set-Cookie for one.
func Observe(c ObserveConfig) wsgi.Middleware {
	return func(next wsgi.Application) wsgi.Application {
		if c.Start == nil && c.Head == nil && c.FirstByte == nil && c.Finish == nil {
			return next
		}
		return &observer{c, next}
	}
}

type observer struct {
	hooks ObserveConfig
	next  wsgi.Application
}

// observed is one request. It is a watched body and the watcher of it.
type observed struct {
	Observation
	watched
	blocks   passing
	hooks    *ObserveConfig
	start    wsgi.StartResponse
	write    wsgi.Write
	bodiless bool // HEAD
	byteSeen bool
	whole    bool // the body has ended by itself
}

func (a *observer) Call(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	return new(observed).call(&a.hooks, a.next, environ, start)
}

// call calls next, and the hooks. The Value of o may be set by now.
func (o *observed) call(hooks *ObserveConfig, next wsgi.Application, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	o.hooks, o.start, o.bodiless = hooks, start, environ.Var("REQUEST_METHOD") == "HEAD"
	o.Environ, o.Began = environ, time.Now()
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			o.finish(&wsgi.PanicError{Value: v, Stack: debug.Stack()})
			panic(v)
		}
		o.finish(ErrExited)
	}()
	if hooks.Start != nil {
		hooks.Start(&o.Observation)
	}
	body, err := next.Call(o.Environ, o.startResponse)
	returned = true
	if body == nil {
		if err == nil {
			err = errNoBody
		}
		o.finish(err)
		if err == errNoBody {
			err = nil // it is for the server to say so
		}
		return nil, err
	}
	o.blocks.by = o
	o.watched = watched{body: body, at: o, passing: &o.blocks}
	if err != nil {
		o.failed(err)
	}
	return watch(&o.watched), err
}

var errNoBody = &wsgi.ContractError{Rule: "BODY-01", Detail: "the application returned nil, expected a body"}

func (o *observed) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	write, err := o.start(status, headers, excInfo)
	if err != nil {
		return nil, err
	}
	o.Status, o.Headers, o.write = status, headers, write
	return o.onWrite, nil
}

func (o *observed) onWrite(block []byte) (int, error) {
	o.settle()
	o.before(len(block))
	n, err := o.write(block)
	o.after(int64(n), err == nil)
	return n, err
}

// settle is called when the head can no longer be replaced.
func (o *observed) settle() {
	if o.Settled || o.Status == "" {
		return
	}
	o.Settled = true
	o.bodiless = o.bodiless || strings.HasPrefix(o.Status, "204") || strings.HasPrefix(o.Status, "304")
	if o.hooks.Head != nil {
		o.hooks.Head(&o.Observation)
	}
}

func (o *observed) before(n int) {
	if n == 0 {
		return
	}
	o.settle()
	if !o.byteSeen && !o.bodiless {
		o.byteSeen = true
		if o.hooks.FirstByte != nil {
			o.hooks.FirstByte(&o.Observation)
		}
	}
}

func (o *observed) after(n int64, taken bool) {
	if !o.bodiless {
		o.Bytes += n
	}
	o.Stopped = o.Stopped || !taken && o.Err == nil
}

func (o *observed) failed(err error) {
	if o.Err == nil {
		o.Err = err
	}
}

func (o *observed) iterated() { o.whole = !o.Stopped && o.Err == nil }

func (o *observed) end() error {
	if !o.whole && o.Err == nil {
		o.Stopped = true
	}
	o.finish(o.Err)
	return nil
}

// finish ends the observation. It is called once: by Call where there is no body
// to close, otherwise by Close.
func (o *observed) finish(err error) {
	if o.whole {
		o.settle() // of an empty body; that of any other is settled by now
	}
	o.Err = err
	if o.hooks.Finish != nil {
		o.hooks.Finish(&o.Observation)
	}
}
