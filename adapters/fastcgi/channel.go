package fastcgi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/forward"
)

// sent is the protocol from the web server's side.
var sent = forward.Protocol{
	Form: cgi.Status,
	Keep: true,
	Head: func(b []byte, pairs forward.Pairs, keep bool) ([]byte, error) {
		flags := uint8(0)
		if keep {
			flags = fcgi.KeepConn
		}
		b, err := fcgi.AppendParams(fcgi.AppendBegin(b, channelID, fcgi.Responder, flags), channelID, pairs)
		if err != nil {
			return b, err
		}
		return fcgi.AppendStreamEnd(b, fcgi.Params, channelID), nil
	},
	// A program over libfcgi that answers without reading its input takes an
	// end that comes later for the beginning of the next request, drops that
	// one, and closes the connection.
	End: func(b []byte) []byte { return fcgi.AppendStreamEnd(b, fcgi.Stdin, channelID) },
	Open: func(s forward.Stream, errs io.Writer) forward.Channel {
		return &channel{s: s, in: bufio.NewReaderSize(s, 8<<10), errs: errs, room: mostErrors}
	},
}

// channelID is the id of every request: a connection carries one at a time.
const channelID = 1

// mostErrors is how much of a request's FCGI_STDERR is passed on, in bytes.
const mostErrors = 64 << 10

// channel is one request as its records.
type channel struct {
	s    forward.Stream
	in   *bufio.Reader
	errs io.Writer
	room int // for FCGI_STDERR

	writing sync.Mutex // around out and writes to s
	out     []byte

	left, padding int   // of the STDOUT record that is being read
	err           error // what further reads return
}

// Write sends a part of the request body.
func (c *channel) Write(p []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.out = fcgi.AppendStream(c.out[:0], fcgi.Stdin, channelID, p)
	if _, err := c.s.Write(c.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// CloseWrite ends the request body.
func (c *channel) CloseWrite() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.s.Write(fcgi.AppendStreamEnd(nil, fcgi.Stdin, channelID))
	return err
}

// Abort sends ABORT_REQUEST, unless a record is being written: the end of the
// connection, which follows, says the same.
func (c *channel) Abort() {
	if c.writing.TryLock() {
		defer c.writing.Unlock()
		c.s.Write(fcgi.AppendAbort(nil, channelID))
	}
}

// Reusable reports whether END_REQUEST has come, and nothing behind it.
func (c *channel) Reusable() bool { return c.err == io.EOF && c.in.Buffered() == 0 }

// Read reads the STDOUT stream. Its end is that of the request: without
// END_REQUEST it may be a part of the response only.
func (c *channel) Read(p []byte) (int, error) {
	for c.left == 0 && c.err == nil {
		c.err = c.next()
	}
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.in.Read(p[:min(len(p), c.left)])
	if c.left -= n; err != nil {
		c.err = cutShort(err)
	}
	if n > 0 {
		return n, nil
	}
	return 0, c.err
}

// next reads records up to one with content for Read. Its io.EOF is
// END_REQUEST.
func (c *channel) next() error {
	if _, err := c.in.Discard(c.padding); err != nil {
		return cutShort(err)
	}
	c.padding = 0
	b, err := c.in.Peek(fcgi.HeaderLen)
	if err != nil {
		return cutShort(err)
	}
	h, err := fcgi.ParseHeader(b)
	if err != nil {
		return err
	}
	c.in.Discard(fcgi.HeaderLen)
	c.padding = int(h.Padding)
	switch {
	case h.ID == 0: // of the connection, and nobody asked
		_, err = c.in.Discard(int(h.Length))
	case h.ID != channelID:
		return fmt.Errorf("record has the request id %d, expected %d", h.ID, channelID)
	case h.Type == fcgi.Stdout:
		c.left = int(h.Length)
		return nil
	case h.Type == fcgi.Stderr:
		err = c.warn(int(h.Length))
	case h.Type == fcgi.EndRequest:
		return c.end(h)
	default:
		return fmt.Errorf("record has the type %d, expected one of a response", h.Type)
	}
	if err != nil {
		return cutShort(err)
	}
	return nil
}

// cutShort says of an error within a response that there is no END_REQUEST.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// warn passes on a record of STDERR, as far as there is room.
func (c *channel) warn(n int) error {
	part := min(n, c.room)
	c.room -= part
	for left := part; left > 0; { // as it comes: n is what the backend says
		if _, err := c.in.Peek(1); err != nil {
			return err
		}
		text, _ := c.in.Peek(min(left, c.in.Buffered()))
		if _, err := c.errs.Write(text); err != nil {
			return err
		}
		left -= len(text)
		c.in.Discard(len(text))
	}
	_, err := c.in.Discard(n - part)
	return err
}

// end reads END_REQUEST.
func (c *channel) end(h fcgi.Header) error {
	if h.Length != fcgi.BodyLen {
		return fmt.Errorf("END_REQUEST has %d bytes, expected %d", h.Length, fcgi.BodyLen)
	}
	content, err := c.in.Peek(fcgi.BodyLen)
	if err != nil {
		return cutShort(err)
	}
	_, status, err := fcgi.ParseEnd(content)
	if err != nil {
		return err
	}
	if _, err := c.in.Discard(fcgi.BodyLen + c.padding); err != nil {
		return cutShort(err)
	}
	switch status {
	case fcgi.RequestComplete:
		return io.EOF
	case fcgi.Overloaded:
		return forward.ErrOverloaded
	case fcgi.CantMpxConn:
		return errors.New("the backend says that the connection carries another request")
	case fcgi.UnknownRole:
		return errors.New("the backend says that it is no Responder")
	}
	return fmt.Errorf("END_REQUEST has the protocol status %d, expected 0", status)
}
