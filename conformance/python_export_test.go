package conformance

import (
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// PythonJudge is the suite of probes for Python servers alone, and the tally
// of how mutants fare with it, for tests that need package bridge.
type PythonJudge struct{ tally tally }

// Judge runs the probes on the server that start starts.
func (j *PythonJudge) Judge(expected string, start func(app wsgi.Application) (network, addr string)) map[string]string {
	d := newDispatcher()
	network, addr := start(d)
	subject := &serverSubject{dispatcher: d, network: network, addr: addr, protocol: "http", python: true}
	return judge(subject, serverPythonProbes, 2*mutantPatience, expected).broken
}

// Together judges n mutants as together does.
func (j *PythonJudge) Together(n int, f func(i int) map[string]string, rule func(i int) (broken, also string)) []map[string]string {
	broken := make([]map[string]string, n)
	for i, found := range together(n,
		func(i int, _ time.Duration) judged { return judged{f(i)} },
		func(i int, found judged) bool { return found.right(rule(i)) },
	) {
		broken[i] = found.broken
	}
	return broken
}

// Verdict compares what was found with what should have been.
func (j *PythonJudge) Verdict(t *testing.T, broken map[string]string, rule, also string) {
	t.Helper()
	j.tally.verdict(t, judged{broken}, rule, overlapping(also, "one type in the wrong place breaks both"))
}

// Table adds the suite to the table of all. all is how many mutants there are.
func (j *PythonJudge) Table(t *testing.T, all int) {
	t.Helper()
	j.tally.table(t, "Python", all, rulesOf(serverPythonProbes))
}
