package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http/httputil"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// response is the body of the backend's response. It is read as it is asked
// for: a slow client is felt by the backend.
type response struct {
	x     *exchange
	in    io.Reader
	left  int64 // bytes that are to come, -1 when the end of the stream says it
	whole bool  // all of it was read
}

// response returns the body of a response whose head has come, and of whose
// body rest has.
func (x *exchange) response(head cgi.Head, rest []byte) wsgi.Iterable {
	r := &response{x: x, left: head.Length}
	r.in = io.MultiReader(bytes.NewReader(rest), timed{x})
	switch {
	case x.method == "HEAD" || head.Code == 204 || head.Code == 304:
		r.left, r.whole = 0, true // uWSGI sends a body all the same
	case head.Chunked:
		r.in = httputil.NewChunkedReader(bufio.NewReader(r.in))
		r.left = -1
	}
	return r
}

// timed is the response as it comes, with a time limit for each read.
type timed struct{ x *exchange }

func (t timed) Read(p []byte) (int, error) {
	if timeout := t.x.client.ReadTimeout; timeout > 0 {
		t.x.stream.SetReadDeadline(time.Now().Add(timeout))
	} else {
		t.x.stream.SetReadDeadline(time.Time{})
	}
	return t.x.channel.Read(p)
}

// Blocks yields each piece as it comes.
func (r *response) Blocks(yield func(block []byte, err error) bool) {
	b := buffers.Get().(*[]byte)
	defer buffers.Put(b)
	for r.left != 0 {
		buffer := (*b)[:cap(*b)]
		if r.left > 0 {
			buffer = buffer[:min(int64(len(buffer)), r.left)]
		}
		n, err := r.in.Read(buffer)
		if r.left > 0 {
			r.left -= int64(n)
		}
		if n > 0 && !yield(buffer[:n], nil) {
			return
		}
		if err == nil || r.left == 0 {
			continue
		}
		if r.left < 0 && err == io.EOF {
			break
		}
		yield(nil, r.fail(err))
		return
	}
	r.whole = true
}

// fail says why the body is not whole.
func (r *response) fail(err error) error {
	if r.left > 0 && err == io.EOF {
		err = fmt.Errorf("%d bytes are missing: %w", r.left, io.ErrUnexpectedEOF)
	}
	return r.x.explain(&Failure{Doing: "reading the response", Err: unexpected(err)})
}

// Close ends the request at the backend, if it has not ended.
func (r *response) Close() error {
	r.x.finish(r.whole)
	return nil
}
