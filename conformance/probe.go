package conformance

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/requirements"
)

// Suite holds the choices of a run of the suites. The zero value is strict,
// and is what TestServer, TestApplication and TestMiddleware use.
type Suite struct {
	// Lenient makes a line in the log of what fails a test otherwise, where the
	// rule is a SHOULD or SHOULD NOT, or where PEP 3333 can be read in more
	// than one way and the rule is not a MUST or MUST NOT in the PEP's own
	// emphasis (its level has a sign, such as "MUST°"): the suite expects the
	// reading that this module chose, and then takes the others for
	// differences and not for faults. What contradicts every reading fails, and
	// so does every MUST of the PEP's own. The readings are those of the list
	// of ambiguities in doc/differences.md, AMB-01 and so on; the message names
	// the one.
	//
	// In a Report a SHOULD is never more than Warn; Lenient makes Warn of a
	// fault against one reading too.
	Lenient bool

	// Protocol is what the server under test speaks: "" or "http" for HTTP/1.x
	// in clear, "h2c" for HTTP/2 in clear, or "fastcgi", "scgi", "uwsgi", "cgi".
	// Where it is not HTTP/1.x, the suite puts a front end of its own before
	// the server, and leaves out what is then the front end's affair.
	Protocol string

	// Python tells that the application is called by a Python server, by way
	// of package bridge: rules that Go's types enforce are then looked at, and
	// those that only Go has are left out.
	Python bool

	// Patience bounds each wait for the subject: 5 s when it is zero. A
	// subject that keeps its contract is never waited for so long.
	Patience time.Duration
}

const defaultPatience = 5 * time.Second

func (s Suite) patience() time.Duration {
	if s.Patience <= 0 {
		return defaultPatience
	}
	return s.Patience
}

// probe is one check of a suite: what it does to a subject of type S breaks
// one rule at most. The suites and the tests of the suites run the same lists.
type probe[S any] struct {
	rule string // an id of the catalogue
	name string // what is looked at, for the name of the subtest
	run  func(p *probing, subject S)
}

func (p probe[S]) String() string { return p.rule + "/" + p.name }

// probing is a probe at work. Its methods may be called from any goroutine,
// and later than the probe's end: then they do nothing.
type probing struct {
	rule     string
	patience time.Duration

	mu      sync.Mutex
	over    bool
	open    string // the ambiguity of which one reading is looked at
	firm    bool
	faults  []string
	seen    []string
	skipped string
}

// faultf records that the subject broke the rule: what was expected, and what
// came instead.
func (p *probing) faultf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		text := fmt.Sprintf(format, args...)
		if p.open != "" {
			text += fmt.Sprintf(" (one reading of PEP 3333: %s)", p.open)
		}
		p.firm = p.firm || p.open == ""
		p.faults = append(p.faults, text)
	}
}

// reading says that what follows looks at one reading of the given ambiguity,
// an AMB of the catalogue, and that there are others. "" ends that.
func (p *probing) reading(ambiguity string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = ambiguity
}

// fatalf is faultf for what makes it useless to go on. Only the goroutine of
// the probe calls it.
func (p *probing) fatalf(format string, args ...any) {
	p.faultf(format, args...)
	panic(errEnough)
}

// saw records an event that makes a fault easier to understand.
func (p *probing) saw(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.over {
		p.seen = append(p.seen, fmt.Sprintf(format, args...))
	}
}

// skipf ends a probe that does not apply to the subject, and says why. Only
// the goroutine of the probe calls it.
func (p *probing) skipf(format string, args ...any) {
	p.mu.Lock()
	p.skipped = fmt.Sprintf(format, args...)
	p.mu.Unlock()
	panic(errEnough)
}

// errEnough ends a probe from within.
var errEnough = errors.New("conformance: the probe has seen enough")

// probeLimit is how many waits a probe may make use of to the full. It ends
// what a bound of each single wait does not end.
const probeLimit = 6

// result is what a probe has found, nothing when the subject keeps the rule.
type result struct {
	faults  []string
	firm    bool // not all of them are against one reading of an ambiguity
	seen    []string
	skipped string // why the probe does not apply to the subject
	waited  bool   // it took at least as long as one wait in vain
}

// try runs p on subject. It returns in any case: a subject that blocks for
// ever or panics is found out, not suffered.
func (p probe[S]) try(subject S, patience time.Duration) result {
	run := &probing{rule: p.rule, patience: patience}
	begun := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil && v != errEnough {
				run.faultf("expected the probe to end, it panicked: %v\n%s", v, debug.Stack())
			}
		}()
		p.run(run, subject)
	}()
	limit := time.NewTimer(probeLimit * patience)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
		run.faultf("expected the probe to end, it was still waiting after %v", probeLimit*patience)
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	run.over = true
	return result{run.faults, run.firm, run.seen, run.skipped, time.Since(begun) >= patience}
}

// report tells t what a probe found: the rule, what was expected, what came,
// and what was seen on the way.
func (s Suite) report(t testing.TB, rule string, r result) {
	t.Helper()
	if len(r.faults) == 0 {
		return
	}
	row, _ := requirements.ByID(rule)
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", rule, row.Level, row.Text)
	for _, fault := range r.faults {
		fmt.Fprintf(&b, "\n  %s", fault)
	}
	for _, seen := range r.seen {
		fmt.Fprintf(&b, "\n    seen: %s", seen)
	}
	if s.Lenient && s.status(row, r) != Fail {
		t.Log(b.String())
		return
	}
	t.Error(b.String())
}

// status weighs what a probe of row has found.
func (s Suite) status(row requirements.Row, r result) Status {
	switch {
	case len(r.faults) == 0 && r.skipped != "":
		return Skip
	case len(r.faults) == 0:
		return Pass
	case strings.HasPrefix(row.Word(), "SHOULD"):
		return Warn
	case s.Lenient && !r.firm && row.Level != row.Word(): // not emphasised
		return Warn
	}
	return Fail
}

// runProbes runs every probe as a subtest of its name.
func runProbes[S any](t *testing.T, s Suite, subject S, probes []probe[S]) {
	t.Helper()
	hasty := newHaste(s.patience())
	for _, p := range probes {
		t.Run(p.String(), func(t *testing.T) {
			t.Helper()
			r := hasty.note(p.try(subject, hasty.patience))
			if len(r.faults) == 0 && r.skipped != "" {
				t.Skip(r.skipped)
			}
			s.report(t, p.rule, r)
		})
	}
}

// haste shortens the patience with a subject on which waiting was in vain, time
// after time: one that never answers shall not take a minute for each rule. It
// ends with the first probe that need not wait, so that a subject that answers
// slowly, or hangs in some cases only, is not said to be worse than it is.
type haste struct {
	full     time.Duration
	patience time.Duration
	vain     int // probes in a row that waited in vain
}

func newHaste(patience time.Duration) *haste { return &haste{full: patience, patience: patience} }

// hurriedAfter is the number of probes after which a subject that does not
// answer is not waited for as before. By then there is enough to read.
const hurriedAfter = 6

// note takes the result of a probe into account, and returns it. A fault that
// was found in haste says so.
func (h *haste) note(r result) result {
	if !r.waited || len(r.faults) == 0 {
		h.vain, h.patience = 0, h.full
		return r
	}
	if h.vain >= hurriedAfter {
		r.seen = append(r.seen, fmt.Sprintf("waited for %v only, after %d probes in a row that waited in vain", h.patience, h.vain))
	}
	if h.vain++; h.vain == hurriedAfter {
		h.patience = min(h.full, 100*time.Millisecond)
	}
	return r
}
