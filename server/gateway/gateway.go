package gateway

import (
	"io"
	"log/slog"
	"strconv"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Gateway is what the requests of one server have in common. The zero value is
// ready for use and strict. A Gateway must not be copied, nor changed while it
// serves; it serves any number of requests at once.
type Gateway struct {
	// SingleThread makes requests wait for each other: from the call of the
	// application until its body is closed, no other request is in the
	// application (THR-01). wsgi.multithread is then false.
	SingleThread bool

	// Multiprocess is wsgi.multiprocess: an equivalent application may be
	// serving in another process at the same time (ENV-19).
	Multiprocess bool

	// RunOnce is wsgi.run_once: this process serves one request, as under CGI
	// (ENV-20).
	RunOnce bool

	// Environ holds the deployer's variables. They are in every request's
	// environ, and give way to a variable of the request that has the same
	// name (CFG-04).
	Environ map[string]string

	// AllowTab admits the horizontal tab in header values. PEP 3333 forbids
	// every control character; RFC 9110 allows this one (AMB-07).
	AllowTab bool

	// AllowProxyAuthenticate admits the header of that name, which RFC 2616
	// called hop-by-hop and RFC 9110 does not (AMB-08).
	AllowProxyAuthenticate bool

	// Debug puts the error, and the stack of a panic, into the body of a 500.
	// Never set it where strangers are served (ERR-14).
	Debug bool

	// Errors is where wsgi.errors goes, and with it the report of each failed
	// request: in pieces of complete lines, but for what the application has
	// flushed and for lines above 64 KiB, one Write at a time. When nil, both
	// are records of Logger (LOG-11).
	Errors io.Writer

	// Logger is used when Errors is nil. When nil, slog.Default is used. Each
	// line of wsgi.errors is a record of level Error.
	Logger *slog.Logger

	turn     sync.Mutex // held by the request whose turn it is, under SingleThread
	errorsMu sync.Mutex // around Errors (LOG-13)
}

// ClientError is a failure for which the client is to blame: a body that was
// cut short, say, or is too large. Reading wsgi.input returns it. When an
// application passes it on, by returning it or an error that wraps it, and
// nothing was sent yet, the client is answered with Status and not with a 500.
type ClientError struct {
	Status string // such as "413 Content Too Large"
	Err    error  // what happened
}

// Error returns the status, and what happened.
func (e *ClientError) Error() string { return e.Status + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *ClientError) Unwrap() error { return e.Err }

// Call answers with Status, as the gateway does when the error reaches it. By it
// the error is an application, so that a middleware that makes responses of
// errors knows what to answer without knowing the gateway.
func (e *ClientError) Call(_ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	text := e.Status + "\n"
	_, err := startResponse(e.Status, wsgi.Headers{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: contentLength, Value: strconv.Itoa(len(text))},
	}, nil)
	if err != nil {
		return nil, err
	}
	return wsgi.Strings(text), nil
}

// The values of wsgi.* that are the same for every request, boxed once.
var (
	version     any = [2]int{1, 0}
	fileWrapper any = wsgi.FileWrapper(wsgi.WrapFile)
)
