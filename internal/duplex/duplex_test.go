package duplex

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// pair returns the two ends of a connection.
func pair(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Close()
		s.Close()
	})
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// send writes until that fails, and returns the error.
func send(c *Conn) <-chan error {
	sent := make(chan error, 1)
	go func() {
		for b := make([]byte, 64<<10); ; {
			if _, err := c.Write(b); err != nil {
				sent <- err
				return
			}
		}
	}()
	return sent
}

// The writer is told of the reset, and the reader knows.
func TestReset(t *testing.T) {
	near, far := pair(t)
	c := &Conn{Stream: near}
	sent := send(c)
	io.CopyN(io.Discard, far, 1<<20)
	far.SetLinger(0)
	far.Close()
	if err := <-sent; !errors.Is(err, syscall.ECONNRESET) {
		t.Fatalf("the writer gets %v, expected a reset", err)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the reader gets %d bytes, %v, expected that the end is not one", n, err)
	}
}

// A peer that has said all, and does not read, keeps neither side waiting.
func TestEnded(t *testing.T) {
	near, far := pair(t)
	c := &Conn{Stream: near}
	near.SetWriteDeadline(time.Now().Add(time.Hour))
	sent := send(c)
	far.CloseWrite()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the reader gets %d bytes, %v, expected the end", n, err)
	}
	if err := <-sent; err != errEnded {
		t.Errorf("the writer gets %v, expected that it is over", err)
	}
}

// A peer that has said all and then closes has said all.
func TestEndedAndClosed(t *testing.T) {
	near, far := pair(t)
	c := &Conn{Stream: near}
	sent := send(c)
	io.CopyN(io.Discard, far, 1<<20)
	far.CloseWrite()
	io.CopyN(io.Discard, far, 1<<20) // by then it has been heard
	far.SetLinger(0)
	far.Close()
	<-sent
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the reader gets %d bytes, %v, expected the end", n, err)
	}
}
