package bench

import (
	"slices"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/measure"
)

// loopbackServers are compared with the first, and with the second.
var loopbackServers = []string{
	"net/http+timeouts", "net/http", "server.Server", "server.Handler", "server.Server+generator", "server.Server+nethttp", "chi",
}

// BenchmarkLoopback puts servers under load by turns, and reports for each how
// its requests per second relate to those of a raw handler under net/http with
// timeouts (ratio, the median over the rounds), and to those of one without
// any (ratio-bare). cpu-µs is what a request costs the server in processor
// time, and cpu-ratio relates it to the first; they depend least on what else
// the machine does.
func BenchmarkLoopback(b *testing.B) {
	const clients = 32
	names := loopbackServers
	var children []*child
	var loads []*load
	for _, name := range names {
		c := startChild(b, name)
		children = append(children, c)
		loads = append(loads, newLoad(b, c.addr, clients))
		loads[len(loads)-1].run(b, 200*time.Millisecond)
	}
	rates := make([][]float64, len(names))
	for b.Loop() {
		for i := range 40 {
			for _, k := range turn(len(names), i) {
				rates[k] = append(rates[k], loads[k].run(b, 100*time.Millisecond))
			}
		}
	}
	cpu := make([]float64, len(names)) // seconds for a request
	for k := range names {
		cpu[k] = children[k].stop().Seconds() / float64(loads[k].requests)
	}
	for k, name := range names {
		b.Run(name, func(b *testing.B) {
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(measure.Median(rates[k]), "req/s")
			b.ReportMetric(measure.Median(measure.Quotients(rates[k], rates[0])), "ratio")
			b.ReportMetric(measure.Median(measure.Quotients(rates[k], rates[1])), "ratio-bare")
			b.ReportMetric(cpu[k]*1e6, "cpu-µs")
			b.ReportMetric(cpu[k]/cpu[0], "cpu-ratio")
		})
	}
}

// turn is the order of n contenders in round i: each of them gets every place,
// and those that are compared are never further apart than a round.
func turn(n, i int) []int {
	order := make([]int, n)
	for k := range order {
		order[k] = (k + i) % n
	}
	if i%2 == 1 {
		slices.Reverse(order)
	}
	return order
}

// TestLoopback checks that every server in the benchmark answers.
func TestLoopback(t *testing.T) {
	for _, name := range loopbackServers {
		t.Run(name, func(t *testing.T) {
			newLoad(t, startChild(t, name).addr, 2).run(t, 10*time.Millisecond)
		})
	}
}
