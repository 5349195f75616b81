package launch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// watch looks after a server while it is checked. A server that a probe has
// brought down is a finding. The other probes shall not suffer from it, and so
// it is started again, where it was.
type watch struct {
	lenient  bool // as the suite is
	progress func(rule, name string)
	cancel   context.CancelCauseFunc
	probe    string // that is at work
	ends     []end
}

// An end of a server: how it ended, the probe that was at work, and both in
// words.
type end struct{ how, probe, text string }

// tooOften is how many ends of a server are enough.
const tooOften = 8

var errTooOften = errors.New("the server has ended too often")

// next is called before each probe, and with "" behind the last one.
func (w *watch) next(ctx context.Context, s *Server, probe string) {
	before := w.probe
	w.probe = probe
	if how, gone := s.gone(ctx); gone && ctx.Err() == nil {
		text := fmt.Sprintf("expected the server to go on whatever the application does, it %s during the probe %s", how, before)
		if out := s.Output(); out != "" {
			text += "\nthe end of its output:\n  " + strings.ReplaceAll(out, "\n", "\n  ")
		}
		w.ends = append(w.ends, end{how, before, text})
		switch {
		case probe == "":
		case len(w.ends) == tooOften:
			w.cancel(errTooOften)
		default:
			if err := s.restart(ctx); err != nil {
				w.cancel(fmt.Errorf("the server %s during the probe %s and does not start again: %w", how, before, err))
			}
		}
	}
	if rule, name, _ := strings.Cut(probe, " "); w.progress != nil && probe != "" {
		w.progress(rule, name)
	}
}

// The rules that a server breaks which does not survive: the one of all failing
// requests, and the one of exceptions that are meant for the process. The probes
// of the latter may see nothing of it: a server takes its time to end, and is
// there again when they look.
const ruleOfEnds, ruleOfExits = "SRV-08", "ERR-13"

// byExit reports whether an exception that is meant for the process ended the
// server: a probe raised one, or it ended by the signal that Python makes of
// KeyboardInterrupt when it leaves. What a server does that ends then is defined,
// if not by everybody in the same way (AMB-29), and no request has failed in the
// ordinary sense.
func (e end) byExit() bool {
	return strings.HasPrefix(e.probe, ruleOfExits) || strings.HasPrefix(e.probe, ruleOfEnds+" SystemExit") || strings.HasSuffix(e.how, "signal: interrupt")
}

// tell adds what was seen to the report.
func (w *watch) tell(r conformance.Report) conformance.Report {
	var ofRequests, ofExits []string
	for _, e := range w.ends {
		if e.byExit() {
			ofExits = append(ofExits, e.text)
		} else {
			ofRequests = append(ofRequests, e.text)
		}
	}
	if len(ofRequests) > 0 {
		add(&r, ruleOfEnds, conformance.Fail, ofRequests[0]+w.more(len(ofRequests)-1))
	}
	if len(ofExits) > 0 {
		status := conformance.Fail
		if w.lenient {
			status = conformance.Warn
		}
		fault, output, more := strings.Cut(ofExits[0], "\n")
		fault += " (PEP 3333 has other readings: see AMB-29)"
		if more {
			fault += "\n" + output
		}
		add(&r, ruleOfExits, status, fault)
	}
	return r
}

// more says how many ends there were behind the first one.
func (w *watch) more(n int) (text string) {
	switch {
	case n == 1:
		text = "\nand once more"
	case n > 1:
		text = fmt.Sprintf("\nand %d times more", n)
	}
	if len(w.ends) == tooOften {
		text += "; then the check was given up"
	}
	return text
}

// add gives a rule of r a status, unless it has a graver one, and evidence
// behind what there is.
func add(r *conformance.Report, id string, status conformance.Status, evidence string) {
	i := slices.IndexFunc(r.Results, func(x conformance.Result) bool { return x.ID == id })
	if i < 0 {
		i = len(r.Results)
		for _, rule := range conformance.Rules() {
			if rule.ID == id {
				r.Results = append(r.Results, conformance.Result{ID: rule.ID, Level: rule.Level})
			}
		}
	}
	x := &r.Results[i]
	if x.Status == conformance.Fail || x.Status == conformance.Warn {
		evidence = x.Evidence + "\n" + evidence
	}
	if x.Status != conformance.Fail {
		x.Status = status
	}
	x.Evidence = evidence
}
