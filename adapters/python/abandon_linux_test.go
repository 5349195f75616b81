package python

import (
	"encoding/binary"
	"io"
	"testing"
)

// TestAbandonedQuestion: a worker that waits for a reply when its client leaves
// gets one, and from then on its time counts again. A lane that was held for ever
// would never be found to be too slow.
func TestAbandonedQuestion(t *testing.T) {
	board, err := newBoard(1, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer board.close()
	g := &generation{pool: new(Pool), board: board, slots: newSlots(4, 4)}
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	l, err := newLane(&worker{generation: g}, 0, ours)
	if err != nil {
		t.Fatal(err)
	}
	defer l.conn.Close()
	s, err := g.slots.take(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	g.users.Add(1)
	c := &call{pool: g.pool, generation: g, slot: s, id: s.id}
	l.deliver(message{kind: frameRead, id: s.id})
	if held := l.held.Load(); held != 1 {
		t.Fatalf("the lane is held %d times while its question waits, want once", held)
	}
	c.abandon()
	if held := l.held.Load(); held != 0 {
		t.Errorf("the lane is held %d times after the client has left, want not at all", held)
	}
	head := make([]byte, replyHead)
	if _, err := io.ReadFull(theirs, head); err != nil {
		t.Fatal(err)
	}
	if kind := binary.LittleEndian.Uint32(head[4:]); kind != replyRefused {
		t.Errorf("the reply is of type %d, want %d", kind, replyRefused)
	}
}
