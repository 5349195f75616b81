package bridge

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

// A frame is what one side says to the other: four bytes with the length of
// what follows, big-endian, a byte that says what it is, and a value. Only one
// side speaks at a time: whoever has sent a frame that wants an answer listens
// until it has come.
type frame struct {
	kind  byte
	value any
}

// The kinds of frames: those of both sides, those of whoever is the server,
// and those of whoever is the application.
const (
	frameCall   = 'c' // do this: (name, arguments...)
	frameResult = 'r' // it was done, with this result
	frameRaised = 'x' // it raised: how Python describes an exception, or a cause
	frameEvent  = 'v' // this happened, and wants no answer

	frameApp   = 'a' // the application is called
	frameNext  = 'n' // the body is asked for a block
	frameClose = 'k' // the body is closed

	frameReturn = 'q' // the application returns: (shape, arguments...)
	frameRaise  = 'e' // the application, or its body, raises
	frameYield  = 'y' // the body yields a block
	frameStop   = 's' // the body is at its end
	frameClosed = 'd' // the body is closed

	frameLane = 'l' // a thread of the driver is ready, with this token
)

// headerLength is that of what stands before the value of a frame, in bytes.
const headerLength = 5

// conn is a connection that carries frames. One goroutine at a time uses it.
type conn struct {
	net.Conn
	r   *bufio.Reader
	out []byte
}

func newConn(c net.Conn) *conn { return &conn{Conn: c, r: bufio.NewReader(c)} }

// send sends a frame.
func (c *conn) send(kind byte, value any) error {
	c.out = appendValue(append(c.out[:0], 0, 0, 0, 0, kind), value)
	n := len(c.out) - 4
	if n > maxFrame {
		c.out = nil
		return fmt.Errorf("bridge: a frame of %d bytes is more than %d", n, maxFrame)
	}
	binary.BigEndian.PutUint32(c.out, uint32(n))
	_, err := c.Write(c.out)
	if cap(c.out) > 64<<10 {
		c.out = nil // not worth keeping
	}
	return err
}

// receive receives a frame. The error is io.EOF when the connection ended
// between two frames.
func (c *conn) receive() (frame, error) {
	var header [headerLength]byte
	if _, err := io.ReadFull(c.r, header[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("bridge: a frame is cut")
		}
		return frame{}, err
	}
	n := binary.BigEndian.Uint32(header[:])
	if n < 1 || n > maxFrame {
		return frame{}, fmt.Errorf("bridge: a frame of %d bytes, expected 1 to %d", n, maxFrame)
	}
	payload, err := io.ReadAll(io.LimitReader(c.r, int64(n-1))) // grows with what comes
	if err != nil {
		return frame{}, err
	}
	if len(payload) < int(n-1) {
		return frame{}, errors.New("bridge: a frame is cut")
	}
	value, err := decodeValue(payload)
	if err != nil {
		return frame{}, err
	}
	return frame{header[4], value}, nil
}

// canSendFiles reports whether open files can travel on the connection.
func (c *conn) canSendFiles() bool {
	_, ok := c.Conn.(*net.UnixConn)
	return ok && filesTravel
}

// sendFile sends one byte with the descriptor of an open file.
func (c *conn) sendFile(file *os.File) error {
	unix, ok := c.Conn.(*net.UnixConn)
	if !ok {
		return errors.ErrUnsupported
	}
	return writeFile(unix, file)
}
