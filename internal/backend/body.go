package backend

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"
)

// body is a request body of a known length that follows the head on a
// connection which carries nothing else. When it has come it goes on reading,
// to notice that the peer has left.
type body struct {
	c      *Conn
	cancel context.CancelCauseFunc
	pace   Pace

	mu      sync.Mutex // held while reading; an application may leave a reader behind
	early   []byte     // came with the head
	left    int64      // bytes that are still to come, those in early too
	err     error      // what further reads return
	surplus bool       // more came than was declared

	watching chan struct{} // closed when the watch has ended; nil before it began
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
		b.watch()
	} else if err != nil {
		if err = bodyError(err); err != ErrSlow {
			b.cancel(errLeft)
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
	if b.pace.Timeout == 0 {
		return b.c.Conn.Read(p)
	}
	begin := time.Now()
	b.c.Conn.SetReadDeadline(begin.Add(b.pace.Begin()))
	n, err := b.c.Conn.Read(p)
	b.pace.End(time.Since(begin), n)
	return n, err
}

// watch reads what should be nothing, until the peer ends the connection or
// finish is called. The caller holds the lock.
func (b *body) watch() {
	b.c.Conn.SetReadDeadline(time.Time{})
	b.watching = make(chan struct{})
	go func() {
		defer close(b.watching)
		var surplus [512]byte
		for {
			// More than was declared is ignored: nginx sends it when it does
			// not buffer, and there is no request that it could be.
			if _, err := b.c.Conn.Read(surplus[:]); err != nil {
				b.cancel(errLeft)
				return
			}
			b.mu.Lock()
			b.surplus = true
			b.mu.Unlock()
		}
	}()
}

// finish ends all reading, and reports whether everything that the peer sends
// was read: then the connection may be closed without another word.
func (b *body) finish() (clean bool) {
	for !b.mu.TryLock() {
		// Somebody reads on, who should not. A new deadline of his own may
		// come after this one, but not a second time.
		b.c.Conn.SetReadDeadline(past)
		time.Sleep(time.Millisecond)
	}
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = errors.New("the request is over")
	}
	if b.watching != nil {
		b.c.Conn.SetReadDeadline(past)
		b.mu.Unlock()
		<-b.watching
		b.mu.Lock()
	}
	return b.left == 0 && !b.surplus
}

var past = time.Unix(1, 0)
