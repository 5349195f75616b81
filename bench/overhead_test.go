package bench

import (
	"net/http"
	"runtime"
	"slices"
	"testing"
)

// BenchmarkAnswer gives the cost of one answer for each contender, the way go
// test reports it. To compare two of them look at BenchmarkOverhead: between
// two figures of this one seconds pass, and on a busy machine the pace changes.
func BenchmarkAnswer(b *testing.B) {
	for _, c := range contenders {
		b.Run(c.name, func(b *testing.B) {
			w, r := newDiscard(), browserRequest()
			b.ReportAllocs()
			for b.Loop() {
				w.reset()
				c.handler.ServeHTTP(w, r)
			}
		})
	}
}

// BenchmarkOverhead lets each contender and the raw handler take turns, in
// rounds so short that both see the same machine, and reports the medians of
// the differences: overhead-ns and overhead-allocs for one answer.
//
// It measures the time on a processor, and there is one for everything. So
// what others do on the machine counts for little, and what the collector does
// with the garbage of the answers counts in full, rather than being done
// unseen on another core.
func BenchmarkOverhead(b *testing.B) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	raw := contenders[0].handler
	for _, c := range contenders[1:] {
		b.Run(c.name, func(b *testing.B) {
			bases, costs := turns(b, raw, c.handler)
			differences, ratios := make([]float64, len(bases)), make([]float64, len(bases))
			for i := range bases {
				differences[i], ratios[i] = costs[i]-bases[i], costs[i]/bases[i]
			}
			b.ReportMetric(0, "ns/op") // of no interest
			b.ReportMetric(median(bases), "raw-ns")
			b.ReportMetric(median(differences), "overhead-ns")
			b.ReportMetric(median(ratios), "ratio")
			b.ReportMetric(allocations(c.handler)-allocations(raw), "overhead-allocs")
		})
	}
}

// turns lets two handlers answer by turns, in rounds, and returns for each round
// the processor time of one answer of either, in nanoseconds.
func turns(b *testing.B, base, other http.Handler) (bases, others []float64) {
	w, r := newDiscard(), browserRequest()
	const perRound = 20_000 // some collections fall into each
	round := func(h http.Handler) float64 {
		start := cpuTime()
		for range perRound {
			w.reset()
			h.ServeHTTP(w, r)
		}
		return float64(cpuTime()-start) / perRound
	}
	round(base)
	round(other)
	for b.Loop() {
		for i := range 40 {
			// Who goes second may pay for what the first left to the
			// collector, so they take turns at that too.
			var x, y float64
			if i%2 == 0 {
				x, y = round(base), round(other)
			} else {
				y, x = round(other), round(base)
			}
			bases, others = append(bases, x), append(others, y)
		}
	}
	return bases, others
}

// compare reports the time and the allocations of an answer of ours, and how
// they relate to those of theirs.
func compare(b *testing.B, ours, theirs http.Handler) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	base, cost := turns(b, theirs, ours)
	allocs, allocsTheirs := allocations(ours), allocations(theirs)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(cost), "ours-ns")
	b.ReportMetric(median(base), "theirs-ns")
	b.ReportMetric(median(quotients(cost, base)), "ratio")
	b.ReportMetric(allocs, "ours-allocs")
	b.ReportMetric(allocsTheirs, "theirs-allocs")
}

// allocations returns how many allocations one answer takes.
func allocations(h http.Handler) float64 {
	w, r := newDiscard(), browserRequest()
	return testing.AllocsPerRun(1000, func() { w.reset(); h.ServeHTTP(w, r) })
}

// TestAllocations holds the one target that does not depend on the machine:
// three allocations more than the raw handler needs.
func TestAllocations(t *testing.T) {
	raw := allocations(contenders[0].handler)
	if n := allocations(contenderNamed(t, "AppFunc")) - raw; n > 3 {
		t.Errorf("an answer of one block takes %v allocations more than a raw handler's, expected at most 3", n)
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}
