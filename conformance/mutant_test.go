package conformance

import (
	"context"
	"fmt"
	"os"
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

// overlap is what cannot be kept either when the rule of a mutant is broken, and
// why: one rule implies the other, or is seen by way of it.
type overlap struct{ rules, because string }

// none is the overlap of a mutant that breaks its rule and nothing else.
var none overlap

// overlapping is the overlap of a mutant of a table whose overlaps have one
// reason.
func overlapping(rules, because string) overlap {
	if rules == "" {
		return none
	}
	return overlap{rules, because}
}

// tally counts how the mutants of one suite fared.
type tally struct {
	mutants, killed, accused int
	rules                    map[string]bool
}

// verdict compares what was found with what should have been.
func (y *tally) verdict(t *testing.T, j judged, rule string, also overlap) {
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
	if (also.rules == "") != (also.because == "") {
		t.Errorf("the overlap %q has the reason %q", also.rules, also.because)
	}
	for _, other := range strings.Fields(also.rules) {
		if j.broken[other] == "" {
			t.Logf("the suite finds nothing of %s, which the mutant is said to break too", other)
		}
	}
	for found, fault := range j.broken {
		if found != rule && !slices.Contains(strings.Fields(also.rules), found) {
			y.accused++
			t.Errorf("the suite says that %s is broken:\n%s", found, fault)
		}
	}
}

// suites is how the suites fared whose mutants were run, for TestMain.
var suites struct {
	mu   sync.Mutex
	rows []string
}

// Fared adds a row to the table that is printed when all tests are over.
func Fared(suite string, rules, mutants, killed, accused int) {
	suites.mu.Lock()
	defer suites.mu.Unlock()
	suites.rows = append(suites.rows, fmt.Sprintf("%-12s %8d %8d %8d %16d", suite, rules, mutants, killed, accused))
}

// TestMain prints one table of all suites: the rules that each checks, subjects
// with a fault, how many of them were caught by their rule, and how often
// another rule was said to be broken.
func TestMain(m *testing.M) {
	code := m.Run()
	if len(suites.rows) > 0 {
		fmt.Printf("%-12s %8s %8s %8s %16s\n%s\n", "suite", "rows", "mutants", "killed", "falsely accused", strings.Join(suites.rows, "\n"))
	}
	os.Exit(code)
}

// table adds to the table of suites, and expects a mutant for each rule that
// has to be kept, when -run has not left some of all out.
func (y *tally) table(t *testing.T, suite string, all int, rules map[string]bool) {
	if y.mutants < all {
		return
	}
	Fared(suite, len(rules), y.mutants, y.killed, y.accused)
	var without []string
	for rule := range rules {
		row, _ := requirements.ByID(rule)
		switch {
		case y.rules[rule]:
		case strings.HasPrefix(row.Word(), "MUST"):
			t.Errorf("no mutant breaks %s, which the suite claims to check", rule)
		default:
			without = append(without, rule)
		}
	}
	if slices.Sort(without); len(without) > 0 {
		t.Logf("no mutant breaks %q", without)
	}
}

// right reports whether the rule is found to be broken and no other but those
// of its overlap.
func (j judged) right(rule, also string) bool {
	for found := range j.broken {
		if found != rule && !slices.Contains(strings.Fields(also), found) {
			return false
		}
	}
	return j.broken[rule] != ""
}

// together calls f for 0 to n-1, several at a time: most of the time a suite
// waits for what a mutant does not do. What is not right after that is judged
// again, alone and with all patience: a fault of timing, or a sound answer, may
// hide while many share the processors.
func together(n int, f func(i int, patience time.Duration) judged, right func(i int, j judged) bool) []judged {
	const workers = 8
	found := make([]judged, n)
	next := make(chan int)
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for i := range next {
				found[i] = f(i, mutantPatience)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	for i := range found {
		for try := 0; !right(i, found[i]) && try < 3; try++ {
			found[i] = f(i, defaultPatience)
		}
	}
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
		s := &mutantServer{serverFaults: f}
		network, addr := s.serve(t, d)
		return s.subject(d, network, addr)
	}
	for mode, name := range []string{"sound", "sound with TLS", "sound, one at a time", "", "sound, one shot"} {
		if name == "" {
			continue // halfSingle is a fault
		}
		t.Run(name, func(t *testing.T) {
			for rule, fault := range judge(start(t, serverFaults{mode: mutantMode(mode)}), serverGoProbes(), defaultPatience, "").broken {
				t.Errorf("the suite says that %s is broken:\n%s", rule, fault)
			}
		})
	}
	found := together(len(serverMutants), func(i int, patience time.Duration) judged {
		m := serverMutants[i]
		return judge(start(t, m.faults), serverGoProbes(), patience, m.rule+" "+m.also.rules)
	}, func(i int, j judged) bool { return j.right(serverMutants[i].rule, serverMutants[i].also.rules) })
	var y tally
	for i, m := range serverMutants {
		t.Run(m.rule+"/"+m.name, func(t *testing.T) { y.verdict(t, found[i], m.rule, m.also) })
	}
	y.table(t, "server", len(serverMutants), rulesOf(serverGoProbes()))
}
