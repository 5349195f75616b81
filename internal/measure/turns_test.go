package measure

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Neither has a figure for which it alone stood where the other had been.
func TestTurns(t *testing.T) {
	var order string
	as, bs := Turns(2, 3, func() { order += "a" }, func() { order += "b" })
	if want := "aaabbbbbbaaaaaabbbbbbaaa"; order != want {
		t.Errorf("the order is %s, expected %s", order, want)
	}
	for _, costs := range []Costs{as, bs} {
		if len(costs.Processor) != 2 || len(costs.Clock) != 2 {
			t.Errorf("there are %d and %d figures, expected one for each round", len(costs.Processor), len(costs.Clock))
		}
	}
}

// A figure is that of one run: all of them together are what all runs have taken, by
// their own account.
func TestTurnsOfOne(t *testing.T) {
	const rounds, times = 5, 4
	var processor, clock float64
	spin := func() {
		begin, began := Processor(), time.Now()
		for Processor()-begin < time.Millisecond {
		}
		processor += (Processor() - begin).Seconds()
		clock += time.Since(began).Seconds()
	}
	as, _ := Turns(rounds, times, spin, func() {})
	sum := func(figures []float64) (total float64) {
		for _, figure := range figures {
			total += figure * 2 * times
		}
		return total
	}
	for what, ratio := range map[string]float64{"processor": sum(as.Processor) / processor, "clock": sum(as.Clock) / clock} {
		if ratio < 0.99 || ratio > 1.9 {
			t.Errorf("%s: the figures come to %.2f of what was taken", what, ratio)
		}
	}
}

func TestTimes(t *testing.T) {
	runs := 0
	if n := Times(0, func() { runs++ }); n != 1 || runs == 0 {
		t.Errorf("no time is %d runs, after %d", n, runs)
	}
	if n := Times(time.Millisecond, func() {}); n < 1000 {
		t.Errorf("a millisecond is %d runs of nothing", n)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		list []float64
		want float64
	}{{[]float64{3}, 3}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 100}, 3.5}} {
		if got := Median(tt.list); got != tt.want {
			t.Errorf("the median of %v is %v, expected %v", tt.list, got, tt.want)
		}
	}
	if diff := cmp.Diff([]float64{2, 0.5}, Quotients([]float64{4, 1}, []float64{2, 2})); diff != "" {
		t.Error(diff)
	}
}
