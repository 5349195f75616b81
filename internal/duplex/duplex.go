// Package duplex is for a connection that one goroutine reads and another
// writes, and whose end means that what was read is the whole.
//
// A peer that has to break off what it sends resets the connection. The system
// reports that once: to whoever asks first. Where that is the writer, the reader
// sees an end like any other, and takes a part for the whole.
package duplex

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Stream is what a Conn needs of a connection.
type Stream interface {
	io.ReadWriter
	SetWriteDeadline(t time.Time) error
}

// Conn is a connection whose reader learns of a reset in any case. Read and
// Write may be called by one goroutine each.
type Conn struct {
	Stream

	writing sync.Mutex // held while writing
	reset   bool       // a write was told of a reset
	ended   atomic.Bool
}

// errEnded is what a write gets that the reader has interrupted.
var errEnded = errors.New("the peer has ended its side of the connection")

// Write writes p.
func (c *Conn) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.ended.Load() {
		return 0, errEnded
	}
	n, err := c.Stream.Write(p)
	// A peer that has ended its side first, and then resets what comes late,
	// gives EPIPE: what it sent is whole.
	c.reset = c.reset || errors.Is(err, syscall.ECONNRESET)
	if err != nil && c.ended.Load() {
		err = errEnded
	}
	return n, err
}

// Read reads. It returns io.EOF when the peer has ended its side, and then
// nothing more is written; a reset is another error.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Stream.Read(p)
	if err == io.EOF && c.wasReset() {
		err = fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, syscall.ECONNRESET)
	}
	return n, err
}

// wasReset asks the writer, after interrupting it: a peer may have ended its
// side and read nothing for a long time.
func (c *Conn) wasReset() bool {
	c.ended.Store(true)
	for !c.writing.TryLock() {
		// A deadline of the writer's own may come after this one, but not a
		// second time.
		c.Stream.SetWriteDeadline(past)
		time.Sleep(time.Millisecond)
	}
	defer c.writing.Unlock()
	return c.reset
}

var past = time.Unix(1, 0)
