package backend

import "time"

// How long a peer is listened to whose answer is written, as nginx has it for its
// clients: in all, and from one piece to the next.
const (
	lingerTime  = 30 * time.Second
	lingerPause = 5 * time.Second
)

var past = time.Unix(1, 0)

// BeginLinger tells the peer that nothing follows. What it still has to send may be
// read from then on, within limits. A plain close would reset the connection, and the
// answer would be lost with it: web servers send the whole body of a request first,
// however large. When the server is being stopped, there is less time.
func (c *Conn) BeginLinger() error {
	if err := c.CloseWrite(); err != nil {
		return err
	}
	c.Server.mu.Lock()
	defer c.Server.mu.Unlock()
	if c.state != lingering {
		c.state = lingering
		d := lingerTime
		if c.Server.stopping {
			d = lingerPause
		}
		c.lingerFor(d)
	}
	c.armLinger(c.until.Load()) // for a read that is under way
	return nil
}

// lingerFor bounds what is left of the time. The caller holds Server.mu.
func (c *Conn) lingerFor(d time.Duration) {
	end := time.Now().Add(d)
	if until := c.until.Load(); until == nil || end.Before(*until) {
		c.until.Store(&end)
	}
}

// EndLinger ends the reading, and what is being read: all that counts has come.
func (c *Conn) EndLinger() {
	c.until.Store(&past)
	c.Conn.SetReadDeadline(past)
}

// armLinger sets the deadline of a read, of which the peer's pause is one bound.
func (c *Conn) armLinger(until *time.Time) {
	deadline := time.Now().Add(lingerPause)
	if until.Before(deadline) {
		deadline = *until
	}
	c.Conn.SetReadDeadline(deadline)
}

// Read reads, and as long as BeginLinger says when that was called.
func (c *Conn) Read(p []byte) (int, error) {
	if until := c.until.Load(); until != nil {
		c.armLinger(until)
	}
	return c.Conn.Read(p)
}

// Linger is BeginLinger, and reads for nobody.
func (c *Conn) Linger() {
	if c.BeginLinger() != nil {
		return
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	for {
		if _, err := c.Read((*buffer)[:cap(*buffer)]); err != nil {
			return
		}
	}
}
