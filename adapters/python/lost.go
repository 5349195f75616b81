package python

import "time"

// lost fails the request that a lane had begun when its worker ended.
func (g *generation) lost(l *lane) {
	g.mu.Lock()
	g.death = g.pool.tick.Load()
	g.mu.Unlock()
	id := g.board.begun(l.number)
	if id == 0 {
		return
	}
	if g.giveUp(id, errWorkerEnded) {
		g.pool.failed.Add(1)
	}
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

// giveUp fails a request of which no worker will tell any more, and reports
// whether it was still there.
func (g *generation) giveUp(id uint64, err error) (was bool) {
	s := g.slots.of(id)
	was, free := s.fail(id, err, true)
	if free {
		g.put(s)
	}
	return was
}
