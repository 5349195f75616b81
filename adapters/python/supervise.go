package python

import (
	"context"
	"log/slog"
	"runtime"
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

// expire answers the requests that no worker has taken in time.
func (g *generation) expire() {
	p := g.pool
	if p.config.QueueTimeout <= 0 {
		return
	}
	now, limit := p.tick.Load(), p.ticks(p.config.QueueTimeout)
	g.slots.expire(now - limit)
	for i := range g.slots.all {
		s := &g.slots.all[i]
		s.mu.Lock()
		id := s.id
		late := id != 0 && !s.abandoned && !s.ended && s.lane == nil && s.failure == nil && now-s.entered > limit
		s.mu.Unlock()
		if late && !g.hasBegun(id) {
			s.fail(id, errQueueTimeout, false)
		}
	}
}

// findLost fails the requests that a worker has taken from the queue and not
// begun when it was killed: the moment between is short, but at the end of a
// system call it is where a busy worker is most often stopped. Nobody says which
// these are. They are those that entered before it ended, that no lane has
// begun, and that are not in the queue either: for that is empty, or so many
// that came after them have been begun that they cannot be. They fail like those
// that were begun.
func (g *generation) findLost() {
	now := g.pool.tick.Load()
	g.mu.Lock()
	death := g.death
	g.mu.Unlock()
	if death == 0 || now-death > g.pool.ticks(time.Minute) {
		g.missing = nil
		return
	}
	empty := g.queue.empty()
	newest := uint64(0)
	for lane := range g.board.lanes {
		newest = max(newest, g.board.begun(lane)>>16)
	}
	found := map[uint64]int64{}
	for i := range g.slots.all {
		s := &g.slots.all[i]
		s.mu.Lock()
		id := s.id
		suspect := id != 0 && !s.ended && s.lane == nil && s.begin <= death
		s.mu.Unlock()
		passed := newest > id>>16+uint64(len(g.slots.all))
		if !suspect || !empty && !passed || g.hasBegun(id) {
			continue
		}
		since, known := g.missing[id]
		if !known {
			since = now
		}
		if now-since < lostTicks {
			found[id] = since
			continue
		}
		if g.giveUp(id, errWorkerEnded) {
			g.pool.failed.Add(1)
		}
	}
	g.missing = found
}

// lostTicks is how often a request must have been looked for in vain.
const lostTicks = 3

// hasBegun reports whether a lane has the request.
func (g *generation) hasBegun(id uint64) bool {
	for lane := range g.board.lanes {
		if g.board.begun(lane) == id {
			return true
		}
	}
	return false
}

// arrivals notes who has become ready, and lets those go who were only kept
// until then.
func (g *generation) arrivals() {
	g.mu.Lock()
	defer g.mu.Unlock()
	ready := 0
	for _, w := range g.workers {
		if !w.isReady {
			select {
			case <-w.ready:
				w.isReady = true
				g.pool.log(slog.LevelDebug, "worker ready", "pid", w.pid)
			default:
			}
			if !w.isReady && g.pool.config.StartTimeout > 0 && time.Since(w.born) > g.pool.config.StartTimeout {
				w.kill("it was not ready in time")
			}
		}
		if w.isReady && !w.full && !w.retiring {
			ready++
		}
	}
	nudge := false
	for _, w := range g.workers {
		if w.retiring {
			continue
		}
		spare := w.full && ready >= g.want && !g.draining || w.isReady && ready > g.want
		if spare && w.dumped.IsZero() {
			if !w.full {
				ready--
			}
			w.retiring = true
			w.deadline = time.Now().Add(orLong(g.pool.config.GracefulTimeout))
			for _, l := range w.lanes {
				g.board.retire(l.number)
			}
			if w.full {
				g.pool.recycled.Add(1)
			}
			nudge = true
		}
	}
	if nudge {
		go g.nudge()
	}
}

// ensure starts the workers that are missing.
func (g *generation) ensure() {
	g.mu.Lock()
	defer g.mu.Unlock()
	want := g.want
	if g.draining {
		// Requests may be left in the queue when workers end for another reason.
		want = 0
		if taken, _ := g.slots.used(); taken > 0 && len(g.workers) == 0 {
			want = 1
		}
	}
	have := g.starting
	for _, w := range g.workers {
		if !w.full && !w.retiring {
			have++
		}
	}
	if have >= want || time.Now().Before(g.patience) {
		return
	}
	for ; have < want; have++ {
		g.starting++
		g.spawns.Add(1)
		go g.spawn()
	}
}

func (g *generation) spawn() {
	defer g.spawns.Done()
	err := g.reviveZygote()
	var w *worker
	if err == nil {
		w, err = g.start(false)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.starting--
	if err != nil {
		g.failures++
		g.patience = time.Now().Add(time.Second)
		g.pool.log(slog.LevelError, "a worker cannot be started", "error", err.Error())
		return
	}
	g.workers = append(g.workers, w)
}

// reviveZygote makes a new one when the one that there was has ended.
func (g *generation) reviveZygote() error {
	g.mu.Lock()
	zygote := g.zygote
	g.mu.Unlock()
	if zygote == nil {
		return nil
	}
	select {
	case <-zygote.gone:
	default:
		return nil
	}
	g.reviving.Lock()
	defer g.reviving.Unlock()
	g.mu.Lock()
	again := g.zygote != zygote
	g.mu.Unlock()
	if again {
		return nil // somebody else was faster
	}
	g.pool.log(slog.LevelError, "the process that forks workers has ended; another one is started")
	zygote, err := g.start(true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), orLong(g.pool.config.StartTimeout))
	defer cancel()
	err = zygote.awaitReady(ctx)
	if err != nil {
		zygote.kill("it was not ready")
		return err
	}
	g.mu.Lock()
	g.zygote = zygote
	g.mu.Unlock()
	return nil
}

// starter starts processes from one thread, which lives as long as they are to:
// the kernel takes the end of the thread that started a process for the end of
// its parent.
type starter struct{ jobs chan func() }

func newStarter() *starter {
	s := &starter{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with the goroutine
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *starter) do(start func() error) (err error) {
	done := make(chan struct{})
	s.jobs <- func() {
		err = start()
		close(done)
	}
	<-done
	return err
}

func (s *starter) close() { close(s.jobs) }
