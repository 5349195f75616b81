package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

// mutantPatience is short, because many mutants are found out by waiting in
// vain.
const mutantPatience = 400 * time.Millisecond

// judged is what a suite says of one subject.
type judged struct {
	broken map[string]string // rules, and the first fault of each
}

// judge runs all probes on a subject. A fault that is not among the expected
// rules is looked at again with all the patience of a user: on a busy machine
// a sound answer may take longer than a mutant is worth waiting for.
func judge[S any](subject S, probes []probe[S], patience time.Duration, expected string) judged {
	j := judged{make(map[string]string)}
	for _, p := range probes {
		r := p.try(context.Background(), subject, patience)
		if len(r.faults) > 0 && !slices.Contains(strings.Fields(expected), p.rule) {
			r = p.try(context.Background(), subject, defaultPatience)
		}
		if len(r.faults) > 0 && j.broken[p.rule] == "" {
			j.broken[p.rule] = fmt.Sprintf("%s: %s", p, r.proof)
		}
	}
	return j
}

// tally counts how the mutants of one suite fared.
type tally struct {
	mutants, killed, accused int
	rules                    map[string]bool
}

// verdict compares what was found with what should have been.
func (y *tally) verdict(t *testing.T, j judged, rule, also string) {
	t.Helper()
	if y.rules == nil {
		y.rules = make(map[string]bool)
	}
	y.mutants++
	y.rules[rule] = true
	if j.broken[rule] != "" {
		y.killed++
		t.Log(j.broken[rule]) // with -v, to read what a user would
	} else {
		t.Errorf("the suite does not notice that %s is broken", rule)
	}
	allowed := append(strings.Fields(also), rule)
	for found, fault := range j.broken {
		if !slices.Contains(allowed, found) {
			y.accused++
			t.Errorf("the suite says that %s is broken:\n%s", found, fault)
		}
	}
}

// table logs how the suite fared, and the rules that no mutant breaks.
func (y *tally) table(t *testing.T, suite string, probes int, rules map[string]bool) {
	t.Logf("%-16s %8s %8s %8s %8s %8s", "suite", "probes", "rules", "mutants", "killed", "accused")
	t.Logf("%-16s %8d %8d %8d %8d %8d", suite, probes, len(rules), y.mutants, y.killed, y.accused)
	for rule := range rules {
		if row, ok := requirements.ByID(rule); !ok || strings.HasPrefix(row.Word(), "MUST") && !y.rules[rule] {
			t.Errorf("no mutant breaks %s, which the suite claims to check", rule)
		}
	}
}

// together calls f for 0 to n-1, several at a time: most of the time a suite
// waits for what a mutant does not do.
func together(n int, f func(int) judged) []judged {
	const workers = 6
	found := make([]judged, n)
	next := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range next {
				found[i] = f(i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	return found
}

func rulesOf[S any](probes []probe[S]) map[string]bool {
	rules := make(map[string]bool)
	for _, p := range probes {
		rules[p.rule] = true
	}
	return rules
}

// TestServerMutants runs the suite on a server that is right, and on one for
// each fault that it should find.
func TestServerMutants(t *testing.T) {
	start := func(t *testing.T, f serverFaults) *serverSubject {
		d := newDispatcher()
		network, addr := (&mutantServer{serverFaults: f}).serve(t, d)
		return &serverSubject{dispatcher: d, network: network, addr: addr, protocol: "http"}
	}
	t.Run("sound", func(t *testing.T) {
		for rule, fault := range judge(start(t, serverFaults{}), serverGoProbes(), defaultPatience, "").broken {
			t.Errorf("the suite says that %s is broken:\n%s", rule, fault)
		}
	})
	found := together(len(serverMutants), func(i int) judged {
		m := serverMutants[i]
		j := judge(start(t, m.faults), serverGoProbes(), mutantPatience, m.rule+" "+m.also)
		for try := 0; j.broken[m.rule] == "" && try < 3; try++ {
			// A fault of timing may hide while six mutants share the processors.
			j = judge(start(t, m.faults), serverGoProbes(), defaultPatience, m.rule+" "+m.also)
		}
		return j
	})
	var y tally
	for i, m := range serverMutants {
		t.Run(m.rule+"/"+m.name, func(t *testing.T) { y.verdict(t, found[i], m.rule, m.also) })
	}
	y.table(t, "TestServer", len(serverGoProbes()), rulesOf(serverGoProbes()))
}
