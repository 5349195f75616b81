package python

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
)

// queue is the pipe from which all workers take their next request: its id, in
// tokenSize bytes, by one read. What else there is to a request is on the board.
type queue struct {
	r *os.File // that the workers inherit
	w *os.File
	// failed is told of the requests that could not be written.
	failed func(id uint64, err error)
	yield  func() // lets all others run that can: runtime.Gosched

	mu      sync.Mutex
	waiting []byte // ids that are not written yet
	spare   []byte // memory for the next ones
	led     bool   // somebody is about to write them
}

const tokenSize = 8

// mostJoined is how many ids wait for one another before they are written.
const mostJoined = 16

func newQueue(failed func(id uint64, err error)) (*queue, error) {
	r, w, err := queuePipe()
	if err != nil {
		return nil, err
	}
	return &queue{r: r, w: w, failed: failed, yield: runtime.Gosched}, nil
}

// push puts a request on the queue. While all workers have something to do, which
// is when a request is patient, those that come at about the same time go out in
// one write: the first lets all others run that can, and then writes for them too.
// It is a system call less for each, and a worker is woken up once for several.
func (q *queue) push(id uint64, patient bool) {
	q.mu.Lock()
	q.waiting = binary.LittleEndian.AppendUint64(q.waiting, id)
	if patient && len(q.waiting) < mostJoined*tokenSize {
		if q.led {
			q.mu.Unlock()
			return
		}
		q.led = true
		q.mu.Unlock()
		q.yield()
		q.mu.Lock()
		q.led = false
	}
	batch := q.waiting
	q.waiting, q.spare = q.spare[:0], nil
	q.mu.Unlock()
	if len(batch) == 0 { // somebody was faster
		return
	}
	if _, err := q.w.Write(batch); err != nil {
		for rest := batch; len(rest) > 0; rest = rest[tokenSize:] {
			q.failed(binary.LittleEndian.Uint64(rest), err)
		}
	}
	q.mu.Lock()
	if q.spare == nil {
		q.spare = batch[:0]
	}
	q.mu.Unlock()
}

// nudge has n readers look whether they are to end. When the queue is full they
// are busy, and look after their request. When it is closed its end does the same.
func (q *queue) nudge(n int) {
	for range n {
		if tryWrite(q.w, make([]byte, tokenSize)) != nil {
			return
		}
	}
}

// close ends the queue for its readers, once they have read what is in it.
func (q *queue) close() { q.w.Close() }

// empty reports whether nothing is in the queue.
func (q *queue) empty() bool { return pipeEmpty(q.r) }
