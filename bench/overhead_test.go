package bench

import (
	"net/http"
	"runtime"
	"testing"

	"github.com/gowsgi/gowsgi/internal/measure"
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
			base, cost := turns(b, raw, c.handler)
			bases, costs := base.Processor, cost.Processor
			differences, ratios := make([]float64, len(bases)), make([]float64, len(bases))
			for i := range bases {
				differences[i], ratios[i] = costs[i]-bases[i], costs[i]/bases[i]
			}
			b.ReportMetric(0, "ns/op") // of no interest
			b.ReportMetric(1e9*measure.Median(bases), "raw-ns")
			b.ReportMetric(1e9*measure.Median(differences), "overhead-ns")
			b.ReportMetric(measure.Median(ratios), "ratio")
			b.ReportMetric(allocations(c.handler)-allocations(raw), "overhead-allocs")
		})
	}
}

// turns lets two handlers answer by turns, in rounds, and returns what one answer of
// either has cost in each.
func turns(b *testing.B, base, other http.Handler) (bases, others measure.Costs) {
	w, r := newDiscard(), browserRequest()
	answer := func(h http.Handler) func() { return func() { w.reset(); h.ServeHTTP(w, r) } }
	const perRound = 20_000 // some collections fall into each
	measure.Turns(1, perRound, answer(base), answer(other))
	for b.Loop() {
		x, y := measure.Turns(20, perRound, answer(base), answer(other))
		bases.Add(x)
		others.Add(y)
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
	b.ReportMetric(1e9*measure.Median(cost.Processor), "ours-ns")
	b.ReportMetric(1e9*measure.Median(base.Processor), "theirs-ns")
	b.ReportMetric(measure.Median(measure.Quotients(cost.Processor, base.Processor)), "ratio")
	b.ReportMetric(measure.Median(measure.Quotients(cost.Clock, base.Clock)), "ratio-clock")
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
