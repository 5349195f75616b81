package main

import (
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// yielding is a listener that can leave its socket to another process which has it too.
type yielding struct {
	net.Listener
	yielded atomic.Bool
	closing sync.Once
	closed  chan struct{}
}

func newYielding(l net.Listener) *yielding {
	return &yielding{Listener: l, closed: make(chan struct{})}
}

// yield accepts nothing any more. Who serves the listener does not notice: connections
// that were accepted are served as before.
func (l *yielding) yield() {
	if d, ok := l.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		l.yielded.Store(true)
		d.SetDeadline(time.Now())
	}
}

// Accept waits until l is closed once it has yielded.
func (l *yielding) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if l.yielded.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		<-l.closed
		return nil, net.ErrClosed
	}
	return c, err
}

func (l *yielding) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return l.Listener.Close()
}
