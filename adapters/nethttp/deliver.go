package nethttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

const (
	bufferSize = 4096    // at least every limit
	sniffSize  = 512     // what http.DetectContentType looks at
	maxForeign = 1 << 20 // what other goroutines may leave behind
)

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

var (
	errGone    = errors.New("nethttp: the response was broken off, its client may have left")
	errOver    = errors.New("nethttp: write after ServeHTTP has returned")
	errForeign = fmt.Errorf("nethttp: more than %d bytes were written by goroutines other than the handler's", maxForeign)
)

// buffer returns pending, with room behind it.
func (w *response) buffer() []byte {
	if w.pending == nil {
		w.pooled = buffers.Get().(*[bufferSize]byte)
		w.pending = w.pooled[:0]
	}
	return w.pending
}

// room is how many bytes may be added to pending without a need to yield.
func (w *response) room() int {
	switch {
	case w.length >= 0 || w.events || w.eager:
		// Each Write is yielded. This leaves nothing to do for a Flush from
		// another goroutine, which could not do it: ReverseProxy's timer runs
		// only where there is a Content-Length. But a guess at the type, which
		// needs its bytes, has to see as many of them as in net/http.
		if w.sniff && !w.started && !w.eager && w.written < w.length {
			return sniffSize - 1 - len(w.pending)
		}
		if w.written == w.length && !w.events && !w.eager {
			// The last bytes: they leave when the handler returns, which a
			// small answer does at once, and no goroutine has to be known.
			return bufferSize - len(w.pending)
		}
		return -1
	case w.started:
		return bufferSize - len(w.pending)
	}
	return w.limit - len(w.pending)
}

// put takes a non-empty p that was admitted: into pending or to yield.
func (w *response) put(p []byte, mine bool) error {
	room := w.room()
	if len(p) <= room {
		w.pending = append(w.buffer(), p...)
		return nil
	}
	if !mine && !onHandlerGoroutine() {
		return w.leave(p)
	}
	if len(w.pending) > 0 {
		// One block rather than two, if it is a small one; and a block to
		// guess the type from.
		k := min(len(p), max(0, bufferSize-len(w.pending)))
		w.pending = append(w.pending, p[:k]...)
		p = p[k:]
		if err := w.deliver(); err != nil {
			return err
		}
		if len(p) <= w.room() {
			w.pending = append(w.buffer(), p...)
			return nil
		}
	}
	if len(p) == 0 {
		return nil
	}
	return w.push(p)
}

// leave keeps what another goroutine wrote until the handler's comes by.
func (w *response) leave(p []byte) error {
	if len(w.pending)+len(p) > maxForeign {
		w.refuse(errForeign)
		return w.err
	}
	w.pending = append(w.buffer(), p...)
	return nil
}

// deliver yields what is pending.
func (w *response) deliver() error {
	block := w.pending
	if len(block) == 0 {
		return w.err
	}
	err := w.push(block)
	w.pending = w.pooled[:0] // drops what leave had to allocate
	return err
}

// push yields one block, and before the first calls start_response.
func (w *response) push(block []byte) error {
	if w.err != nil {
		return w.err
	}
	if !w.started {
		if err := w.start(block); err != nil {
			return err
		}
	}
	w.err = errGone // stays when yield panics: it must not be called again
	if w.yield(block, nil) {
		w.err = nil
	} else if cause := context.Cause(w.environ.Context()); cause != nil {
		w.err = fmt.Errorf("%w: %w", errGone, cause)
	}
	return w.err
}

// refuse makes the request fail with err. It may be called on any goroutine:
// the error is yielded when the handler has returned.
func (w *response) refuse(err error) {
	w.err, w.failure = err, err
}

func (w *response) Flush() { w.FlushError() }

// FlushError is what http.ResponseController calls for a Flush.
func (w *response) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	if w.err != nil {
		return w.err
	}
	if !w.started {
		// net/http sends the head now, with what is known of the body.
		w.noLength = true
		w.sniff = w.sniff && len(w.pending) > 0
	}
	if len(w.pending) == 0 {
		return nil
	}
	if !onHandlerGoroutine() {
		w.eager = true
		return nil
	}
	return w.deliver()
}

// finish completes the response when the handler has returned.
func (w *response) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	w.reportTrailers()
	if w.err == nil {
		n := len(w.pending)
		// An empty answer to HEAD says nothing about the length: the handler
		// may have seen that there is no body to make.
		if !w.started && !w.noLength && n <= w.limit && (n > 0 || !w.head) {
			w.headers.Add("Content-Length", strconv.Itoa(n))
		}
		if n > 0 {
			w.deliver()
		} else if !w.started {
			w.start(nil)
		}
	}
	if w.failure != nil {
		w.yield(nil, w.failure)
	}
}

// reportTrailers tells of trailers that came too late to fail the request.
func (w *response) reportTrailers() {
	var names []string
	for name := range w.handlerHeader {
		if name, ok := strings.CutPrefix(name, http.TrailerPrefix); ok {
			names = append(names, name)
		}
	}
	if names != nil {
		slices.Sort(names)
		w.logf("nethttp: the trailers %s were not sent: an application cannot send trailers (HTTP-05)", strings.Join(names, ", "))
	}
}

// end cuts w off from the request, which it may outlive in a goroutine of the
// handler's.
func (w *response) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = errOver
	if w.stopNotify != nil {
		w.stopNotify()
	}
	if w.pooled != nil {
		buffers.Put(w.pooled)
		w.pooled, w.pending = nil, nil
	}
}
