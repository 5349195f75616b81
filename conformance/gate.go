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

// isOpen reports whether somebody has opened the gate.
func (g *gate) isOpen() bool {
	select {
	case <-g.opened:
		return true
	default:
		return false
	}
}

func (g *gate) wait() { g.waitAtMost(g.patience) }

func (g *gate) waitAtMost(patience time.Duration) {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-g.opened:
	case <-limit.C:
	}
}
