package python

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestSlotTimes sees that the time of a request counts from when it came, and
// not from when the one began that had its slot before, nor from when it got one.
func TestSlotTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, 2)
		long, err := s.take(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		type result struct {
			slot *slot
			err  error
		}
		results := make(chan result, 2)
		for _, tick := range []int64{500, 600} {
			go func() {
				taken, err := s.take(t.Context(), tick)
				results <- result{taken, err}
			}()
			synctest.Wait() // they wait in this order
		}
		if _, err := s.take(t.Context(), 601); !errors.Is(err, errFull) {
			t.Errorf("a third gets %v, expected that the line is full", err)
		}
		s.put(long, 700)
		first := <-results
		if first.err != nil || first.slot.entered != 500 || first.slot.begin != 700 {
			t.Errorf("the first gets %v, entered at %d, begun at %d; expected a slot, 500 and 700", first.err, first.slot.entered, first.slot.begin)
		}
		s.expire(600)
		synctest.Wait()
		select {
		case r := <-results:
			t.Errorf("the second, which came at 600, is sent away for what came before that: %v", r.err)
		default:
		}
		s.expire(601)
		if r := <-results; !errors.Is(r.err, errQueueTimeout) {
			t.Errorf("the second gets %v, expected that its time is over", r.err)
		}
		if _, waiting := s.used(); waiting != 0 {
			t.Errorf("%d wait, expected none", waiting)
		}
	})
}

// TestSlotLeft sees that who leaves the line has no place in it.
func TestSlotLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSlots(1, 1)
		only, err := s.take(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() {
			_, err := s.take(ctx, 2)
			left <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("who left gets %v, expected context.Canceled", err)
		}
		s.put(only, 3)
		if again, err := s.take(t.Context(), 4); err != nil || again.entered != 4 {
			t.Errorf("the next gets %v, expected the slot", err)
		}
	})
}
