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
	progress func(rule, name string)
	cancel   context.CancelCauseFunc
	probe    string // that is at work
	ends     []end
}

// An end of a server, and the probe that was at work.
type end struct{ probe, text string }

// tooOften is how many ends of a server are enough.
const tooOften = 20

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
		w.ends = append(w.ends, end{before, text})
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

// tell adds what was seen to the report.
func (w *watch) tell(r conformance.Report) conformance.Report {
	if len(w.ends) == 0 {
		return r
	}
	add(&r, ruleOfEnds, w.ends[0].text+w.more())
	for _, e := range w.ends {
		if strings.HasPrefix(e.probe, ruleOfExits) {
			add(&r, ruleOfExits, e.text)
			break
		}
	}
	return r
}

// more says how many ends there were behind the first one.
func (w *watch) more() (text string) {
	if more := len(w.ends) - 1; more > 0 {
		text = fmt.Sprintf("\nand %d times more", more)
	}
	if len(w.ends) == tooOften {
		text += "; then the check was given up"
	}
	return text
}

// add makes a rule of r fail, with evidence behind what there is.
func add(r *conformance.Report, id, evidence string) {
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
	x.Status, x.Evidence = conformance.Fail, evidence
}
