package backend

import (
	"errors"
	"io"
	"sync"
	"time"
)

// body is a request body of a known length that follows the head on a
// connection which carries nothing else.
type body struct {
	presence *presence // to which the connection belongs when the body has come
	pace     Pace

	mu    sync.Mutex // held while reading; an application may leave a reader behind
	early []byte     // came with the head
	left  int64      // bytes that are still to come, those in early too
	err   error      // what further reads return
}

var errLeft = errors.New("the web server has closed the connection")

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.err != nil:
		return 0, b.err
	case len(p) == 0:
		return 0, nil
	}
	p = p[:min(int64(len(p)), b.left)]
	n, err := b.read(p)
	if b.left -= int64(n); b.left == 0 {
		err = io.EOF
		b.presence.c.clearReadDeadline()
		b.presence.arrive()
	} else if err != nil {
		if err = bodyError(err); err != ErrSlow {
			b.presence.cancel(errLeft)
		}
	}
	b.err = err
	return n, err
}

func (b *body) read(p []byte) (int, error) {
	if len(b.early) > 0 {
		n := copy(p, b.early)
		b.early = b.early[n:]
		return n, nil
	}
	c := b.presence.c
	if b.pace.Timeout == 0 {
		return c.Conn.Read(p)
	}
	begin := time.Now()
	c.setReadDeadline(begin.Add(b.pace.Begin()))
	n, err := c.Conn.Read(p)
	b.pace.End(time.Since(begin), n)
	return n, err
}

// finish ends all reading, and reports whether everything that the peer sends
// was read: then the connection may be closed without another word.
func (b *body) finish() (clean bool) {
	for !b.mu.TryLock() {
		// Somebody reads on, who should not. A new deadline of his own may
		// come after this one, but not a second time.
		b.presence.c.Conn.SetReadDeadline(past)
		time.Sleep(time.Millisecond)
	}
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = errors.New("the request is over")
	}
	return b.presence.leave() && b.left == 0
}
