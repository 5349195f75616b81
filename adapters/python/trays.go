package python

import (
	"encoding/binary"
	"errors"
	"os"
	"sync/atomic"
	"unsafe"
)

// trays is memory in which a worker leaves large parts of its responses, and from
// which they are sent. The worker makes it when it first has one. What costs most of
// a large block are new pages; these are used again and again.
//
// A tray is taken by the worker and given back by Go, when its block has been
// copied: by a word at the beginning of the memory, which is 0 while it is free. The
// memory is never sent by sendfile. The pages would be in the buffers of the socket
// then, long after the call, and what the worker writes next would reach the client.
//
// The memory lasts until the worker has ended and nothing in it is wanted any more.
type trays struct {
	bytes []byte
	users atomic.Int32 // messages that are on a tray, and the worker
}

const (
	trayCount = 16
	traySize  = largestFrame
	traysSize = pageSize + trayCount*traySize // a page for the words
	trayRef   = 8                             // bytes of a frame in the place of its payload: lane, tray
)

var errTrays = errors.New("python: the memory for responses that a worker sent is not what it should be")

// openTrays maps the memory that a worker has sent, which is the caller's to close.
func openTrays(file *os.File) (*trays, error) {
	if file == nil {
		return nil, errTrays
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() != traysSize || !cannotShrink(file) { // it would end this process to read what is gone
		return nil, errTrays
	}
	b, err := mapFile(file, traysSize)
	if err != nil {
		return nil, err
	}
	t := &trays{bytes: b}
	t.users.Store(1)
	return t, nil
}

// lift gives a message what is on a tray: size bytes, until message.free. It reports
// whether there is such a tray.
func (t *trays) lift(m *message, tray uint32, size int) bool {
	if t == nil || tray >= trayCount || size > traySize {
		return false
	}
	for {
		n := t.users.Load()
		if n == 0 { // the worker has ended, and its memory is gone
			return false
		}
		if t.users.CompareAndSwap(n, n+1) {
			break
		}
	}
	at := pageSize + int(tray)*traySize
	m.payload, m.trays, m.tray = t.bytes[at:at+size:at+size], t, tray
	return true
}

// putBack says that a tray may be used again.
func (t *trays) putBack(tray uint32) {
	t.word(tray).Store(0)
	t.leave()
}

// word says whether a tray is taken.
func (t *trays) word(tray uint32) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&t.bytes[tray*4]))
}

// leave is for each user, once.
func (t *trays) leave() {
	if t.users.Add(-1) == 0 {
		unmap(t.bytes)
	}
}

// takeTrays is given the memory of the trays, and answers the worker, which asks for
// that once.
func (l *lane) takeTrays() error {
	file := l.passed
	l.passed = nil
	if file != nil {
		defer file.Close()
	}
	t, err := openTrays(file)
	if err != nil {
		return l.reply(replyRefused, []byte(err.Error()))
	}
	if old := l.worker.generation.trays[l.worker.block].Swap(t); old != nil {
		old.leave()
	}
	return l.reply(replyOK, nil)
}

// lift gives a message what is on the tray that ref names.
func (g *generation) lift(m *message, ref []byte, size int) error {
	block := int(binary.LittleEndian.Uint32(ref)) / g.pool.config.Threads
	if block >= len(g.trays) || !g.trays[block].Load().lift(m, binary.LittleEndian.Uint32(ref[4:]), size) {
		return errFrame
	}
	return nil
}
