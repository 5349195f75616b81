package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/server/gateway"
)

// requestBody is the request body as the gateway reads it. It bounds how long
// the client may take for a piece of it, and says of each failure with which
// status it is to be answered.
type requestBody struct {
	mu      sync.Mutex // held while reading; an application may leave a reader behind
	rc      io.ReadCloser
	budget  int64         // bytes of the present piece that have not come yet
	left    time.Duration // the time that the client has for them
	fixed   atomic.Bool   // the application has set a read deadline
	came    bool          // some of it was read
	ended   bool          // all of it was read
	failed  bool          // it cannot be read to its end
	closing bool          // net/http was told to close the connection
}

// isEnded reports whether all was read. Who reads at this moment has not come to
// the end.
func (b *requestBody) isEnded() bool {
	if !b.mu.TryLock() {
		return false
	}
	defer b.mu.Unlock()
	return b.ended
}

// openBody prepares the body of a request that has one.
func (x *exchange) openBody() {
	x.Input = x
	x.body = &requestBody{rc: x.r.Body}
	if x.handler.maxBody > 0 && x.r.ContentLength < 0 {
		x.body.rc = http.MaxBytesReader(x.w, x.r.Body, x.handler.maxBody)
	}
	if x.r.ProtoMajor == 1 {
		// Otherwise net/http discards the body when the response begins, and
		// an application may read on while its body is iterated (INPUT-19).
		http.NewResponseController(x.w).EnableFullDuplex()
	}
}

// Read reads from the body for the gateway.
func (x *exchange) Read(p []byte) (int, error) {
	b := x.body
	b.mu.Lock()
	defer b.mu.Unlock()
	return x.read(p)
}

// read reads; the caller holds the lock.
func (x *exchange) read(p []byte) (int, error) {
	b := x.body
	begin := x.armRead()
	n, err := b.rc.Read(p)
	x.disarmRead(begin)
	b.budget -= int64(n)
	b.came = b.came || n > 0
	if err == nil {
		return n, nil
	}
	if err == io.EOF {
		b.ended = true
		return n, err
	}
	b.failed = true
	tooLarge := (*http.MaxBytesError)(nil)
	switch {
	case errors.As(err, &tooLarge):
		return n, &gateway.ClientError{Status: "413 Content Too Large", Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, &gateway.ClientError{Status: "408 Request Timeout", Err: err}
	}
	return n, &gateway.ClientError{Status: "400 Bad Request", Err: err}
}

// piece is how many bytes a client must send, or take, within one timeout. A
// client that is slower than that holds a connection for nothing.
const piece = 64 << 10

// armRead begins to count the time that the client takes, and returns the
// present, or the zero time where nobody counts. A deadline is for one read:
// the time between two is the application's.
func (x *exchange) armRead() (begin time.Time) {
	b, timeout := x.body, x.handler.server.readTimeout()
	if !x.handler.timed || timeout == 0 || b.fixed.Load() {
		return time.Time{}
	}
	if b.budget <= 0 {
		b.budget, b.left = piece, timeout
	}
	begin = time.Now()
	http.NewResponseController(x.w).SetReadDeadline(begin.Add(b.left))
	return begin
}

// disarmRead takes the deadline of armRead back.
func (x *exchange) disarmRead(begin time.Time) {
	if begin.IsZero() {
		return
	}
	x.body.left -= time.Since(begin)
	if x.r.ProtoMajor != 1 && !x.body.fixed.Load() {
		// There it would end the body even while nobody reads. HTTP/1 looks at
		// it only in a read, and net/http does not leave it to its own reads.
		http.NewResponseController(x.w).SetReadDeadline(time.Time{})
	}
}

// mostUnread is how much of an unread request body is worth reading to keep
// the connection; net/http's own measure.
const mostUnread = 256 << 10

// closeBody gets rid of what the application left unread, and sees to it that
// a connection on which the next request cannot be found is not used for one.
//
// In full duplex net/http leaves both undone. It would read the rest after the
// handler has returned, without a limit of time; on reaching the end it would
// begin to watch the connection while it already waits for the next request,
// and panic; and after a failure to read it would take what comes next, which
// may be the rest of this body, for a request.
func (x *exchange) closeBody() {
	b := x.body
	if !b.mu.TryLock() {
		// Somebody reads on, who should not: the request is over. Make that
		// fail, and with it the connection.
		http.NewResponseController(x.w).SetReadDeadline(time.Now())
		b.mu.Lock()
		b.failed = !b.ended
	}
	defer b.mu.Unlock()
	if b.ended || x.r.ProtoMajor != 1 {
		return
	}
	comes := x.comes()
	var discard [4 << 10]byte
	for left := mostUnread; comes && x.r.ContentLength <= mostUnread && left > 0 && !b.ended && !b.failed; {
		n, _ := x.read(discard[:])
		left -= n
	}
	if b.ended {
		return
	}
	c := x.conn()
	switch {
	case c != nil:
		c.stop()
	case b.failed || !comes:
		http.NewResponseController(x.w).SetReadDeadline(time.Now()) // or net/http would try again, for ever
	}
	if b.closing {
		return
	}
	if c == nil || !x.chunked {
		// The response is on the wire, unless it has still to get its last
		// chunk; then the stopped connection does the same in a moment.
		panic(http.ErrAbortHandler)
	}
}

// comes reports whether the body is on its way. A client that waits to be asked for
// it (EXP-03) may not have been, and now will not be: to wait for it would keep the
// connection for nothing. The caller holds the lock.
func (x *exchange) comes() bool { return x.body.came || x.r.Header["Expect"] == nil }

// announceClose is called before the head is sent. Where the connection is not
// ours to stop, net/http must know by now that it cannot be used again.
func (x *exchange) announceClose() {
	b := x.body
	if b == nil || x.r.ProtoMajor != 1 || !b.mu.TryLock() {
		return
	}
	defer b.mu.Unlock()
	if b.ended {
		return
	}
	if b.failed || x.conn() == nil && (x.r.ContentLength < 0 || x.r.ContentLength > mostUnread || !x.comes()) {
		b.closing = true
		x.w.Header().Set("Connection", "close")
	}
}
