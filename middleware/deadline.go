package middleware

import (
	"context"
	"sync"
	"time"
)

// deadline is a context.WithDeadlineCause that costs nothing until somebody waits
// for it: most applications are done without a look at their context, and the
// timer is what a context costs.
type deadline struct {
	outer context.Context
	at    time.Time

	mu     sync.Mutex
	err    error   // once the context was seen to have ended
	waited *waited // the real one, once it was asked for
}

// waited is a context that has a timer.
type waited struct {
	context.Context
	cancel context.CancelFunc
}

// real returns the context that has the timer.
func (d *deadline) real() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waited == nil {
		ctx, cancel := context.WithDeadlineCause(d.outer, d.at, ErrTimeout)
		d.waited = &waited{ctx, cancel}
		if d.err != nil {
			cancel()
		}
	}
	return d.waited.Context
}

func (d *deadline) Deadline() (time.Time, bool) {
	if outer, ok := d.outer.Deadline(); ok && outer.Before(d.at) {
		return outer, true
	}
	return d.at, true
}

func (d *deadline) Done() <-chan struct{} { return d.real().Done() }

// Value asks the real one: by a value, package context finds what to cancel, and
// the cause.
func (d *deadline) Value(key any) any { return d.real().Value(key) }

func (d *deadline) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		switch {
		case d.waited != nil:
			d.err = d.waited.Err()
		case d.outer.Err() != nil:
			d.err = d.outer.Err()
		case time.Until(d.at) <= 0: // which asks the monotonic clock alone
			d.err = context.DeadlineExceeded
		}
	}
	return d.err
}

// end is the end of the request.
func (d *deadline) end() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.waited != nil {
		d.waited.cancel()
	} else if d.err == nil {
		d.err = context.Canceled
	}
	return nil
}
