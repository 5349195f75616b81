package forward

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Who has waited longest is served first, and nobody who comes later is before him.
func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a"}, 1)
		a := acquire(t, g)
		var order []int
		for i := range 5 {
			go func() {
				b, err := g.Acquire(t.Context(), 0, nil)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i)
				b.Release()
			}()
			synctest.Wait() // it waits
		}
		a.Release()
		synctest.Wait()
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4}, order); diff != "" {
			t.Errorf("order in which those who wait are served (-want +got):\n%s", diff)
		}
	})
}

// Who waits for something else does not keep the others from what there is.
func TestPassedBy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 1)
		a, b := acquire(t, g), acquire(t, g)
		got := make(chan *Backend, 2)
		go func() {
			backend, _ := g.Acquire(t.Context(), 0, []*Backend{a})
			got <- backend
		}()
		synctest.Wait()
		go func() {
			backend, _ := g.Acquire(t.Context(), 0, nil)
			got <- backend
		}()
		synctest.Wait()
		a.Release()
		if backend := <-got; backend != a {
			t.Errorf("who would take either got %v, expected the one that is free", backend)
		}
		b.Release()
		if backend := <-got; backend != b {
			t.Errorf("who has tried a got %v, expected b", backend)
		}
	})
}

// Who has tried all others gets the one that failed, though some are before him
// who wait for another.
func TestLastResort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 1)
		a, b := acquire(t, g), acquire(t, g)
		got := make(chan *Backend)
		go func() { // who had tried none does not count any more when he is served
			backend, _ := g.Acquire(t.Context(), 0, nil)
			got <- backend
		}()
		synctest.Wait()
		a.Release()
		if a != <-got {
			t.Fatal("who waits did not get what was free")
		}
		b.Failed()
		b.Release()
		for range 3 {
			go g.Acquire(t.Context(), time.Millisecond, nil)
			synctest.Wait()
		}
		if got := acquire(t, g, a); got != b {
			t.Errorf("got %v, expected the one that failed", got)
		}
	})
}

// Who gives up takes no backend with him.
func TestGivingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a"}, 1)
		a := acquire(t, g)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := g.Acquire(ctx, 0, nil)
			ended <- err
		}()
		go func() {
			_, err := g.Acquire(t.Context(), time.Second, nil)
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; err != context.Canceled {
			t.Errorf("at the end of the context: %v", err)
		}
		if err := <-ended; err != ErrBusy {
			t.Errorf("at the end of the patience: %v, expected ErrBusy", err)
		}
		if len(g.waiting) > 0 {
			t.Errorf("%d wait, expected none", len(g.waiting))
		}
		a.Release()
		acquire(t, g)
	})
}

// A backend that is given at the moment in which its taker gives up is not lost: the
// next gets it.
func TestGivenTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a"}, 1)
		for range 100 { // of two that are ready, select takes either
			a := acquire(t, g)
			ctx, cancel := context.WithCancel(t.Context())
			ended, next := make(chan *Backend), make(chan *Backend, 1)
			go func() {
				b, _ := g.Acquire(ctx, 0, nil)
				ended <- b
			}()
			synctest.Wait()
			go func() {
				b, _ := g.Acquire(t.Context(), time.Minute, nil)
				next <- b
			}()
			synctest.Wait()
			g.mu.Lock()
			cancel()
			a.active--
			g.serve()
			g.mu.Unlock()
			if b := <-ended; b != nil {
				b.Release()
			}
			if b := <-next; b != a {
				t.Fatalf("the next got %v, expected the backend", b)
			}
			a.Release()
			if a.active != 0 {
				t.Fatalf("%d requests are counted, expected none", a.active)
			}
		}
	})
}

// Who waits for a busy backend gets the one that failed when its time is over.
func TestBackFromFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 1)
		a := acquire(t, g)
		a.Failed()
		a.Release()
		if b := acquire(t, g); b == a {
			t.Fatal("the one that failed is used, though there is another")
		}
		begin := time.Now()
		if b, err := g.Acquire(t.Context(), time.Minute, nil); b != a || err != nil || time.Since(begin) != time.Second {
			t.Errorf("got %v, %v after %v, expected the one that had failed, after a second", b, err, time.Since(begin))
		}
		a.Answered()
		a.Release()
		if b := acquire(t, g); b != a {
			t.Errorf("got %v, expected the one that is free", b)
		}
	})
}

// Who waits for a busy backend gets the one that failed as soon as that has answered.
func TestBackByAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGroup([]string{"a", "b"}, 2)
		a := acquire(t, g)
		a.Failed()
		acquire(t, g)
		acquire(t, g) // now b is full
		begin := time.Now()
		time.AfterFunc(time.Millisecond, a.Answered)
		if b, err := g.Acquire(t.Context(), time.Minute, nil); b != a || err != nil || time.Since(begin) != time.Millisecond {
			t.Errorf("got %v, %v after %v, expected the one that answered, at once", b, err, time.Since(begin))
		}
	})
}

// BenchmarkWaiting is a group with room for a few of a thousand who want it.
func BenchmarkWaiting(b *testing.B) {
	g := NewGroup([]string{"a", "b"}, 4)
	b.ReportAllocs()
	b.SetParallelism(500)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			backend, err := g.Acquire(b.Context(), time.Minute, nil)
			if err != nil {
				b.Error(err)
				return
			}
			runtime.Gosched()
			backend.Release()
		}
	})
}

// BenchmarkAcquire is a group in which there is room.
func BenchmarkAcquire(b *testing.B) {
	g := NewGroup([]string{"a", "b"}, 4)
	b.ReportAllocs()
	for b.Loop() {
		backend, err := g.Acquire(b.Context(), time.Minute, nil)
		if err != nil {
			b.Fatal(err)
		}
		backend.Release()
	}
}
