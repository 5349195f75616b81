package python

import (
	"context"
	"sync"
)

// slot is the place of one request between Call and a worker. It is used again
// for another request, under another id, once the worker is done with this one.
type slot struct {
	index int
	wake  chan struct{} // has room for one: something has come, or failure is set
	space chan struct{} // has room for one: the queue has become shorter

	mu        sync.Mutex
	id        uint64 // 0 while nobody has the slot
	queue     []message
	queued    int   // bytes in queue
	lane      *lane // that serves the request; nil until it is heard of
	failure   error // why nothing more will come
	ended     bool  // the worker is done with it
	abandoned bool  // Call is done with it
	watched   bool  // it takes so long that Call listens to its context too
	entered   int64 // tick at which the request came, from which QueueTimeout counts
	begin     int64 // tick at which the request got the slot
	company   int   // how many slots were taken then
}

// slots are those of a generation. Who finds none free waits in line.
type slots struct {
	all  []slot
	most int // that may wait

	mu      sync.Mutex
	free    []*slot // the last one given back is the next one taken: it is warm
	waiting []waiter
	seq     uint64
}

// waiter is a request that waits for a slot.
type waiter struct {
	turn    chan *slot // has room for one; nil says that there will be none
	entered int64
}

func newSlots(n, most int) *slots {
	s := &slots{all: make([]slot, n), most: most}
	for i := n - 1; i >= 0; i-- {
		s.all[i] = slot{index: i, wake: make(chan struct{}, 1), space: make(chan struct{}, 1)}
		s.free = append(s.free, &s.all[i])
	}
	return s
}

// of returns the slot that the request id has, or had.
func (s *slots) of(id uint64) *slot { return &s.all[int(id&0xFFFF)%len(s.all)] }

// take returns a slot with a new id. tick is now.
func (s *slots) take(ctx context.Context, tick int64) (*slot, error) {
	s.mu.Lock()
	if n := len(s.free); n > 0 {
		taken := s.free[n-1]
		s.free = s.free[:n-1]
		s.begin(taken, tick, tick)
		s.mu.Unlock()
		return taken, nil
	}
	if len(s.waiting) >= s.most {
		s.mu.Unlock()
		return nil, errFull
	}
	turn := make(chan *slot, 1)
	s.waiting = append(s.waiting, waiter{turn, tick})
	s.mu.Unlock()
	select {
	case taken := <-turn:
		if taken == nil {
			return nil, errQueueTimeout
		}
		return taken, nil
	case <-ctx.Done():
	}
	s.mu.Lock()
	for i, w := range s.waiting {
		if w.turn == turn {
			s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
			s.mu.Unlock()
			return nil, context.Cause(ctx)
		}
	}
	s.mu.Unlock()
	if taken := <-turn; taken != nil { // it was given just now
		s.put(taken, taken.begin)
	}
	return nil, context.Cause(ctx)
}

// begin gives a slot a new id; the caller holds s.mu, and nobody else has the
// slot.
func (s *slots) begin(taken *slot, entered, tick int64) {
	s.seq++
	taken.mu.Lock()
	taken.id = s.seq<<16 | uint64(taken.index)
	taken.entered, taken.begin = entered, tick
	taken.company = len(s.all) - len(s.free)
	taken.mu.Unlock()
}

// put gives a slot back of which both sides are done. tick is now.
func (s *slots) put(done *slot, tick int64) {
	done.mu.Lock()
	done.id, done.lane, done.failure = 0, nil, nil
	done.ended, done.abandoned, done.watched, done.queued = false, false, false, 0
	done.queue = done.queue[:0]
	done.mu.Unlock()
	for _, signal := range []chan struct{}{done.wake, done.space} {
		select {
		case <-signal:
		default:
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) > 0 {
		next := s.waiting[0]
		s.waiting = s.waiting[1:]
		s.begin(done, next.entered, tick)
		next.turn <- done
		return
	}
	s.free = append(s.free, done)
}

// watch has the requests that began before the last tick listen to their contexts.
func (s *slots) watch(tick int64) {
	for i := range s.all {
		slot := &s.all[i]
		slot.mu.Lock()
		if slot.id != 0 && !slot.watched && slot.begin < tick-1 {
			slot.watched = true
			notify(slot.wake)
		}
		slot.mu.Unlock()
	}
}

// used is how many slots are taken, and how many requests wait for one.
func (s *slots) used() (taken, waiting int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all) - len(s.free), len(s.waiting)
}

// refuse sends those away who wait for a slot.
func (s *slots) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.waiting {
		w.turn <- nil
	}
	s.waiting = nil
}

// expire sends those away who have waited since before the given tick.
func (s *slots) expire(before int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.waiting) > 0 && s.waiting[0].entered < before { // they wait in the order in which they came
		s.waiting[0].turn <- nil
		s.waiting = s.waiting[1:]
	}
}

// notify wakes who waits on a channel that has room for one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// fail ends the request id, if it is still the one in the slot: the worker is
// not going to answer. It reports whether it was.
func (s *slot) fail(id uint64, err error, ended bool) (was, free bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == 0 || s.id != id || s.ended {
		return false, false
	}
	s.ended = ended
	if s.abandoned {
		return true, ended
	}
	if s.failure == nil {
		s.failure = err
	}
	notify(s.wake)
	notify(s.space)
	return true, false
}
