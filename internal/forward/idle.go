package forward

import (
	"io"
	"sync"
	"syscall"
	"time"
)

// Stream is a connection to a backend, or to a program that it runs.
type Stream interface {
	io.ReadWriteCloser
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// idleList are connections that wait for another request.
type idleList struct {
	mu    sync.Mutex
	conns []*idleConn
}

type idleConn struct {
	Stream
	timer *time.Timer
}

// put keeps s for at most timeout, and closes it when most are kept already.
func (l *idleList) put(s Stream, most int, timeout time.Duration) {
	s.SetReadDeadline(time.Time{})
	s.SetWriteDeadline(time.Time{})
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.conns) >= most {
		s.Close()
		return
	}
	c := &idleConn{Stream: s}
	if timeout > 0 {
		c.timer = time.AfterFunc(timeout, func() { l.expire(c) })
	}
	l.conns = append(l.conns, c)
}

func (l *idleList) expire(c *idleConn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.conns {
		if l.conns[i] == c {
			l.conns = append(l.conns[:i], l.conns[i+1:]...)
			c.Close()
			return
		}
	}
}

// get returns the connection that was used last and is still open, nil when
// there is none.
func (l *idleList) get() Stream {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := len(l.conns); n > 0; n-- {
		c := l.conns[n-1]
		l.conns = l.conns[:n-1]
		if c.timer != nil {
			c.timer.Stop()
		}
		if silent(c.Stream) {
			return c.Stream
		}
		c.Close()
	}
	return nil
}

// closeAll closes all of them.
func (l *idleList) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		if c.timer != nil {
			c.timer.Stop()
		}
		c.Close()
	}
	l.conns = nil
}

// silent reports whether nothing has come on a connection on which nothing
// should: neither its end nor data that nobody asked for.
func silent(s Stream) bool {
	c, ok := s.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	quiet := true
	err = raw.Read(func(fd uintptr) bool {
		quiet = wouldBlock(fd)
		return true
	})
	return err == nil && quiet
}
