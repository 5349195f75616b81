package forward

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
)

// exchange is one request at a backend. The goroutine of the application reads
// the response; another one sends the request body, so that an answer that
// comes early is not missed.
type exchange struct {
	client  *Client
	ctx     context.Context
	method  string
	errs    io.Writer
	body    *Upload
	backend *Backend // that has a place taken for it, nil for none
	stream  Stream   // nil when there is no connection
	channel Channel
	stop    func() bool   // ends the watch for the client's leaving
	kept    bool          // stream has carried another request
	heard   bool          // something has come on a stream that was kept; for the reader
	sent    chan struct{} // closed when nothing more is sent of the body; nil without one

	mu       sync.Mutex
	answered bool  // the head of the response has come
	ending   bool  // the last piece of the body is being sent
	complete bool  // the whole body was sent
	inputErr error // why the body could not be read
	sendErr  error // why it could not be sent
}

// upload sends the request body, on a goroutine of its own when there is one.
func (x *exchange) upload() {
	if x.body.Length == 0 {
		var err error
		if x.client.protocol.End == nil {
			err = x.channel.CloseWrite()
		}
		x.endBody(err, nil)
		return
	}
	x.sent = make(chan struct{})
	go func() {
		defer close(x.sent)
		defer x.body.Close()
		x.endBody(x.copyBody())
	}()
}

// copyBody sends the body, and tells apart why it could not.
func (x *exchange) copyBody() (sendErr, inputErr error) {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	for left := x.body.Length; left > 0; {
		buffer := (*b)[:min(left, int64(cap(*b)))]
		n, err := x.body.Read(buffer)
		left -= int64(n)
		if left == 0 {
			x.mu.Lock()
			x.ending = true
			x.mu.Unlock()
		}
		if n > 0 {
			x.armWrite()
			if _, err := x.channel.Write(buffer[:n]); err != nil {
				return err, nil
			}
		}
		if err == io.EOF && left > 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && left > 0 {
			return nil, err
		}
	}
	x.armWrite()
	return x.channel.CloseWrite(), nil
}

// endBody notes how the sending has ended. From then on the backend is waited
// for.
func (x *exchange) endBody(sendErr, inputErr error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.sendErr, x.inputErr = sendErr, inputErr
	x.complete = sendErr == nil && inputErr == nil
	switch {
	case inputErr != nil:
		x.stream.Close() // there is no way to say that this is not the whole
	case x.answered:
	case errors.Is(sendErr, os.ErrDeadlineExceeded):
		x.stream.SetReadDeadline(time.Unix(1, 0))
	case x.client.ResponseTimeout > 0:
		// After a failure too: the backend may have answered and closed.
		x.stream.SetReadDeadline(time.Now().Add(x.client.ResponseTimeout))
	}
}

// readHead reads the head of the response, and returns what came behind it.
func (x *exchange) readHead() (head cgi.Head, rest []byte, err error) {
	fail := func(doing string, err error) (cgi.Head, []byte, error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.sendErr != nil {
			err = errors.Join(x.sendErr, unexpected(err))
			doing = "sending the request"
		}
		return cgi.Head{}, nil, &Failure{Doing: doing, Err: unexpected(err)}
	}
	b := make([]byte, 0, 4<<10)
	for {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := x.channel.Read(b[len(b):cap(b)])
		from := len(b)
		b = b[:from+n]
		if end := cgi.HeadLen(b, from); end > 0 && end <= x.client.MaxHeaderBytes {
			if head, err = cgi.ParseResponse(b[:end], x.client.protocol.Form); err != nil {
				return fail("reading the head of the response", err)
			}
			x.mu.Lock()
			x.answered = true
			x.mu.Unlock()
			return head, b[end:], nil
		}
		if len(b) >= x.client.MaxHeaderBytes {
			return fail("reading the head of the response", errors.New("the head is larger than the limit"))
		}
		if err != nil {
			return fail("waiting for the response", err)
		}
	}
}

// finish gives back what the request holds. whole says that the response was
// read as far as it counts.
func (x *exchange) finish(whole bool) {
	if x.body != nil && x.sent == nil {
		x.body.Close()
	}
	if x.stream == nil {
		if x.backend != nil {
			x.backend.Release()
		}
		return
	}
	if whole && x.client.protocol.Keep {
		x.drain()
	}
	complete := x.waitForBody(whole)
	switch there := x.stop(); {
	case there && whole && complete && x.client.MaxIdleConns > 0 && x.channel.Reusable():
		x.backend.idle.put(x.stream, x.client.MaxIdleConns, x.client.IdleTimeout)
	case there && !whole:
		end(x.stream, x.channel)
	default:
		x.stream.Close()
	}
	x.backend.Release()
}

// waitForBody reports whether the whole body was sent. A backend that knows the
// length may answer before it has seen the end, which is on its way then.
func (x *exchange) waitForBody(whole bool) bool {
	x.mu.Lock()
	ending, complete := x.ending, x.complete
	x.mu.Unlock()
	if !whole || !ending || complete {
		return complete
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-x.sent:
		x.mu.Lock()
		defer x.mu.Unlock()
		return x.complete
	case <-timer.C:
		return false
	}
}

// patience is how long the end of a request may take whose response is whole.
const patience = time.Second

// drain reads what belongs to the response and not to its body.
func (x *exchange) drain() {
	const most = 64 << 10
	x.stream.SetReadDeadline(time.Now().Add(patience))
	io.CopyN(io.Discard, x.channel, most)
}
