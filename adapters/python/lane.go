package python

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// lane is the connection with one thread of a worker. A goroutine of its own
// reads it, for as long as there is one.
type lane struct {
	worker *worker
	number int // on the board
	conn   *net.UnixConn
	raw    syscall.RawConn

	heard atomic.Int64 // tick of the last sign of progress
	held  atomic.Int32 // what the worker waits for on our side: not its fault

	window window

	// Of the reader alone:
	receiver receiver
	buffer   []byte // what has come is buffer[:filled]
	filled   int
	long     *message // a frame that goes into a buffer of its own
	missing  int      // bytes of it
	passed   *os.File // came with bytes that are not looked at yet
	err      error
}

const laneBuffer = 64 << 10

// longFrame is from where on a frame is not worth copying twice.
const longFrame = 16 << 10

var frameBuffers = sync.Pool{New: func() any { return new([largestFrame]byte) }}

func newLane(w *worker, number int, file *os.File) (*lane, error) {
	conn, err := net.FileConn(file)
	file.Close()
	if err != nil {
		return nil, err
	}
	l := &lane{worker: w, number: number, conn: conn.(*net.UnixConn), buffer: make([]byte, laneBuffer)}
	l.raw, err = l.conn.SyscallConn()
	if err != nil {
		conn.Close()
		return nil, err
	}
	return l, nil
}

// read takes the frames that come until the lane ends.
//
// All of it happens within one call of RawConn.Read. A read that returns less
// than there was room for has emptied the socket, and what comes after it wakes
// the goroutine again; so there is no need to read again only to be told that
// there is nothing, which a call of Read for each time would do. Only the end
// of the socket may be missed in this way: worker.end sees to that.
func (l *lane) read() {
	err := l.raw.Read(func(fd uintptr) (done bool) {
		for {
			more, err := l.receive(fd)
			if err != nil {
				l.err = err
				return !wouldBlock(err)
			}
			if !more {
				return false
			}
		}
	})
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && (l.err == nil || wouldBlock(l.err)) {
		// The worker has ended. What it sent before counts.
		l.conn.SetReadDeadline(zeroTime)
		if err := l.raw.Control(func(fd uintptr) {
			for l.err = nil; l.err == nil; {
				_, l.err = l.receive(fd)
			}
		}); err != nil {
			l.err = err
		}
	}
	if l.passed != nil {
		l.passed.Close()
	}
	l.drop()
}

// drop forgets a long frame that has not come as a whole.
func (l *lane) drop() {
	if l.long != nil && l.long.buffer != nil {
		frameBuffers.Put(l.long.buffer)
	}
	l.long = nil
}

// receive reads once, and reports whether there may be more.
func (l *lane) receive(fd uintptr) (more bool, err error) {
	room := l.buffer[l.filled:]
	if l.long != nil {
		room = l.long.payload[len(l.long.payload)-l.missing:]
	}
	n, file, err := l.receiver.receive(fd, room)
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, io.EOF
	}
	if file != nil {
		if l.passed != nil {
			l.passed.Close()
		}
		l.passed = file
	}
	l.heard.Store(l.worker.generation.pool.tick.Load())
	if l.long == nil {
		l.filled += n
		if err := l.frames(); err != nil {
			return false, err
		}
	} else if l.missing -= n; l.missing == 0 {
		m := *l.long
		l.long = nil
		l.deliver(m)
	}
	return n == len(room) || file != nil, nil
}

// frames takes the complete frames out of the buffer.
func (l *lane) frames() error {
	b := l.buffer[:l.filled]
	for len(b) >= frameHead {
		m, size, err := parseHead(b)
		if err != nil {
			return err
		}
		rest := b[frameHead:]
		if m.flags&frameTray != 0 {
			if len(rest) < trayRef {
				break
			}
			if err := l.worker.generation.lift(&m, rest, size); err != nil {
				return err
			}
			b = rest[trayRef:]
			l.deliver(m)
			continue
		}
		if len(rest) < size {
			if size < longFrame {
				break
			}
			m.buffer = frameBuffers.Get().(*[largestFrame]byte)
			m.payload = m.buffer[:size]
			l.missing = size - copy(m.payload, rest)
			l.long = &m
			b = nil
			break
		}
		if size > longFrame {
			m.buffer = frameBuffers.Get().(*[largestFrame]byte)
			m.payload = m.buffer[:size]
			copy(m.payload, rest)
		} else if size > 0 {
			m.payload = append([]byte(nil), rest[:size]...)
		}
		if m.kind == frameFile {
			m.file, l.passed = l.passed, nil
		}
		b = rest[size:]
		if m.kind == frameTrays {
			if err := l.takeTrays(); err != nil {
				return err
			}
			continue
		}
		l.deliver(m)
	}
	l.filled = copy(l.buffer, b)
	return nil
}

// deliver gives a frame to the request that it is for. When the client of that
// is slow it waits, and with it, in the end, the worker.
func (l *lane) deliver(m message) {
	g := l.worker.generation
	s := g.slots.of(m.id)
	s.mu.Lock()
	for s.id == m.id && !s.abandoned && s.failure == nil && s.queued > g.pool.config.ReadAhead && !l.worker.over.Load() {
		s.mu.Unlock()
		l.held.Add(1)
		<-s.space
		l.held.Add(-1)
		l.heard.Store(g.pool.tick.Load())
		s.mu.Lock()
	}
	if s.id != m.id || s.ended || s.abandoned {
		mine := s.id == m.id && !s.ended
		free := mine && m.flags&frameLast != 0
		if free {
			s.ended = true
		}
		s.mu.Unlock()
		if free {
			g.put(s)
		}
		l.unwanted(m)
		return
	}
	s.lane = l
	s.queue = append(s.queue, m)
	s.queued += len(m.payload)
	if m.flags&frameLast != 0 {
		s.ended = true
	}
	if m.asks() {
		l.held.Add(1) // until it is answered
	}
	notify(s.wake)
	s.mu.Unlock()
}

// unwanted is for a frame that no request takes. A worker that waits for a
// reply gets one.
func (l *lane) unwanted(m message) {
	switch {
	case m.kind == frameLog:
		l.worker.generation.pool.say(l.worker.pid, string(m.payload))
	case m.asks():
		l.reply(replyRefused, []byte("the client has left"))
	}
	m.free()
}

// asks reports whether the worker waits for a reply to m.
func (m *message) asks() bool {
	switch m.kind {
	case frameRead, frameHints, frameWant:
		return true
	}
	return m.kind == frameResponse && m.flags&frameCheck != 0
}

func (l *lane) reply(kind uint32, payload []byte) error {
	_, err := l.conn.Write(appendReply(make([]byte, 0, replyHead+len(payload)), kind, payload))
	return err
}

// free gives back what a message holds. Its payload is no longer valid.
func (m *message) free() {
	if m.buffer != nil {
		frameBuffers.Put(m.buffer)
		m.buffer = nil
	}
	if m.trays != nil {
		m.trays.putBack(m.tray)
		m.trays = nil
	}
	if m.file != nil {
		m.file.Close()
		m.file = nil
	}
}
