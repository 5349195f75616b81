package conformance

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

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
	script   transcript

	mu      sync.Mutex
	over    bool
	open    string // the ambiguity of which one reading is looked at
	faults  []fault
	skipped string
}

// fault is one thing that was expected and did not come.
type fault struct {
	text     string
	firm     bool      // it contradicts every reading of the PEP
	exchange *exchange // in which it was noticed
}

// faultf records that the subject broke the rule: what was expected, and what
// came instead. What was sent, what came, and what the application did is added
// by itself.
func (p *probing) faultf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	text := fmt.Sprintf(format, args...)
	if len(text) > maxFault {
		text = strings.ToValidUTF8(text[:maxFault], "") + "..."
	}
	if p.open != "" {
		text += fmt.Sprintf(" (PEP 3333 has other readings: see %s)", p.open)
	}
	p.faults = append(p.faults, fault{text, p.open == "", p.script.current()})
}

// maxFault is how many bytes of a fault are told: a subject may have much to
// say.
const maxFault = 1000

// fatalf is faultf for what makes it useless to go on. Only the goroutine of
// the probe calls it.
func (p *probing) fatalf(format string, args ...any) {
	p.faultf(format, args...)
	panic(errEnough)
}

// reading says that what follows looks at one reading of the given ambiguity,
// an AMB of the catalogue, and that there are others. "" ends that.
func (p *probing) reading(ambiguity string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = ambiguity
}

// skipf ends a probe that does not apply to the subject, and says why. Only
// the goroutine of the probe calls it.
func (p *probing) skipf(format string, args ...any) {
	p.mu.Lock()
	p.skipped = fmt.Sprintf(format, args...)
	p.mu.Unlock()
	panic(errEnough)
}

// left ends a probe that comes to nothing because the subject breaks another
// rule before. It is not kept then, and not broken.
func (p *probing) left(rule, why string) { p.skipf("not decided: %s, which is %s's affair", why, rule) }

// withdraw takes back the faults that were found.
func (p *probing) withdraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// guarded calls f, which calls the subject and recovers what that panics with,
// and ends the probe when f does not return. Only a goroutine of the probe
// calls it.
func (p *probing) guarded(what string, f func()) {
	ended := make(chan bool, 1)
	go func() {
		returned := false
		defer func() { ended <- returned }()
		f()
		returned = true
	}()
	limit := time.NewTimer(p.patience)
	defer limit.Stop()
	select {
	case returned := <-ended:
		if !returned {
			p.fatalf("expected %s to return, it ended the goroutine that called it (runtime.Goexit)", what)
		}
	case <-limit.C:
		p.fatalf("expected %s to return, it was still at work after %v", what, p.patience)
	}
}

// together calls f for 0 to n-1 at the same time, as goroutines of the probe.
func (p *probing) together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			defer func() {
				if v := recover(); v != nil && v != errEnough {
					p.faultf("expected no panic, got %v", v)
				}
			}()
			f(i)
		})
	}
	all.Wait()
}

// errEnough ends a probe from within.
var errEnough = errors.New("conformance: the probe has seen enough")

// probeLimit is how many waits a probe may make use of to the full. It ends
// what a bound of each single wait does not end.
const probeLimit = 6

// result is what a probe has found, nothing when the subject keeps the rule.
type result struct {
	faults  []string // expected and got, a line each
	proof   string   // faults, with the bytes and events that prove them
	firm    bool     // not all of the faults are against one reading of an ambiguity
	skipped string   // why the probe does not apply to the subject
	once    string   // the proof of what did not happen again
	took    time.Duration
}

// try runs p on subject. It returns in any case: a subject that blocks for
// ever or panics is found out, not suffered. When ctx ends it returns at once.
func (p probe[S]) try(ctx context.Context, subject S, patience time.Duration) result {
	began := time.Now()
	run := &probing{rule: p.rule, patience: patience}
	done := make(chan struct{})
	go func() {
		defer close(done)
		ended := false
		defer func() {
			switch v := recover(); {
			case v == errEnough || ended:
			case v != nil:
				run.faultf("expected the probe to end, it panicked: %v\n%s", v, debug.Stack())
			default:
				run.faultf("expected a return, the subject ended the goroutine that called it (runtime.Goexit)")
			}
		}()
		p.run(run, subject)
		ended = true
	}()
	limit := time.NewTimer(probeLimit * patience)
	defer limit.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	case <-limit.C:
		run.faultf("expected the probe to end, it was still waiting after %v", probeLimit*patience)
	}
	run.mu.Lock()
	defer run.mu.Unlock()
	run.over = true
	r := result{skipped: run.skipped, took: time.Since(began), proof: prove(run.faults)}
	for _, f := range run.faults {
		r.faults = append(r.faults, f.text)
		r.firm = r.firm || f.firm
	}
	return r
}

// indent puts blanks before each line of text.
func indent(text, blanks string) string {
	return blanks + strings.ReplaceAll(text, "\n", "\n"+blanks)
}
