package python

import (
	"errors"
	"testing"
	"time"
)

// TestLost sees that a request which a worker took from the queue and had not
// begun when it was killed is given up, and none that is still in the queue, that
// a lane has begun, or that came later.
func TestLost(t *testing.T) {
	tests := []struct {
		name                          string
		read, begun, later, nobodyHas bool
		want                          error
	}{
		{name: "taken and lost", read: true, want: errWorkerEnded},
		{name: "in the queue"},
		{name: "begun by another lane", read: true, begun: true},
		{name: "came after the death", read: true, later: true},
		{name: "nobody has died", read: true, nobodyHas: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &Pool{every: 100 * time.Millisecond}
			q, err := newQueue(nil)
			if err != nil {
				t.Fatal(err)
			}
			defer q.r.Close()
			defer q.close()
			g := &generation{pool: p, queue: q, slots: newSlots(fewestSlots, 0)}
			if g.board, err = newBoard(2, fewestSlots); err != nil {
				t.Fatal(err)
			}
			defer g.board.close()
			p.tick.Store(10)
			if !tt.nobodyHas {
				g.death = 12
			}
			if tt.later {
				p.tick.Store(13)
			}
			s, err := g.slots.take(t.Context(), p.tick.Load())
			if err != nil {
				t.Fatal(err)
			}
			id := s.id
			q.push(id, false)
			if tt.read {
				if _, err := q.r.Read(make([]byte, tokenSize)); err != nil {
					t.Fatal(err)
				}
			}
			if tt.begun {
				*g.board.word(laneSize / 8) = id
			}
			p.tick.Store(14)
			for range lostTicks {
				g.findLost()
				p.tick.Add(1)
			}
			if s.failure != nil {
				t.Fatalf("given up after %d looks: the worker that has it may be about to begin it", lostTicks)
			}
			g.findLost()
			if !errors.Is(s.failure, tt.want) || (s.failure == nil) != (tt.want == nil) {
				t.Errorf("the request ends with %v, expected %v", s.failure, tt.want)
			}
			if failed := p.failed.Load(); failed != map[bool]int64{true: 1}[tt.want != nil] {
				t.Errorf("%d requests are counted as lost", failed)
			}
		})
	}
}
