//go:build unix

package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// dial returns both ends of a connection.
func dial(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	theirs, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { theirs.Close() })
	ours, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ours.Close() })
	return ours, theirs
}

// TestPour: a block arrives as it was, and it is no matter how much of it the client
// takes at once.
func TestPour(t *testing.T) {
	ours, theirs := dial(t)
	block := make([]byte, 40*filePiece+1) // which is more than any buffer has room for
	for i := range block {
		block[i] = byte(i * 7 >> 10)
	}
	wrote := make(chan error, 1)
	go func() {
		n, err := newConn(ours, new(Server)).Write(block)
		if n != len(block) && err == nil {
			err = io.ErrShortWrite
		}
		wrote <- err
		ours.Close()
	}()
	got, err := io.ReadAll(theirs)
	if err != nil || !bytes.Equal(got, block) {
		t.Errorf("%d bytes came, %v, and they are the same: %v; want all %d", len(got), err, bytes.Equal(got, block), len(block))
	}
	if err := <-wrote; err != nil {
		t.Errorf("Write: %v", err)
	}
}

// TestPourWaitsForNobody: a full buffer takes nothing, and a client that takes nothing
// is left after its time.
func TestPourWaitsForNobody(t *testing.T) {
	ours, _ := dial(t)
	block := make([]byte, filePiece)
	total := 0
	for n := -1; n != 0; total += n {
		n = pour(ours, block)
	}
	if total == 0 {
		t.Error("a buffer that is empty takes nothing")
	}
	c := newConn(ours, &Server{WriteTimeout: time.Millisecond})
	if n, err := c.Write(block); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Write to a client that takes nothing: %d, %v, want the end of its time", n, err)
	}
	ours.Close()
	if n := pour(ours, block); n != 0 {
		t.Errorf("a closed connection has taken %d bytes", n)
	}
}
