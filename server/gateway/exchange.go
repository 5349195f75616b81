package gateway

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Exchange is one request and the response to it. A server fills in the
// exported fields, calls Serve once, and never uses the Exchange again: the
// application may keep the environ, and with it the Exchange, for as long as
// it likes. It may be a part of a larger struct of the server's.
type Exchange struct {
	// Source holds the CGI variables of the request. When it is a
	// wsgi.ValueSource too, its values are the server's own extensions.
	Source wsgi.Source

	// Transport carries the response.
	Transport Transport

	// Method is the request method: HEAD has no response body, whatever the
	// environ says by the end of the call (SRV-12, HTTP-15).
	Method string

	// Scheme is wsgi.url_scheme, "http" or "https" (ENV-15).
	Scheme string

	// Input is the request body; nil means that there is none. It ends with
	// io.EOF at the end of this request's body (COM-01). An error other than
	// io.EOF that is not a ClientError counts as one with status 400.
	Input io.Reader

	// Errors is where the wsgi.errors of this request goes, in the place of
	// the Gateway's, when the protocol has a stream for it. What it fails to
	// write goes where it would have gone without it. It is not used by two
	// goroutines at once.
	Errors io.Writer

	ctx     context.Context
	gateway *Gateway
	environ wsgi.Environ
	body    wsgi.Iterable           // what the application returned, until it is closed
	streams atomic.Pointer[streams] // made when first asked for

	// mu orders the request's own goroutine with callables that an
	// application leaked to another one (SRV-10).
	mu       sync.Mutex
	done     atomic.Bool // the request is over; set without mu
	finished bool        // the response is complete or given up: nothing more is sent

	*response // nil once done; once finished, only for Serve to touch
}

// Closes reports, to Transport.End, whether the body has a Close that Serve has
// still to call, which may take its time. A transport whose connection ends with
// the response marks the end at once then, and need not where Serve is about to
// return.
func (x *Exchange) Closes() bool {
	_, ok := x.body.(wsgi.Block)
	return !ok
}

// response is the answer to one request; see start.go for its states.
//
// It is apart from the Exchange because its memory goes on to another request.
// That of an Exchange cannot: an application may keep it, and so each request
// needs a new one.
type response struct {
	state
	few [16]wsgi.Header // the room that headers needs in most responses, with what a stack of middlewares adds
}

type state struct {
	started   bool // start_response was called, whether it succeeded or not
	committed bool // the head is sent: it can no longer be replaced
	discard   bool // the response has no body on the wire
	single    bool // the body announced exactly one block, and wrote nothing
	overflow  bool // the application sent more than its Content-Length
	stopped   bool // the body was told to stop, or ended in an error
	code      uint16
	status    string
	headers   wsgi.Headers
	length    int64 // Content-Length of the response, -1 for none; once started
	sent      int64 // body bytes given to the transport
	failure   error // why the response must not complete; nil if it may
	gone      error // why the client cannot be reached; nil if it can
}

var responses = sync.Pool{New: func() any { return new(response) }}

// recycle gives the response to whoever comes next. What is in few stays there
// until it is overwritten: headers says how much of it counts.
func (x *Exchange) recycle() {
	r := x.response
	x.response = nil
	r.state = state{}
	responses.Put(r)
}

// streams are the wsgi.input and the wsgi.errors of one request.
type streams struct {
	input  wsgi.InputStream
	errors errorStream
}

func (x *Exchange) getStreams() *streams {
	if s := x.streams.Load(); s != nil {
		return s
	}
	x.streams.CompareAndSwap(nil, &streams{
		input:  wsgi.NewInput((*requestBody)(x)),
		errors: errorStream{gateway: x.gateway, own: x.Errors},
	})
	return x.streams.Load()
}

// Describes reports whether environ is a dictionary of this Exchange, the
// original or a copy, and still says of the request what the Source says: what
// a server extension must ask before it gives its own form of the request
// (EXT-03).
func (x *Exchange) Describes(environ *wsgi.Environ) bool {
	return environ.Source() == wsgi.Source((*variables)(x)) && !environ.Altered()
}

// variables is an Exchange as the source of its environ.
type variables Exchange

func (v *variables) Lookup(key string) (string, bool) {
	if key == "wsgi.url_scheme" {
		return v.Scheme, true
	}
	if value, ok := v.Source.Lookup(key); ok {
		return value, true
	}
	value, ok := v.gateway.Environ[key]
	return value, ok
}

func (v *variables) All(yield func(key, value string) bool) {
	if !yield("wsgi.url_scheme", v.Scheme) {
		return
	}
	more := true
	v.Source.All(func(key, value string) bool {
		more = yield(key, value)
		return more
	})
	if !more {
		return
	}
	for key, value := range v.gateway.Environ {
		if !v.taken(key) && !yield(key, value) {
			return
		}
	}
}

// taken reports whether the request has a variable key of its own, to which a
// variable of the deployer's gives way.
func (v *variables) taken(key string) bool {
	if key == "wsgi.url_scheme" {
		return true
	}
	if _, taken := v.Source.Lookup(key); taken {
		return true
	}
	_, taken := v.Value(key)
	return taken
}

func (v *variables) Value(key string) (any, bool) {
	switch key {
	case "wsgi.version":
		return version, true
	case "wsgi.input":
		return (*Exchange)(v).getStreams().input, true
	case "wsgi.errors":
		return &(*Exchange)(v).getStreams().errors, true
	case "wsgi.multithread":
		return !v.gateway.SingleThread, true
	case "wsgi.multiprocess":
		return v.gateway.Multiprocess, true
	case "wsgi.run_once":
		return v.gateway.RunOnce, true
	case "wsgi.input_terminated":
		return true, true
	case "wsgi.file_wrapper":
		return fileWrapper, true
	case "wsgi.early_hints":
		if _, ok := v.Transport.(HintTransport); ok {
			return (*Exchange)(v).earlyHints, true
		}
		return nil, false
	}
	if more, ok := v.Source.(wsgi.ValueSource); ok {
		return more.Value(key)
	}
	return nil, false
}

var valueKeys = []string{
	"wsgi.version", "wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess",
	"wsgi.run_once", "wsgi.input_terminated", "wsgi.file_wrapper", "wsgi.early_hints",
}

func (v *variables) Values(yield func(key string, value any) bool) {
	for _, key := range valueKeys {
		if value, ok := v.Value(key); ok && !yield(key, value) {
			return
		}
	}
	if more, ok := v.Source.(wsgi.ValueSource); ok {
		more.Values(yield)
	}
}

// requestBody is an Exchange as the reader of its request body.
type requestBody Exchange

func (b *requestBody) Read(p []byte) (int, error) {
	if b.done.Load() {
		return 0, errOver
	}
	if b.Input == nil {
		return 0, io.EOF
	}
	n, err := b.Input.Read(p)
	if err != nil && err != io.EOF {
		if _, ok := err.(*ClientError); !ok {
			err = &ClientError{Status: "400 Bad Request", Err: err}
		}
	}
	return n, err
}
