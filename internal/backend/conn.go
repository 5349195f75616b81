package backend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"
)

// Conn is a connection from a web server. Write may be called by one goroutine
// at a time.
type Conn struct {
	net.Conn
	Server *Server

	state    state                     // guarded by Server.mu
	until    atomic.Pointer[time.Time] // when lingering ends, and nothing is read any more; nil before it
	deadline time.Time                 // of writing
	timed    bool                      // there is a deadline of reading; Server.mu guards it until Begin
	direct   direct                    // nil where there is no such thing
}

type state uint8

const (
	fresh     state = iota // nothing has come
	busy                   // a request is under way
	idle                   // it waits for another request
	lingering              // its answer is written, and there will be no other
)

// Begin marks c as busy with a request, which Server.Shutdown waits for. It
// returns false when the server is being stopped and c was idle: then its
// connection is closed.
func (c *Conn) Begin() bool {
	c.Server.mu.Lock()
	defer c.Server.mu.Unlock()
	if c.state == idle && c.Server.stopping {
		return false
	}
	c.state = busy
	return true
}

// Rest marks c as idle. It returns false when the server is being stopped and
// there will be no other request.
func (c *Conn) Rest() bool {
	c.Server.mu.Lock()
	defer c.Server.mu.Unlock()
	c.state = idle
	return !c.Server.stopping
}

// ArmHead sets the deadline for the head of a request, or the rest of one, that
// is still to come on a new connection.
func (c *Conn) ArmHead() {
	c.Server.mu.Lock()
	defer c.Server.mu.Unlock()
	timeout := c.Server.ReadHeaderTimeout
	if c.Server.stopping && c.state == fresh && (timeout == 0 || timeout > grace) {
		timeout = grace
	}
	if timeout > 0 {
		c.setReadDeadline(time.Now().Add(timeout))
	}
}

func (c *Conn) setReadDeadline(t time.Time) {
	c.timed = true
	c.Conn.SetReadDeadline(t)
}

// clearReadDeadline takes the deadline away, which costs something, where there
// is one.
func (c *Conn) clearReadDeadline() {
	if c.timed {
		c.timed = false
		c.Conn.SetReadDeadline(time.Time{})
	}
}

// Piece is how many bytes the peer must send, or take, within one timeout.
const Piece = 64 << 10

// Write writes p in pieces, each of which the peer must take in time.
func (c *Conn) Write(p []byte) (written int, err error) {
	if c.deadline.IsZero() && c.direct != nil {
		if written = c.direct.write(p[:min(len(p), Piece)]); written == len(p) {
			return written, nil
		}
		p = p[written:]
	}
	for {
		c.arm()
		n, err := c.Conn.Write(p[:min(len(p), Piece)])
		written += n
		if p = p[n:]; err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// arm sees to it that at least the timeout is left for the next write. It
// renews the deadline only when less is left, for that is not cheap.
func (c *Conn) arm() {
	timeout := c.Server.WriteTimeout
	if timeout == 0 {
		return
	}
	if now := time.Now(); c.deadline.Sub(now) < timeout {
		c.deadline = now.Add(2 * timeout)
		c.Conn.SetWriteDeadline(c.deadline)
	}
}

// CloseWrite tells the peer that nothing follows. nginx passes a response on
// to its client to the end only when it sees that.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Reset closes c as if it had broken, where it is TCP: what was sent must not
// be taken for a whole response.
func (c *Conn) Reset() {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	c.Conn.Close()
}

// Malformed reports that c is closed because what came is not of the protocol, or
// not all of it. A web server that is configured for another protocol, or with a
// head beyond the limit, learns nothing but that: the log is where to look.
func (c *Conn) Malformed(err error) {
	if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return // nobody has said anything
	}
	level := slog.LevelWarn
	if ne := net.Error(nil); errors.As(err, &ne) {
		level = slog.LevelDebug // the peer was silent, or has left: it has its own log
	}
	c.Server.Logger.LogAttrs(context.Background(), level, "connection closed",
		slog.String("reason", err.Error()), slog.String("remote", c.RemoteAddr().String()))
}
