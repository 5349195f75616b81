package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// slowConn is a connection that notes what it is given at once.
type slowConn struct {
	net.Conn
	sizes     []int64
	deadlines int
}

func (c *slowConn) Write(p []byte) (int, error) {
	c.sizes = append(c.sizes, int64(len(p)))
	return len(p), nil
}

func (c *slowConn) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(io.Discard, r)
	c.sizes = append(c.sizes, n)
	return n, err
}

func (c *slowConn) SetWriteDeadline(time.Time) error { c.deadlines++; return nil }

// TestConnPieces sees that a client has WriteTimeout for each piece of a
// response, and not for all of a block or a file.
func TestConnPieces(t *testing.T) {
	tests := []struct {
		name string
		send func(c *conn, n int) error
		n    int
		want []int64
	}{
		{"block", func(c *conn, n int) error { _, err := c.Write(make([]byte, n)); return err }, 2*piece + 1, []int64{piece, piece, 1}},
		{"file", func(c *conn, n int) error {
			_, err := c.ReadFrom(&io.LimitedReader{R: bytes.NewReader(make([]byte, n)), N: int64(n)})
			return err
		}, 2*filePiece + 1, []int64{filePiece, filePiece, 1}},
		{"rest of a file", func(c *conn, n int) error { _, err := c.ReadFrom(bytes.NewReader(make([]byte, n))); return err }, filePiece + 1, []int64{filePiece, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			under := new(slowConn)
			c := newConn(under, &Server{WriteTimeout: time.Nanosecond}) // each piece needs a deadline of its own
			if err := tt.send(c, tt.n); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, under.sizes); diff != "" {
				t.Errorf("sizes (-want +got):\n%s", diff)
			}
			if under.deadlines != len(tt.want) {
				t.Errorf("%d deadlines, expected one for each piece", under.deadlines)
			}
		})
	}
}

// TestConnHush has net/http begin to read when it was told to give up before.
func TestConnHush(t *testing.T) {
	under, client := net.Pipe()
	defer client.Close()
	c := newConn(under, new(Server))
	defer c.Close()
	read := make(chan error, 1)
	wait := func() { _, err := c.Read(make([]byte, 1)); read <- err }
	go wait()
	c.hush()
	if err := <-read; err == nil {
		t.Error("a read that waited succeeded")
	}
	c.SetReadDeadline(time.Time{})
	go wait()
	if err := <-read; err != io.EOF {
		t.Errorf("a later read ended in %v, expected io.EOF", err)
	}
}

// TestSilentLate has a connection come in when the silent ones were told to go.
func TestSilentLate(t *testing.T) {
	under, client := net.Pipe()
	defer client.Close()
	c := newConn(under, new(Server))
	defer c.Close()
	s := new(silent)
	s.stop()
	s.add(c)
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("reading ended in %v, expected io.EOF", err)
	}
}

// TestConnDeadline takes an application's deadline back when it has passed: what is
// written then has its time again, though not long ago it had been given enough.
func TestConnDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under, client := net.Pipe()
		defer client.Close()
		go io.Copy(io.Discard, client)
		c := newConn(under, &Server{WriteTimeout: time.Hour})
		defer c.Close()
		write := func(when string) {
			if _, err := c.Write([]byte("x")); err != nil {
				t.Errorf("%s: %v", when, err)
			}
		}
		write("first")
		c.SetWriteDeadline(time.Now().Add(time.Minute))
		time.Sleep(2 * time.Minute)
		if _, err := c.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after the deadline of the application: %v", err)
		}
		c.SetWriteDeadline(time.Time{})
		write("when it is taken back")
		time.Sleep(24 * time.Hour)
		write("after a day")
	})
}

func TestLimit(t *testing.T) {
	for field, want := range map[int]int{0: 7, 3: 3, -1: 0} {
		if got := limit(field, 7); got != want {
			t.Errorf("limit(%d, 7) = %d, expected %d", field, got, want)
		}
	}
}
