package wsgitest

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// dialogue is an exchange in which the body of the request may wait for the
// response, and the response for the body. It is the body, and ends the
// connection when both wait: a Read that does not return can be left, not ended.
type dialogue struct {
	conn    net.Conn
	stream  io.Reader
	silence time.Duration
	last    atomic.Int64 // when something came from the server, by the clock of began

	once  sync.Once
	stuck chan struct{} // closed when both have waited too long
}

// began is the beginning of a clock that nobody sets.
var began = time.Now()

func (d *dialogue) heard() { d.last.Store(int64(time.Since(began))) }

// Read reads the stream.
func (d *dialogue) Read(p []byte) (int, error) {
	done := make(chan struct{})
	defer close(done)
	go d.watch(done)
	return d.stream.Read(p)
}

// watch waits until a Read of the stream has returned, or for too long.
func (d *dialogue) watch(done <-chan struct{}) {
	for wait := d.silence; wait > 0; {
		limit := time.NewTimer(wait)
		select {
		case <-done:
			limit.Stop()
			return
		case <-limit.C:
		}
		wait = d.silence - (time.Since(began) - time.Duration(d.last.Load()))
	}
	d.once.Do(func() { close(d.stuck) })
	d.conn.Close()
}

// fromServer is what comes from the server.
type fromServer struct{ dialogue *dialogue }

func (f fromServer) Read(p []byte) (int, error) {
	n, err := f.dialogue.conn.Read(p)
	if n > 0 {
		f.dialogue.heard()
	}
	return n, err
}
