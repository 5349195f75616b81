package conformance

import (
	"sync"
	"time"
)

// gate is a place where an application waits for the probe. It opens by itself
// when the probe's time is over, so that no application stays behind.
type gate struct {
	once     sync.Once
	opened   chan struct{}
	patience time.Duration
}

func (p *probing) gate() *gate {
	return &gate{opened: make(chan struct{}), patience: probeLimit * p.patience}
}

func (g *gate) open() { g.once.Do(func() { close(g.opened) }) }

func (g *gate) wait() { g.waitAtMost(g.patience) }

func (g *gate) waitAtMost(patience time.Duration) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-g.opened:
	case <-limit.C:
	}
}

// meeting is where several requests wait for each other.
type meeting struct {
	mu      sync.Mutex
	missing int
	all     *gate
}

func newMeeting(n int) *meeting {
	return &meeting{missing: n, all: &gate{opened: make(chan struct{}), patience: 5 * moment}}
}

// wait waits for the others, or not for long where a middleware lets one at a
// time pass.
func (m *meeting) wait() {
	m.mu.Lock()
	if m.missing--; m.missing == 0 {
		m.all.open()
	}
	m.mu.Unlock()
	m.all.wait()
}
