package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// record keeps the events of one probe in order, and lets the probe wait for
// them: where a rule is about time, nobody sleeps. It also leaves them in the
// transcript.
type record struct {
	probing *probing
	who     string // put before each event in the transcript

	mu      sync.Mutex
	events  []string
	changed chan struct{} // closed at the next event; nil when nobody waits
}

func (r *record) add(event string) { r.addAs(event, event) }

// addAs adds an event that has another text in the transcript, "" for none.
func (r *record) addAs(event, text string) { r.addTo(nil, event, text) }

// addTo is addAs for an event of the exchange x, nil for the one that was begun
// last.
func (r *record) addTo(x *exchange, event, text string) {
	if text != "" && r.probing != nil {
		if x == nil {
			x = r.probing.script.current()
		}
		x.note("%s%s", r.who, text)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) < 1<<16 { // a body that never ends is no reason to run out of memory
		r.events = append(r.events, event)
	}
	if r.changed != nil {
		close(r.changed)
		r.changed = nil
	}
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

func (r *record) count(event string) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counted(event)
}

// counted is count for who holds the lock.
func (r *record) counted(event string) (n int) {
	for _, e := range r.events {
		if e == event {
			n++
		}
	}
	return n
}

func (r *record) has(event string) bool { return r.count(event) > 0 }

// String lists the first events, for messages.
func (r *record) String() string {
	events := r.all()
	if len(events) > 40 {
		events = append(events[:40], "...")
	}
	return strings.Join(events, ", ")
}

// await waits until event was recorded, and reports whether it was.
func (r *record) await(event string, patience time.Duration) bool {
	return r.awaitMore(event, 0, patience)
}

// awaitMore waits until event was recorded more than n times.
func (r *record) awaitMore(event string, n int, patience time.Duration) bool {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		if r.counted(event) > n {
			r.mu.Unlock()
			return true
		}
		if r.changed == nil {
			r.changed = make(chan struct{})
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			return false
		}
	}
}

// recorded is a body that records how it is treated: "iterate" at the start,
// "yield" before and "next" or "stop" after each block, "end" when it returns,
// and "close".
type recorded struct {
	record   *record
	blocks   wsgi.Generator
	closeErr error
	exchange *exchange // whose body it is; nil for the one that is under way
	closed   atomic.Bool
}

func (b *recorded) add(event, text string) { b.record.addTo(b.exchange, event, text) }

func (b *recorded) Blocks(yield func(block []byte, err error) bool) {
	b.add("iterate", "the body is iterated")
	defer b.add("end", "the iteration ends")
	if b.closed.Load() {
		b.add("iterate after close", "it was closed before")
	}
	b.blocks(func(block []byte, err error) bool {
		what := "yields " + sample(block)
		if err != nil {
			what = fmt.Sprintf("yields the error %q", err)
		}
		b.add("yield", what)
		if yield(block, err) {
			b.add("next", "")
			return true
		}
		b.add("stop", "is asked to stop")
		return false
	})
}

func (b *recorded) Close() error {
	b.closed.Store(true)
	b.add("close", "the body is closed")
	return b.closeErr
}

// blocksOf is the body of the given blocks, without a length.
func blocksOf(blocks ...string) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		for _, block := range blocks {
			if !yield([]byte(block), nil) {
				return
			}
		}
	}
}

// lent is a body whose blocks "one.", "two.", "end." are in one buffer, which
// who has to leave as it is, and must not look into later.
func (p *probing) lent(who string) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		block := make([]byte, 4)
		for _, text := range []string{"one.", "two.", "end."} {
			copy(block, text)
			if !yield(block, nil) {
				return
			}
			if string(block) != text {
				p.faultf("expected the %s to leave the block %q as it is, it is %q now", who, text, block)
			}
		}
		copy(block, "XXXX")
	}
}

// failing is a body that yields the blocks and then err.
func failing(err error, blocks ...string) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		for _, block := range blocks {
			if !yield([]byte(block), nil) {
				return
			}
		}
		yield(nil, err)
	}
}

// errProbe is the failure of probe applications. Its text must not reach a
// client.
var errProbe = errors.New("conformance: the probe application fails on purpose")

// fields makes headers of names and values in turn.
func fields(list ...string) wsgi.Headers {
	h := make(wsgi.Headers, 0, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		h.Add(list[i], list[i+1])
	}
	return h
}

// plainText is the head of most probe responses.
func plainText(more ...string) wsgi.Headers {
	return append(fields("Content-Type", "text/plain"), fields(more...)...)
}
