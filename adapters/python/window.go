package python

import (
	"encoding/binary"
	"sync"
)

// window is the part of the board in which a lane is given the bodies of its
// requests. It is of one worker: a request that still reads into it when that has
// ended keeps the place on the board from the next one.
type window struct {
	mu    sync.Mutex // while somebody reads into room
	room  []byte
	tried bool // to get room
	shut  bool // the worker has ended
}

// openWindow returns the window, which is the caller's until closeWindow, or nil
// when there is none.
func (l *lane) openWindow() []byte {
	w := &l.window
	w.mu.Lock()
	if !w.tried {
		w.tried = true
		w.room = l.worker.generation.board.window(l.number)
	}
	if w.room == nil || w.shut {
		w.mu.Unlock()
		return nil
	}
	return w.room
}

func (l *lane) closeWindow() { l.window.mu.Unlock() }

// shutWindow waits until nobody reads into the window, and nobody will.
func (l *lane) shutWindow() {
	l.window.mu.Lock()
	l.window.shut = true
	l.window.mu.Unlock()
}

// replyWindow tells the worker that n bytes are in the window.
func (l *lane) replyWindow(n int) error {
	var head [replyHead]byte
	binary.LittleEndian.PutUint32(head[:], uint32(n))
	binary.LittleEndian.PutUint32(head[4:], replyWindow)
	_, err := l.conn.Write(head[:])
	return err
}
