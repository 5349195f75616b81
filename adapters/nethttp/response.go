package nethttp

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// response is the ResponseWriter of one request. It is never reused: a handler
// may keep it.
//
// mu is held by every method that a handler can call, while blocks are yielded
// too, so that calls from several goroutines are served one after the other.
type response struct {
	environ       *wsgi.Environ
	startResponse wsgi.StartResponse
	yield         func(block []byte, err error) bool
	sendFile      func(file *os.File, n int64) (int64, error) // nil when not offered
	head          bool                                        // the request is a HEAD
	limit         int                                         // bytes held back before the head is decided
	handlerHeader http.Header                                 // the handler's, at all times

	mu sync.Mutex

	// Set by WriteHeader; see header.go.
	status   int          // 0 before
	headers  wsgi.Headers // as they were then
	length   int64        // the declared Content-Length, -1 for none
	sniff    bool         // a Content-Type is to be guessed
	noLength bool         // no Content-Length is to be added
	events   bool         // the body is text/event-stream

	// See deliver.go.
	written int64             // body bytes accepted from the handler
	pending []byte            // those not yet yielded
	pooled  *[bufferSize]byte // where pending begins
	eager   bool              // another goroutine asked for a Flush
	started bool              // start_response was called
	err     error             // what every further Write returns; while yield runs, errGone
	failure error             // what is to be yielded in the end

	notify     chan bool // see CloseNotify
	stopNotify func() bool
}

var (
	_ http.Flusher    = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)

	// http.ResponseController looks for methods.
	_ interface {
		FlushError() error
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
		EnableFullDuplex() error
	} = (*response)(nil)
)

// begin prepares w for the handler.
func (w *response) begin(r *http.Request, yield func([]byte, error) bool, sendFile func(*os.File, int64) (int64, error)) {
	w.yield, w.sendFile = yield, sendFile
	w.handlerHeader = make(http.Header)
	w.length = -1
	w.head = r.Method == http.MethodHead
	w.limit = 2048 // net/http's bufferBeforeChunkingSize
	if r.ProtoMajor >= 2 {
		w.limit = 4096 // and its http2handlerChunkWriteSize
	}
}

func (w *response) Header() http.Header { return w.handlerHeader }

func (w *response) WriteHeader(code int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.writeHeader(code)
}

// writeHeader is WriteHeader under mu.
func (w *response) writeHeader(code int) {
	if w.status != 0 {
		caller := caller()
		w.logf("http: superfluous response.WriteHeader call from %s (%s:%d)", caller.Function, path.Base(caller.File), caller.Line)
		return
	}
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", code)) // net/http's words
	}
	switch {
	case code == http.StatusSwitchingProtocols:
		w.status = code
		w.refuse(&wsgi.ContractError{Rule: "HTTP-05",
			Detail: "the handler answered 101 Switching Protocols, which an application cannot do"})
	case code == http.StatusEarlyHints:
		w.earlyHints()
	case code >= 200:
		w.status = code
		w.keepHeader()
	}
}

func (w *response) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.write(p, false)
}

// WriteString avoids a copy of what is collected anyway, and bounds that of
// what is not.
func (w *response) WriteString(s string) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(s) == 0 {
		return w.write(nil, false)
	}
	if err := w.admit(len(s)); err != nil {
		return 0, err
	}
	if w.room() >= len(s) {
		w.pending = append(w.buffer(), s...)
		return len(s), nil
	}
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	for n < len(s) {
		k := copy(buf[:], s[n:])
		if err := w.put(buf[:k], false); err != nil {
			return n, err
		}
		n += k
	}
	return n, nil
}

// write is Write under mu. mine says that this is the handler's goroutine;
// when it is false that is not known.
func (w *response) write(p []byte, mine bool) (int, error) {
	if err := w.admit(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	if err := w.put(p, mine); err != nil {
		return 0, err
	}
	return len(p), nil
}

// admit decides whether n more bytes may be written, and counts them.
func (w *response) admit(n int) error {
	if w.err != nil {
		return w.err
	}
	if w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	switch {
	case n == 0 || w.err != nil:
		return w.err
	case !bodyAllowed(w.status):
		return http.ErrBodyNotAllowed
	}
	// What is refused counts too: after an overlong Write a shorter one is no
	// continuation of the body.
	w.written += int64(n)
	if w.length >= 0 && w.written > w.length {
		return http.ErrContentLength
	}
	return nil
}

// bodyAllowed reports whether a final response with this status has a body.
func bodyAllowed(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}

// logf writes a line to wsgi.errors, which is where net/http's ErrorLog is.
func (w *response) logf(format string, args ...any) {
	w.environ.Errors().WriteString(fmt.Sprintf(format, args...) + "\n")
}

// caller is the first function on the stack that belongs neither to this
// package nor to net/http: the one that the developer wants to know of.
func caller() runtime.Frame {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		frame, more := frames.Next()
		if !more || !strings.HasPrefix(frame.Function, "net/http.") && !strings.HasPrefix(frame.Function, ownPrefix) {
			return frame
		}
	}
}

const ownPrefix = "github.com/gowsgi/gowsgi/adapters/nethttp.(*response)."
