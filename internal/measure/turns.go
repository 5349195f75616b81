// Package measure compares two ways to do the same, for the benchmarks of this
// repository.
//
// On a machine that does other things as well a figure says little. So two ways take
// turns, in rounds so short that both see the same machine, and what is reported are
// medians over the rounds; and what counts is the time on a processor, for that on the
// clock has in it what others do.
package measure

import (
	"slices"
	"time"
)

// Costs are what one run has taken in each round, in seconds.
type Costs struct{ Processor, Clock []float64 }

// Add adds the rounds of others.
func (c *Costs) Add(others Costs) {
	c.Processor, c.Clock = append(c.Processor, others.Processor...), append(c.Clock, others.Clock...)
}

// Turns runs a and b by turns, each of them 2·times in a round, and returns what one run
// has cost in each.
//
// Who goes second may pay for what the first left to the collector, and who follows
// itself finds the caches warm. So a round is a, b, b, a.
func Turns(rounds, times int, a, b func()) (as, bs Costs) {
	run := func(f func(), to *Costs) {
		began, clock := Processor(), time.Now()
		for range times {
			f()
		}
		took, clocked := Processor()-began, time.Since(clock)
		to.Processor[len(to.Processor)-1] += took.Seconds() / float64(2*times)
		to.Clock[len(to.Clock)-1] += clocked.Seconds() / float64(2*times)
	}
	for range rounds {
		as.Add(Costs{[]float64{0}, []float64{0}})
		bs.Add(Costs{[]float64{0}, []float64{0}})
		run(a, &as)
		run(b, &bs)
		run(b, &bs)
		run(a, &as)
	}
	return as, bs
}

// Times returns how often f has to run to take as long as least, about, for what is
// shorter is not measured well.
func Times(least time.Duration, f func()) int {
	for n := 1; ; n *= 2 {
		begin := Processor()
		for range n {
			f()
		}
		if took := Processor() - begin; took >= least/4 || n >= 1<<20 {
			return max(1, int(float64(n)*float64(least)/float64(max(took, 1))))
		}
	}
}

// Median returns the median of a list that is not empty.
func Median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Quotients returns the elements of a divided by those of b.
func Quotients(a, b []float64) []float64 {
	q := make([]float64, len(a))
	for i := range q {
		q[i] = a[i] / b[i]
	}
	return q
}
