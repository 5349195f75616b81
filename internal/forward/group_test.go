package forward

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// acquire acquires at once.
func acquire(t *testing.T, g *Group, tried ...*Backend) *Backend {
	t.Helper()
	b, err := g.Acquire(t.Context(), time.Nanosecond, tried)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b", "c"}, 2)
		counts := map[string]int{}
		var held []*Backend
		for range 6 {
			b := acquire(t, g)
			counts[b.Addr]++
			held = append(held, b)
		}
		if counts["a"] != 2 || counts["b"] != 2 || counts["c"] != 2 {
			t.Errorf("six requests went to %v, expected two to each", counts)
		}
		if b, err := g.Acquire(t.Context(), time.Second, nil); err != ErrBusy {
			t.Errorf("a seventh got %v, %v, expected ErrBusy", b, err)
		}
		go func() {
			time.Sleep(time.Second)
			held[3].Release()
		}()
		if b, err := g.Acquire(t.Context(), 2*time.Second, nil); b != held[3] || err != nil {
			t.Errorf("who waits got %v, %v, expected the one that is released", b, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Acquire(ctx, 0, nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("at the end of the context: %v", err)
		}
	})
}

// Nobody who waits is forgotten, however many do.
func TestEverybodyGetsATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 1)
		done := make(chan error)
		for range 100 {
			go func() {
				b, err := g.Acquire(t.Context(), time.Hour, nil)
				if err == nil {
					time.Sleep(time.Second)
					b.Release()
				}
				done <- err
			}()
		}
		for range 100 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 0)
		a := acquire(t, g)
		a.Failed()
		a.Release()
		for range 3 {
			if b := acquire(t, g); b == a {
				t.Fatal("the one that failed is used, though there is another")
			}
		}
		if b := acquire(t, g, g.backends[1]); b != a {
			t.Errorf("got %v, expected the one that failed to be better than none", b)
		}
		a.Release()
		if _, err := g.Acquire(t.Context(), 0, g.backends); err != ErrNone {
			t.Errorf("after all were tried: %v, expected ErrNone", err)
		}
		time.Sleep(2 * time.Second)
		if b := acquire(t, g); b != a { // it has none under way, the other three
			t.Errorf("after its time the one that failed is not tried again")
		}
		if b := acquire(t, g); b == a {
			t.Errorf("it is tried by a second request before the first has found out")
		}
		a.Answered()
		if b := acquire(t, g); b != a {
			t.Errorf("once it has answered it is not used")
		}
		for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 30 * time.Second, 99: 30 * time.Second} {
			if got := penalty(failures); got != want {
				t.Errorf("after %d failures the penalty is %v, expected %v", failures, got, want)
			}
		}
	})
}

// Where all have failed each gets what it may.
func TestAllDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 1)
		for _, b := range g.backends {
			b.Failed()
		}
		if a, b := acquire(t, g), acquire(t, g); a == b {
			t.Errorf("two requests went to %s, which may have one", a.Addr)
		}
		if b, err := g.Acquire(t.Context(), time.Millisecond, nil); err != ErrBusy {
			t.Errorf("a third got %v, %v, expected ErrBusy", b, err)
		}
	})
}
