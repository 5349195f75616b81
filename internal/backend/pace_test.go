package backend

import (
	"testing"
	"time"
)

// TestPace: a piece has its time, in whatever parts it comes.
func TestPace(t *testing.T) {
	p := Pace{Timeout: 10 * time.Second}
	for i, step := range []struct {
		want  time.Duration // that the next wait may take
		took  time.Duration
		bytes int
	}{
		{10 * time.Second, 4 * time.Second, 1},
		{6 * time.Second, 5 * time.Second, Piece - 2},
		{time.Second, time.Second / 2, 1},
		{10 * time.Second, 0, Piece},
		{10 * time.Second, 0, 0},
	} {
		if got := p.Begin(); got != step.want {
			t.Errorf("wait %d may take %v, expected %v", i, got, step.want)
		}
		p.End(step.took, step.bytes)
	}
}
