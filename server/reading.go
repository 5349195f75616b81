package server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// reading is the half of a conn that reads, as far as time is concerned. It
// spares two things that net/http does for each request and nearly none needs.
//
// One is its deadlines: six a request, each of which moves a timer. The one in
// force below stays until it has passed, or until an earlier one is wanted; only
// a read that it ends looks whether its time is really over.
//
// The other is the watch on a client that may leave: during each request net/http
// reads one byte in another goroutine, which is a system call that finds nothing,
// and a round through the poller. That read waits for a moment here first, within
// which most requests are over.
type reading struct {
	mu      sync.Mutex
	want    time.Time // what was asked for; zero for none
	set     time.Time // what is in force below; zero for none
	reads   int       // that are under way below
	lurking bool      // a read waits here
	closed  bool
	wake    chan struct{} // has room for one: the read that waits here is to look
	timer   *time.Timer
}

// lurkTime is how long a request may take before the connection is watched.
const lurkTime = 50 * time.Millisecond

// read reads from below, and goes on when that has failed because of a deadline
// that nobody wants any more.
func (r *reading) read(below net.Conn, p []byte) (int, error) {
	r.mu.Lock()
	r.reads++
	r.hasten(below)
	r.mu.Unlock()
	for {
		n, err := below.Read(p)
		if n > 0 || err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			r.mu.Lock()
			r.reads--
			r.mu.Unlock()
			return n, err
		}
		r.mu.Lock()
		if r.expired() {
			r.reads--
			r.mu.Unlock()
			return n, err
		}
		r.set = r.want
		below.SetReadDeadline(r.set)
		r.mu.Unlock()
	}
}

// hasten puts the deadline that is wanted in force if that is the earlier one.
// The caller holds r.mu.
func (r *reading) hasten(below net.Conn) (err error) {
	if !r.want.IsZero() && (r.set.IsZero() || r.want.Before(r.set)) {
		r.set = r.want
		err = below.SetReadDeadline(r.set)
	}
	return err
}

// expired reports whether the time of a read is over. The caller holds r.mu.
func (r *reading) expired() bool { return !r.want.IsZero() && !time.Now().Before(r.want) }

// setDeadline is SetReadDeadline.
func (r *reading) setDeadline(below net.Conn, t time.Time) (err error) {
	r.mu.Lock()
	r.want = t
	switch {
	case r.lurking:
		if !t.IsZero() {
			rouse(r.wake)
		}
	case r.reads > 0:
		err = r.hasten(below)
	}
	r.mu.Unlock()
	return err
}

// lurk waits until it is worth the trouble to read, and reports whether that is
// still wanted. A read of a closed connection is: its error says so.
func (r *reading) lurk() bool {
	r.mu.Lock()
	if r.closed || r.expired() {
		defer r.mu.Unlock()
		return r.closed
	}
	if r.timer == nil {
		r.wake = make(chan struct{}, 1)
		r.timer = time.NewTimer(lurkTime)
	} else {
		r.timer.Reset(lurkTime)
	}
	r.lurking = true
	r.mu.Unlock()
	select {
	case <-r.wake:
	case <-r.timer.C:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lurking = false // a wake that came too late ends the next time early, which only costs that
	return r.closed || !r.expired()
}

// close ends lurk.
func (r *reading) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if r.lurking {
		rouse(r.wake)
	}
}

// rouse wakes who waits on a channel that has room for one.
func rouse(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
