package backend

import (
	"context"
	"errors"
	"net"
	"runtime"
	"testing"
	"time"
)

// connected returns both ends of a connection over TCP.
func connected(t *testing.T) (near, far net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	if near, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	far.SetDeadline(time.Now().Add(10 * time.Second))
	return near, far
}

// newPresence is a request on near whose body has left bytes to come.
func newPresence(t *testing.T, near net.Conn, left int64) (*presence, *body) {
	ctx, cancel := context.WithCancelCause(context.Background())
	t.Cleanup(func() { cancel(nil) })
	p := &presence{Context: ctx, cancel: cancel, c: &Conn{Conn: near, Server: new(Server), direct: newDirect(near)}}
	b := &body{presence: p, left: left}
	if left == 0 {
		p.arrive()
	}
	return p, b
}

// wrapped is a connection that is not plainly a socket.
type wrapped struct{ net.Conn }

// TestPresence: whoever asks the context learns that the peer has left, however it
// asks, and whether or not the connection can be asked without waiting.
func TestPresence(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"socket":  func(c net.Conn) net.Conn { return c },
		"wrapped": func(c net.Conn) net.Conn { return wrapped{c} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("Done", func(t *testing.T) {
				near, far := connected(t)
				p, b := newPresence(t, wrap(near), 0)
				far.Close()
				<-p.Done()
				if err := context.Cause(p); !errors.Is(err, errLeft) {
					t.Errorf("the cause is %v, expected %v", err, errLeft)
				}
				if !b.finish() {
					t.Error("something was left to read, expected nothing")
				}
			})
			t.Run("Err", func(t *testing.T) {
				near, far := connected(t)
				p, b := newPresence(t, wrap(near), 0)
				if err := p.Err(); err != nil {
					t.Errorf("Err is %v while the peer is there", err)
				}
				far.Close()
				for p.Err() == nil { // the watch finds out
					time.Sleep(time.Millisecond)
				}
				b.finish()
			})
			t.Run("derived", func(t *testing.T) {
				near, far := connected(t)
				p, b := newPresence(t, wrap(near), 0)
				ctx, cancel := context.WithTimeout(p, time.Hour)
				defer cancel()
				far.Close()
				<-ctx.Done()
				if err := context.Cause(ctx); !errors.Is(err, errLeft) {
					t.Errorf("the cause is %v, expected %v", err, errLeft)
				}
				b.finish()
			})
			t.Run("surplus", func(t *testing.T) {
				near, far := connected(t)
				p, b := newPresence(t, wrap(near), 0)
				p.suspect = true
				far.Write([]byte("nobody's"))
				if name == "wrapped" || b.presence.c.direct == nil { // the watch has to have come to it
					for p := b.presence; ; time.Sleep(time.Millisecond) {
						p.mu.Lock()
						seen := p.surplus
						p.mu.Unlock()
						if seen {
							break
						}
					}
				}
				if b.finish() {
					t.Error("nothing was left to read, expected a surplus")
				}
			})
		})
	}
}

// TestPresenceLooks: an application that asks once, late, gets the truth.
func TestPresenceLooks(t *testing.T) {
	near, far := connected(t)
	p, b := newPresence(t, near, 0)
	needsDirect(t, p)
	far.Close()
	near.SetReadDeadline(time.Now().Add(10 * time.Second))
	var one [1]byte
	near.Read(one[:]) // until the end has come
	if err := p.Err(); err == nil {
		t.Error("Err is nil after the peer has left")
	}
	b.finish()
}

// TestPresenceDoesNotWait: the context can be asked while the body is read.
func TestPresenceDoesNotWait(t *testing.T) {
	near, far := connected(t)
	p, b := newPresence(t, near, 1)
	read := make(chan error)
	go func() {
		_, err := b.Read(make([]byte, 1))
		read <- err
	}()
	for b.mu.TryLock() { // until it reads
		b.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	done := p.Done()
	if err := p.Err(); err != nil {
		t.Errorf("Err is %v, expected none", err)
	}
	far.Write([]byte("x"))
	<-read
	far.Close()
	<-done // which the watch saw to when the body had come
	b.finish()
}

// TestNobodyAsks: a request whose context nobody asks starts no goroutine.
func TestNobodyAsks(t *testing.T) {
	near, _ := connected(t)
	p, b := newPresence(t, near, 0)
	needsDirect(t, p)
	if p.Value("what middleware keeps there") != nil {
		t.Error("the context has a value")
	}
	if !b.finish() || p.watching != nil {
		t.Error("the connection was watched though nobody asked")
	}
}

// needsDirect skips a test of what a look at the socket does on a system where there
// is none. On those of CI there is: its absence is a failure.
func needsDirect(t *testing.T, p *presence) {
	t.Helper()
	if p.c.direct != nil {
		return
	}
	if runtime.GOOS != "windows" {
		t.Fatal("a socket cannot be read without waiting, expected that it can on every Unix")
	}
	t.Skip("a socket is not read without waiting on " + runtime.GOOS + ": what is tested is not there")
}
