package python

// LoseWindows takes the windows of the lanes away, as if there were no memory for
// them.
func (p *Pool) LoseWindows() {
	p.current.mu.Lock()
	defer p.current.mu.Unlock()
	for _, w := range p.current.workers {
		for _, l := range w.lanes {
			l.window.mu.Lock()
			l.window.tried, l.window.room = true, nil
			l.window.mu.Unlock()
		}
	}
}

// Trays says how many trays the workers have made, and how many are not free.
func (p *Pool) Trays() (made, taken int) {
	for i := range p.current.trays {
		if t := p.current.trays[i].Load(); t != nil {
			made += trayCount
			for tray := range trayCount {
				if t.word(uint32(tray)).Load() != 0 {
					taken++
				}
			}
		}
	}
	return made, taken
}

// Misplace puts an id on the queue of which nothing is on the board: that of a
// request that was given up while a worker had it in its hand.
func (p *Pool) Misplace(id uint64) { p.current.queue.push(id, false) }

// HoldReplies keeps what workers tell by the pipe from being delivered, until
// release is called.
func (p *Pool) HoldReplies() (release func()) {
	mu := &p.current.replies.mu
	mu.Lock()
	return mu.Unlock
}
