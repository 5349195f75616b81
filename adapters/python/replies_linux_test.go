package python

import (
	"encoding/binary"
	"errors"
	"testing"
)

// TestReplies: a response on the board is delivered to its request, once, and
// before the end of its worker can fail it. What does not belong there, or is
// none, changes nothing.
func TestReplies(t *testing.T) {
	frame := func(id uint64, kind, flags uint16, size int) []byte {
		b := binary.LittleEndian.AppendUint32(nil, uint32(size))
		b = binary.LittleEndian.AppendUint32(b, 2)
		b = binary.LittleEndian.AppendUint64(b, id)
		b = binary.LittleEndian.AppendUint16(b, kind)
		b = binary.LittleEndian.AppendUint16(b, flags)
		return append(b, "headblock"...)
	}
	tests := []struct {
		name      string
		response  func(id uint64) []byte
		abandoned bool
		want      string // that the request gets; "" for the end of its worker
	}{
		{name: "a response", response: func(id uint64) []byte { return frame(id, frameResponse, frameLast, 9) }, want: "headblock"},
		{name: "nobody waits for it", response: func(id uint64) []byte { return frame(id, frameResponse, frameLast, 9) }, abandoned: true},
		{name: "of an earlier request", response: func(id uint64) []byte { return frame(id-1<<16, frameResponse, frameLast, 9) }},
		{name: "of another type", response: func(id uint64) []byte { return frame(id, frameData, frameLast, 9) }},
		{name: "not the last frame", response: func(id uint64) []byte { return frame(id, frameResponse, 0, 9) }},
		{name: "longer than the area", response: func(id uint64) []byte { return frame(id, frameResponse, frameLast, responseSize) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &generation{pool: new(Pool), slots: newSlots(4, 0)}
			var err error
			if g.board, err = newBoard(1, 4); err != nil {
				t.Fatal(err)
			}
			defer g.board.close()
			if g.replies, err = newReplies(g.complete); err != nil {
				t.Fatal(err)
			}
			defer g.replies.close()
			s, err := g.slots.take(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			id := s.id
			if tt.abandoned {
				s.abandoned = true
			}
			copy(g.board.response(s.index), tt.response(id))
			*g.board.word(0) = id // as by a worker that is killed just now
			token := binary.LittleEndian.AppendUint64(nil, id)
			if _, err := g.replies.w.Write(append(token, token...)); err != nil { // the second is a lie
				t.Fatal(err)
			}
			g.replies.settle()
			g.lost(&lane{})
			s.mu.Lock()
			defer s.mu.Unlock()
			switch {
			case tt.abandoned:
				if taken, _ := g.slots.used(); taken != 0 {
					t.Errorf("%d slots are taken, want it to be given back", taken)
				}
			case tt.want == "":
				if !errors.Is(s.failure, errWorkerEnded) || len(s.queue) > 0 {
					t.Errorf("the request gets %d frames and %v, want the end of its worker", len(s.queue), s.failure)
				}
			case len(s.queue) != 1 || string(s.queue[0].payload) != tt.want || s.failure != nil:
				t.Errorf("the request gets %d frames and %v, want %q", len(s.queue), s.failure, tt.want)
			}
		})
	}
}
