package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// attempts is a subject that keeps the rule at some attempts.
type attempts struct {
	faulty func(n int) bool
	slow   bool // and uses all of the patience when it does not
	waits  []time.Duration
}

var attempt = probe[*attempts]{"START-14", "attempt", func(p *probing, a *attempts) {
	a.waits = append(a.waits, p.patience)
	if !a.faulty(len(a.waits)) {
		return
	}
	if a.slow {
		time.Sleep(p.patience)
	}
	p.faultf("attempt %d", len(a.waits))
}}

func always(int) bool     { return true }
func never(int) bool      { return false }
func first(n int) bool    { return n == 1 }
func notFirst(n int) bool { return n > 1 }

// TestHear sees that a fault is one that was found twice.
func TestHear(t *testing.T) {
	tests := []struct {
		name   string
		faulty func(int) bool
		runs   int
		fault  string
		once   string
	}{
		{"sound", never, 1, "", ""},
		{"broken", always, 2, "attempt 2", ""},
		{"at first", first, 2, "", "attempt 1"},
		{"not at first", notFirst, 1, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := &attempts{faulty: tt.faulty}
			h := &hearing{patience: defaultPatience}
			r := hear(t.Context(), h, attempt, a)
			if len(a.waits) != tt.runs || strings.Join(r.faults, "") != tt.fault || r.once != tt.once {
				t.Errorf("%d runs, faults %q, once %q; expected %d, %q, %q", len(a.waits), r.faults, r.once, tt.runs, tt.fault, tt.once)
			}
			if len(a.waits) == 2 && a.waits[1] != defaultPatience {
				t.Errorf("the second run had a patience of %v, expected all of it, %v", a.waits[1], defaultPatience)
			}
		})
	}
}

// TestLost sees that a run ends in time, whatever is lost with faults, and that
// nobody is accused in haste.
func TestLost(t *testing.T) {
	const probes = 200
	t.Run("wall", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, began := &hearing{patience: defaultPatience}, time.Now()
			for i := range probes {
				r := hear(t.Context(), h, attempt, &attempts{faulty: always, slow: true})
				if len(r.faults) == 0 {
					t.Fatalf("no fault of probe %d, expected one of each on a subject that never answers", i)
				}
			}
			if took := time.Since(began); took > 40*time.Second {
				t.Errorf("%v for a subject that never answers, expected no more than 40 s", took)
			}
		})
	})
	t.Run("hangs often", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h, began, decided, open := &hearing{patience: defaultPatience}, time.Now(), 0, 0
			for i := range probes {
				a := &attempts{faulty: always, slow: true}
				if i%3 == 0 {
					a.faulty = never
				}
				r := hear(t.Context(), h, attempt, a)
				switch {
				case i%3 == 0 && len(r.faults) > 0:
					t.Fatal("a sound answer is taken for a fault")
				case len(r.faults) > 0 && len(a.waits) != 2:
					t.Fatalf("a fault after %d runs, expected two", len(a.waits))
				case len(r.faults) > 0:
					decided++
				case r.skipped == unheard:
					open++
				}
			}
			if took := time.Since(began); took > 55*time.Second {
				t.Errorf("%v for a subject that hangs often, expected no more than 55 s", took)
			}
			if decided < 10 || open == 0 {
				t.Errorf("%d faults and %d left open, expected ten or more and some", decided, open)
			}
		})
	})
}

// TestPrompt sees that a fault which came of no wait is decided though all the
// time is lost, and no other.
func TestPrompt(t *testing.T) {
	for _, tt := range []struct {
		name   string
		slow   bool
		faulty func(int) bool
		runs   int
		faults int
	}{
		{"prompt", false, always, 2, 1},
		{"prompt, once", false, first, 2, 0},
		{"slow", true, always, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := &attempts{faulty: tt.faulty, slow: tt.slow}
				r := hear(t.Context(), &hearing{patience: defaultPatience, lost: allLost, sound: 1}, attempt, a)
				if len(a.waits) != tt.runs || len(r.faults) != tt.faults {
					t.Errorf("%d runs and the faults %q, expected %d and %d of them", len(a.waits), r.faults, tt.runs, tt.faults)
				}
				if open := r.skipped == unheard; open != tt.slow {
					t.Errorf("left open: %t, expected %t", open, tt.slow)
				}
			})
		})
	}
}

// TestForgiven sees that a machine which is too busy for the first run of many
// probes does not take the time from the second runs, within bounds.
func TestForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, began, whole := &hearing{patience: defaultPatience}, time.Now(), 0
		for range 200 {
			a := &attempts{faulty: first, slow: true}
			if r := hear(t.Context(), h, attempt, a); len(r.faults) > 0 {
				t.Fatal("a sound answer is taken for a fault")
			}
			if len(a.waits) == 2 && a.waits[1] == defaultPatience {
				whole++
			}
		}
		if whole < 60 {
			t.Errorf("%d probes got all the patience for their second run, expected 60 or more", whole)
		}
		if took := time.Since(began); took > 100*time.Second {
			t.Errorf("%v, expected no more than 100 s", took)
		}
	})
}

// TestHearCancelled sees that the end of a context ends a run, and is not taken
// for a fault of the subject.
func TestHearCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { cancel(errors.New("no more time")) })
		began := time.Now()
		r := hear(ctx, &hearing{patience: defaultPatience}, attempt, &attempts{faulty: always, slow: true})
		if took := time.Since(began); took != time.Millisecond {
			t.Errorf("returned after %v, expected the end of the context", took)
		}
		if len(r.faults) > 0 || !strings.Contains(r.skipped, "no more time") {
			t.Errorf("faults %q, skipped %q; expected none, and the reason", r.faults, r.skipped)
		}
		time.Sleep(defaultPatience) // the probe that was left behind ends by itself
	})
}
