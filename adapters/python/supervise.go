package python

import (
	"log/slog"
	"time"
)

// progress is what the supervisor saw of a lane.
type progress struct {
	begun uint64 // the request
	since int64  // tick at which it was first seen, or heard of last
}

// tickTime is how often the supervisor looks at the workers.
func (p *Pool) tickTime() time.Duration {
	d := 100 * time.Millisecond
	for _, limit := range []time.Duration{p.config.Timeout, p.config.QueueTimeout, p.config.MaxLifetime} {
		if limit > 0 {
			d = min(d, max(limit/10, 5*time.Millisecond))
		}
	}
	return d
}

// ticks is how many looks a time is.
func (p *Pool) ticks(d time.Duration) int64 { return int64((d + p.every - 1) / p.every) }

// supervise looks after the workers until the pool is closed.
func (p *Pool) supervise() {
	defer close(p.supervised)
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-p.woken:
			p.look(false)
		case <-ticker.C:
			p.tick.Add(1)
			p.look(true)
		}
	}
}

// wake has the supervisor look now.
func (p *Pool) wake() { notify(p.woken) }

func (p *Pool) look(ticked bool) {
	p.mu.Lock()
	generations := append([]*generation{p.current}, p.old...)
	p.mu.Unlock()
	for _, g := range generations {
		g.exitedWorkers()
		if ticked {
			g.watch()
			if p.tick.Load()%max(1, p.ticks(time.Second)) == 0 {
				g.weigh()
			}
			g.slots.watch(p.tick.Load())
			g.expire()
			g.findLost()
		}
		g.arrivals()
		g.ensure()
	}
	if ticked {
		p.buryOld()
	}
}

// watch finds the lanes that do not get on with a request.
func (g *generation) watch() {
	p := g.pool
	now := p.tick.Load()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.workers {
		if !w.deadline.IsZero() && time.Now().After(w.deadline) {
			w.kill("it did not end in time")
			continue
		}
		if w.seen == nil {
			w.seen = make([]progress, len(w.lanes))
		}
		for i, l := range w.lanes {
			seen := &w.seen[i]
			begun := g.board.begun(l.number)
			if begun == 0 || begun != seen.begun || l.held.Load() > 0 {
				*seen = progress{begun, now}
				continue
			}
			seen.since = max(seen.since, l.heard.Load())
			if p.config.Timeout > 0 && now-seen.since > p.ticks(p.config.Timeout) {
				g.overdue(w, l, begun)
				seen.since = now
			}
		}
		if !w.dumped.IsZero() && !w.retiring && time.Since(w.dumped) > dumpTime {
			w.kill("a request took too long")
		}
	}
}

// dumpTime is how long a worker has to write its stacks.
const dumpTime = 200 * time.Millisecond

// overdue gives up a request, and with it the worker: a thread cannot be
// stopped without the process. Its other lanes take no more requests.
func (g *generation) overdue(w *worker, l *lane, id uint64) {
	s := g.slots.of(id)
	s.fail(id, errTimeout, false)
	if !w.dumped.IsZero() {
		return
	}
	g.pool.log(slog.LevelError, "a request takes too long; the worker is killed, its stacks follow", "pid", w.pid, "timeout", g.pool.config.Timeout.String())
	w.dumped = time.Now()
	w.full = true
	w.signal(signalDump)
	for _, other := range w.lanes {
		g.board.retire(other.number)
	}
	if len(w.lanes) > 1 {
		// The others may finish what they have.
		w.deadline = time.Now().Add(min(orLong(g.pool.config.GracefulTimeout), max(dumpTime, g.pool.config.Timeout)))
		w.dumped = time.Now().Add(time.Until(w.deadline))
		go g.nudge()
	}
}

// weigh replaces workers that are too large or too old.
func (g *generation) weigh() {
	c := &g.pool.config
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.workers {
		if !w.isReady {
			continue
		}
		if !w.expiry.IsZero() && time.Now().After(w.expiry) && !w.full {
			w.full = true
			w.setReason("lifetime")
		}
		if c.MaxMemory <= 0 {
			continue
		}
		switch size := residentMemory(w.pid); {
		case size > 2*c.MaxMemory:
			g.pool.log(slog.LevelError, "a worker has more than twice the memory that it may have, and is killed", "pid", w.pid, "bytes", size, "limit", c.MaxMemory)
			w.kill("memory")
		case size > c.MaxMemory && !w.full:
			g.pool.log(slog.LevelWarn, "a worker has more memory than it may have, and is replaced", "pid", w.pid, "bytes", size, "limit", c.MaxMemory)
			w.full = true
			w.setReason("memory")
		}
	}
}

func (w *worker) setReason(reason string) {
	w.mu.Lock()
	w.reason = reason
	w.mu.Unlock()
}

// replace marks a worker that is to be replaced.
func (p *Pool) replace(w *worker, reason string) {
	w.setReason(reason)
	w.generation.mu.Lock()
	w.full = true
	w.generation.mu.Unlock()
}
