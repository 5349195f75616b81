package backend

import (
	"context"
	"sync"
)

// presence is the context of a request. That the web server has left shows on
// its connection only when somebody reads there, behind the body. That begins
// when the context is asked: most applications never do.
type presence struct {
	context.Context
	c      *Conn
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	wanted   bool          // somebody asks
	arrived  bool          // the body has come, so that nobody else reads
	ended    bool          // nobody reads any more
	surplus  bool          // more came than was declared
	suspect  bool          // more may have come
	watching chan struct{} // closed when the watch has ended; nil before it began
}

// Done begins to watch the connection.
func (p *presence) Done() <-chan struct{} {
	p.mu.Lock()
	p.wanted = true
	p.watch()
	p.mu.Unlock()
	return p.Context.Done()
}

// Err looks at the connection, and begins to watch it.
func (p *presence) Err() error {
	if err := p.Context.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	p.wanted = true
	if p.arrived && !p.ended && p.watching == nil {
		if p.look() != nil {
			p.cancel(errLeft)
		}
	}
	p.watch()
	p.mu.Unlock()
	return p.Context.Err()
}

// arrive is called when the body has come.
func (p *presence) arrive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.arrived = true
	p.watch()
}

// watch reads what should be nothing, until the peer ends the connection or
// leave is called. The caller holds the lock.
func (p *presence) watch() {
	if !p.wanted && p.c.direct != nil || !p.arrived || p.ended || p.watching != nil {
		return
	}
	p.watching = make(chan struct{})
	go func() {
		defer close(p.watching)
		var surplus [512]byte
		for {
			// More than was declared is ignored: nginx sends it when it does
			// not buffer, and there is no request that it could be.
			if _, err := p.c.Conn.Read(surplus[:]); err != nil {
				p.cancel(errLeft)
				return
			}
			p.mu.Lock()
			p.surplus = true
			p.mu.Unlock()
		}
	}()
}

// look reads once what a watch would. The caller holds the lock.
func (p *presence) look() error {
	var surplus [512]byte
	n, err := p.c.tryRead(surplus[:])
	p.surplus = p.surplus || n > 0
	return err
}

// leave ends all reading behind the body, and reports whether nothing came
// there. A connection that is closed before all is read is reset.
func (p *presence) leave() (nothing bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.watching != nil {
		p.c.Conn.SetReadDeadline(past)
		p.mu.Unlock()
		<-p.watching
		p.mu.Lock()
	} else if p.arrived && p.suspect && !p.surplus {
		p.look()
	}
	return !p.surplus
}
