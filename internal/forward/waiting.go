package forward

import (
	"context"
	"slices"
	"time"
)

// waiter is a request that waits for a backend to have room.
type waiter struct {
	tried []*Backend
	given chan *Backend // holds the one that it gets, nil for none; never blocks
}

// Acquire chooses a backend that is not among tried, and waits for one to have
// room, at most as long as wait says, 0 for no limit. Who came first is served
// first. The caller must Release it.
func (g *Group) Acquire(ctx context.Context, wait time.Duration, tried []*Backend) (*Backend, error) {
	g.mu.Lock()
	if len(g.waiting) == 0 {
		if b, some := g.choose(tried, time.Now()); b != nil || !some {
			g.mu.Unlock()
			return chosen(b)
		}
	}
	w := &waiter{tried, make(chan *Backend, 1)}
	if g.waiting = append(g.waiting, w); len(tried) > 0 {
		g.retrying++
	}
	g.serve()
	g.mu.Unlock()
	var late <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case b := <-w.given:
		return chosen(b)
	case <-late:
		g.forget(w)
		return nil, ErrBusy
	case <-ctx.Done():
		g.forget(w)
		return nil, context.Cause(ctx)
	}
}

func chosen(b *Backend) (*Backend, error) {
	if b == nil {
		return nil, ErrNone
	}
	return b, nil
}

// serve gives backends that have room to those who wait. Only who gets one is
// woken: with a thousand who wait, to let each look for itself took half a
// millisecond for every request that ended. The caller holds the lock.
func (g *Group) serve() {
	if len(g.waiting) == 0 {
		return
	}
	now, full := time.Now(), false
	for i := 0; i < len(g.waiting) && (!full || g.retrying > 0); {
		w := g.waiting[i]
		if full && len(w.tried) == 0 {
			i++
			continue
		}
		b, some := g.choose(w.tried, now)
		if b == nil && some {
			full = full || len(w.tried) == 0
			i++
			continue
		}
		g.leave(i)
		w.given <- b
	}
	if len(g.waiting) > 0 {
		g.wakeLater(now)
	}
}

// leave takes who is at i out of those who wait. The caller holds the lock.
func (g *Group) leave(i int) {
	if len(g.waiting[i].tried) > 0 {
		g.retrying--
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
}

// wakeLater has serve called again when a backend is left alone no longer. The
// caller holds the lock.
func (g *Group) wakeLater(now time.Time) {
	var next time.Time
	for _, b := range g.backends {
		if b.until.After(now) && (next.IsZero() || b.until.Before(next)) {
			next = b.until
		}
	}
	if g.alarm != nil {
		g.alarm.Stop()
		g.alarm = nil
	}
	if !next.IsZero() {
		g.alarm = time.AfterFunc(next.Sub(now), func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.serve()
		})
	}
}

// forget lets w wait no longer.
func (g *Group) forget(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case b := <-w.given: // at the same moment
		if b != nil {
			b.active--
			g.serve()
		}
	default:
		g.leave(slices.Index(g.waiting, w))
	}
}
