package bench

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/measure"
)

var (
	requestsPerSecond = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	requestsInAll     = regexp.MustCompile(`(\d+) requests in`)
	failures          = regexp.MustCompile(`Non-2xx|Socket errors`)
)

// loaded is what a second of load came to.
type loaded struct {
	rate float64 // requests in a second
	cpu  float64 // microseconds of processor time of this process for each

	// nginx is the same of nginx, which is one process with one thread: no server
	// behind it can have it answer more often than it has time for.
	nginx float64
}

// onProcessor is how long the first thread of a process has run, as Linux counts.
func onProcessor(b *testing.B, pid int) time.Duration {
	var ns int64
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err == nil {
		_, err = fmt.Sscan(string(text), &ns)
	}
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(ns)
}

// wrk loads a location of the nginx for a second, over 32 connections.
func wrk(b *testing.B, url string, nginx int) loaded {
	before, nginxBefore := measure.Processor(), onProcessor(b, nginx)
	out, err := exec.Command("wrk", "-t1", "-c32", "-d1s", url).CombinedOutput()
	used, nginxUsed := measure.Processor()-before, onProcessor(b, nginx)-nginxBefore
	if err != nil || failures.Match(out) {
		b.Fatalf("wrk: %v\n%s", err, out)
	}
	number := func(pattern *regexp.Regexp) float64 {
		found := pattern.FindSubmatch(out)
		if found == nil {
			b.Fatalf("wrk said %s", out)
		}
		n, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			b.Fatal(err)
		}
		return n
	}
	each := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / number(requestsInAll) }
	return loaded{number(requestsPerSecond), each(used), each(nginxUsed)}
}
