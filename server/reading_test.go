package server

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// countedConn notes what a conn asks of what is below it.
type countedConn struct {
	net.Conn
	reads, deadlines int
}

func (c *countedConn) Read(p []byte) (int, error) {
	c.reads++
	return c.Conn.Read(p)
}

func (c *countedConn) SetReadDeadline(t time.Time) error {
	c.deadlines++
	return c.Conn.SetReadDeadline(t)
}

// long ago is what net/http ends a read with.
var longAgo = time.Unix(1, 0)

// TestLurk: what net/http reads to learn that a client has left is not asked of
// the connection before the request has taken a while, and ends when it shall.
func TestLurk(t *testing.T) {
	tests := []struct {
		name  string
		sent  string // before
		then  func(c *conn, client net.Conn)
		after time.Duration // until the read ends
		reads int
		want  error // of net/http's Read
	}{
		{"a short request", "", func(c *conn, _ net.Conn) {
			time.Sleep(lurkTime / 2)
			c.SetReadDeadline(longAgo)
		}, lurkTime / 2, 0, os.ErrDeadlineExceeded},
		{"a long request", "", func(c *conn, _ net.Conn) {
			time.Sleep(4 * lurkTime)
			c.SetReadDeadline(longAgo)
		}, 4 * lurkTime, 1, os.ErrDeadlineExceeded},
		{"the client leaves at once", "", func(_ *conn, client net.Conn) { client.Close() }, lurkTime, 1, io.EOF},
		{"the client leaves later", "", func(_ *conn, client net.Conn) {
			time.Sleep(3 * lurkTime)
			client.Close()
		}, 3 * lurkTime, 1, io.EOF},
		{"the server is closed", "", func(c *conn, _ net.Conn) { c.Close() }, 0, 1, io.ErrClosedPipe},
		{"within a head", "GET / HT", func(_ *conn, client net.Conn) { client.Write([]byte("T")) }, 0, 1, nil},
		{"after a body", "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", func(c *conn, _ net.Conn) { c.SetReadDeadline(longAgo) },
			0, 0, os.ErrDeadlineExceeded},
		{"within a body", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nx", func(_ *conn, client net.Conn) { client.Write([]byte("x")) },
			0, 1, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				under, client := net.Pipe()
				defer client.Close()
				counted := &countedConn{Conn: under}
				c := newConn(counted, new(Server))
				defer c.Close()
				if tt.sent != "" {
					go client.Write([]byte(tt.sent))
					if _, err := c.Read(make([]byte, 4096)); err != nil {
						t.Fatal(err)
					}
				}
				counted.reads = 0
				begin, read := time.Now(), make(chan error, 1)
				go func() {
					_, err := c.Read(make([]byte, 1))
					read <- err
				}()
				synctest.Wait()
				go tt.then(c, client)
				err := <-read
				if !errors.Is(err, tt.want) {
					t.Errorf("the read ends with %v, want %v", err, tt.want)
				}
				if took := time.Since(begin); took != tt.after {
					t.Errorf("the read took %v, want %v", took, tt.after)
				}
				if counted.reads != tt.reads {
					t.Errorf("%d reads below, want %d", counted.reads, tt.reads)
				}
				synctest.Wait()
			})
		})
	}
}

// TestLurkAgain: the watch over one request leaves nothing behind for the next.
func TestLurkAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under, client := net.Pipe()
		defer client.Close()
		c := newConn(under, new(Server))
		defer c.Close()
		for i := range 3 {
			c.SetReadDeadline(time.Time{})
			read := make(chan error, 1)
			begin := time.Now()
			go func() {
				_, err := c.Read(make([]byte, 1))
				read <- err
			}()
			time.Sleep(lurkTime / 2)
			c.SetReadDeadline(longAgo)
			if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != lurkTime/2 {
				t.Errorf("request %d: the watch ends with %v after %v", i, err, time.Since(begin))
			}
		}
	})
}

// TestReadDeadlines: the deadlines that net/http sets for each request cost
// nothing, and hold to the moment.
func TestReadDeadlines(t *testing.T) {
	tests := []struct {
		name string
		set  func(c *conn) // in the beginning, while a read waits
		want time.Duration // until it ends; 0 for never
	}{
		{"a later one", func(c *conn) {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			time.Sleep(5 * time.Second)
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
		}, 15 * time.Second},
		{"an earlier one", func(c *conn) {
			c.SetReadDeadline(time.Now().Add(75 * time.Second))
			time.Sleep(time.Second)
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
		}, 11 * time.Second},
		{"one after none", func(c *conn) {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			c.SetReadDeadline(time.Time{})
			time.Sleep(60 * time.Second)
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
		}, 70 * time.Second},
		{"at once", func(c *conn) { c.SetReadDeadline(longAgo) }, time.Nanosecond},
		{"of both halves", func(c *conn) { c.SetDeadline(time.Now().Add(time.Second)) }, time.Second},
		{"none", func(c *conn) {
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			time.Sleep(5 * time.Second)
			c.SetReadDeadline(time.Time{})
		}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				under, client := net.Pipe()
				c := newConn(under, new(Server))
				begin, read := time.Now(), make(chan error, 1)
				go func() {
					_, err := c.Read(make([]byte, 16))
					read <- err
				}()
				synctest.Wait()
				tt.set(c)
				late := time.After(time.Hour)
				select {
				case err := <-read:
					if took := time.Since(begin); !errors.Is(err, os.ErrDeadlineExceeded) || took.Round(time.Second) != tt.want.Round(time.Second) || tt.want == 0 {
						t.Errorf("the read ends with %v after %v, want the deadline after %v", err, took, tt.want)
					}
				case <-late:
					if tt.want != 0 {
						t.Errorf("the read has not ended, want its deadline after %v", tt.want)
					}
					client.Close()
					<-read
				}
				c.Close()
				client.Close()
			})
		})
	}
}

// TestReadDeadlinesKept: many requests do not move the timer below, but when its
// time has come.
func TestReadDeadlinesKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		under, client := net.Pipe()
		counted := &countedConn{Conn: under}
		c := newConn(counted, new(Server))
		go func() {
			for range 1000 {
				client.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
				time.Sleep(time.Millisecond)
			}
			client.Close()
		}()
		requests := 0
		for buffer := make([]byte, 4096); ; requests++ {
			c.SetReadDeadline(time.Now().Add(75 * time.Second))
			if _, err := c.Read(buffer); err != nil {
				break
			}
			c.SetReadDeadline(time.Now().Add(10 * time.Second))
			c.SetReadDeadline(time.Time{})
		}
		c.Close()
		if requests != 1000 || counted.deadlines > 2 {
			t.Errorf("%d deadlines below for %d requests, want no more than 2 for 1000", counted.deadlines, requests)
		}
	})
}
