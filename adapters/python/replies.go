package python

import (
	"encoding/binary"
	"os"
	"sync"
	"syscall"
)

// replies is the pipe on which all workers of a generation say that a response is
// complete, and on the board: by the id of its request. One read tells of all that
// have come meanwhile, of whichever worker. What does not fit there, or comes in
// more than one piece, comes on a lane.
type replies struct {
	r       *os.File
	w       *os.File // that the workers inherit
	raw     syscall.RawConn
	deliver func(id uint64)
	over    chan struct{} // closed when nobody reads any more

	mu     sync.Mutex // from the read of an id until it is delivered
	buffer [64 * tokenSize]byte
}

func newReplies(deliver func(id uint64)) (*replies, error) {
	r, w, err := replyPipe()
	if err != nil {
		return nil, err
	}
	raw, err := r.SyscallConn()
	if err != nil {
		r.Close()
		w.Close()
		return nil, err
	}
	p := &replies{r: r, w: w, raw: raw, deliver: deliver, over: make(chan struct{})}
	go p.read()
	return p, nil
}

// read takes the ids that come until the pipe is closed. It is within one call of
// RawConn.Read for the same reason as lane.read.
func (p *replies) read() {
	defer close(p.over)
	p.raw.Read(func(fd uintptr) (done bool) { return p.take(fd) })
}

// take delivers what is in the pipe. It reports whether that has failed.
func (p *replies) take(fd uintptr) (failed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		n, err := readPipe(fd, p.buffer[:])
		if err != nil {
			return !wouldBlock(err)
		}
		for b := p.buffer[:n]; len(b) >= tokenSize; b = b[tokenSize:] {
			p.deliver(binary.LittleEndian.Uint64(b))
		}
		if n < len(p.buffer) {
			return false
		}
	}
}

// settle returns when all that a worker wrote which has ended is delivered.
func (p *replies) settle() { p.raw.Control(func(fd uintptr) { p.take(fd) }) }

// close ends read. No worker is left.
func (p *replies) close() {
	p.r.Close()
	p.w.Close()
	<-p.over
}

// complete delivers a response that is on the board.
func (g *generation) complete(id uint64) {
	s := g.slots.of(id)
	area := g.board.response(s.index)
	m, size, err := parseHead(area)
	if err != nil || m.id != id || m.kind != frameResponse || m.flags&frameLast == 0 ||
		m.flags&frameTray == 0 && size > len(area)-frameHead {
		return // the request fails when its worker ends, or its time does
	}
	if m.flags&frameTray != 0 {
		if g.lift(&m, area[frameHead:], size) != nil {
			return
		}
	} else {
		m.payload = append([]byte(nil), area[frameHead:frameHead+size]...)
	}
	s.mu.Lock()
	if s.id != id || s.ended {
		s.mu.Unlock()
		m.free()
		return
	}
	s.ended = true
	if s.abandoned {
		s.mu.Unlock()
		m.free()
		g.put(s)
		return
	}
	s.queue = append(s.queue, m)
	s.queued += len(m.payload)
	notify(s.wake)
	s.mu.Unlock()
}
