package forward

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// parked is a connection that notes what is done with it.
type parked struct {
	stream
	closed      atomic.Bool
	read, write time.Time // the deadlines
}

func (p *parked) Close() error { p.closed.Store(true); return nil }

func (p *parked) SetReadDeadline(t time.Time) error  { p.read = t; return nil }
func (p *parked) SetWriteDeadline(t time.Time) error { p.write = t; return nil }

// TestIdle: so many connections are kept, for so long, and the one that was used
// last is the next.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l idleList
		first, second, third := new(parked), new(parked), new(parked)
		first.SetReadDeadline(time.Now())
		first.SetWriteDeadline(time.Now())
		l.put(first, 2, time.Minute)
		if !first.read.IsZero() || !first.write.IsZero() {
			t.Errorf("the deadlines of a connection that waits are %v and %v, expected none", first.read, first.write)
		}
		time.Sleep(30 * time.Second)
		l.put(second, 2, time.Minute)
		l.put(third, 2, time.Minute)
		if first.closed.Load() || second.closed.Load() || !third.closed.Load() {
			t.Errorf("of three connections closed are %t, %t, %t, expected the third", first.closed.Load(), second.closed.Load(), third.closed.Load())
		}
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if !first.closed.Load() || second.closed.Load() {
			t.Errorf("after a minute closed are %t, %t, expected the first, and not the second", first.closed.Load(), second.closed.Load())
		}
		third = new(parked)
		l.put(third, 2, 0)
		for _, want := range []Stream{third, second, nil} {
			if got := l.get(); got != want {
				t.Errorf("got %v, expected %v", got, want)
			}
		}
		time.Sleep(time.Hour)
		if third.closed.Load() || second.closed.Load() {
			t.Error("a connection that is in use was closed")
		}
		l.put(second, 2, time.Minute)
		l.put(third, 2, 0)
		l.closeAll()
		if !second.closed.Load() || !third.closed.Load() || l.get() != nil {
			t.Error("a connection is left after all were closed")
		}
	})
}
