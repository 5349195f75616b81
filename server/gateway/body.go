package gateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/gowsgi/gowsgi/wsgi"
)

// errGone tells a body or a writer that the client has left.
var errGone = errors.New("wsgi: the client has left")

// errTooLong is Write's answer once the Content-Length is used up (LEN-03).
var errTooLong = &wsgi.ContractError{Rule: "LEN-03", Detail: "the block exceeds the declared Content-Length"}

// write is the callable that start_response returns. All of a request's write
// callables address the response as it is now (START-28).
func (x *Exchange) write(block []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.finished:
		return 0, errOver
	case x.failure != nil:
		return 0, x.failure
	}
	return x.send(block)
}

// yield receives the blocks of the body.
func (x *Exchange) yield(block []byte, err error) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.take(block, err)
}

// take is yield; the caller holds the lock.
func (x *Exchange) take(block []byte, err error) bool {
	switch {
	case x.finished || x.stopped:
		return false
	case err != nil:
		x.failure = err
		x.stopped = true
		return false
	case len(block) == 0:
		// It commits nothing (START-08), and a later exc_info may still repair
		// a refused start. As no write would find out, ask whether anybody is
		// there: a body may yield empty blocks for ever.
		if x.ctx.Err() != nil {
			x.stopped = true
			if !(x.discard && x.committed) { // there the client has its all
				x.gone = context.Cause(x.ctx)
			}
		}
		return !x.stopped
	}
	if !x.ready() {
		x.stopped = true
		return false
	}
	if x.single && !x.committed {
		x.setLength(int64(len(block)))
	}
	_, err = x.send(block)
	x.stopped = err != nil
	return !x.stopped
}

// ready reports whether body data may be sent, and records why not.
func (x *Exchange) ready() bool {
	if !x.started && x.failure == nil {
		x.failure = &wsgi.ContractError{Rule: "SRV-06",
			Detail: "the body yielded a block, expected start_response to be called before"}
	}
	return x.failure == nil
}

// setLength states the length of a body that the application left open. On
// HEAD, 204 and 304 only the application may state one (LEN-13).
func (x *Exchange) setLength(n int64) {
	if x.length >= 0 || x.discard {
		return
	}
	x.length = n
	x.headers = append(x.headers, wsgi.Header{Name: contentLength, Value: strconv.FormatInt(n, 10)})
}

// send transmits the head, if that is still to do, and as much of block as the
// Content-Length allows: exactly that much, for net/http would refuse the
// whole of a block that is too long (LEN-01).
func (x *Exchange) send(block []byte) (int, error) {
	first := !x.committed
	if err := x.commit(); err != nil {
		return 0, err
	}
	if x.discard {
		return x.throwAway(block, first)
	}
	if x.length >= 0 && int64(len(block)) > x.length-x.sent {
		block = block[:x.length-x.sent]
		x.overflow = true
	}
	if len(block) > 0 || !x.overflow {
		if err := x.Transport.Block(block); err != nil {
			return 0, x.lost(err)
		}
		x.sent += int64(len(block))
	}
	if x.overflow {
		return len(block), errTooLong
	}
	return len(block), nil
}

// mostDiscarded is how many bytes of a body nobody wants the application may
// produce: HEAD on an endless stream must have an end.
const mostDiscarded = 1 << 20

var errDiscarded = errors.New("wsgi: the response has no body, and enough of one was discarded")

// throwAway takes a block of a response that has no body on the wire: of HEAD,
// 204 or 304. The body is iterated all the same (AMB-06), within bounds.
func (x *Exchange) throwAway(block []byte, first bool) (int, error) {
	x.sent += int64(len(block))
	if first { // the head is all that the client waits for
		if err := x.Transport.Block(nil); err != nil {
			return 0, x.lost(err)
		}
	}
	if x.sent > mostDiscarded || x.ctx.Err() != nil {
		return 0, errDiscarded
	}
	return len(block), nil
}

// commit gives the head to the transport, once.
func (x *Exchange) commit() error {
	if x.gone != nil {
		return errGone
	}
	if x.committed {
		return nil
	}
	x.committed = true
	if err := x.Transport.Head(int(x.code), x.status, x.headers); err != nil {
		return x.lost(err)
	}
	return nil
}

// lost records that the client cannot be reached.
func (x *Exchange) lost(err error) error {
	x.gone = err
	return fmt.Errorf("%w: %w", errGone, err)
}

// sendFile is what a FileStreamer calls for a part of the body that is in a
// file.
func (x *Exchange) sendFile(file *os.File, n int64) (int64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.finished || x.stopped:
		return 0, errOver
	case !x.ready():
		return 0, x.failure
	}
	rest := n < 0
	if rest {
		if n = remaining(file); n >= 0 && !x.committed {
			x.setLength(n) // FILE-13
		}
	}
	if err := x.commit(); err != nil {
		x.stopped = true
		return 0, err
	}
	if x.discard && n >= 0 {
		x.sent += n
		return n, nil
	}
	var tooLong error
	if n >= 0 && x.length >= 0 && n > x.length-x.sent {
		n = x.length - x.sent
		x.stopped = true
		if !rest { // a whole file that is longer than the declared length is no fault (FILE-11)
			x.overflow, tooLong = true, errTooLong
		}
	}
	transport, ok := x.Transport.(FileTransport)
	if n < 0 || !ok {
		copied, err := x.copyFile(file, n)
		if err == nil {
			err = tooLong
		}
		return copied, err
	}
	sent, err := transport.SendFile(file, n)
	x.sent += sent
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return sent, x.unreadable(err)
	} else if err != nil {
		x.stopped = true
		return sent, x.lost(err)
	}
	return sent, tooLong
}

// unreadable records that a file could not be read, and so that the response
// lacks a part, whatever the body makes of it.
func (x *Exchange) unreadable(err error) error {
	x.failure = err
	x.stopped = true
	return err
}

// remaining returns how many bytes of file follow its position, -1 when that
// is not known, as for a pipe.
func remaining(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	position, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return max(0, info.Size()-position)
}

// copyFile sends n bytes of file, or all that follow for n < 0, as blocks.
func (x *Exchange) copyFile(file *os.File, n int64) (copied int64, err error) {
	overflow := x.overflow
	block := make([]byte, 32<<10)
	for n < 0 || copied < n {
		if n >= 0 {
			block = block[:min(int64(len(block)), n-copied)]
		}
		k, readErr := file.Read(block)
		if k > 0 {
			sent, err := x.send(block[:k])
			copied += int64(sent)
			if err != nil {
				x.stopped = true
				if n < 0 && x.overflow { // as above: the file is longer, which is no fault
					x.overflow, err = overflow, nil
				}
				return copied, err
			}
		}
		if readErr == io.EOF {
			return copied, nil
		} else if readErr != nil {
			return copied, x.unreadable(readErr)
		}
	}
	return copied, nil
}
