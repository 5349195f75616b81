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
	ends     []string
}

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
		w.ends = append(w.ends, text)
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

// ruleOfEnds is the rule that a server breaks which does not survive.
const ruleOfEnds = "SRV-08"

// tell adds what was seen to the report.
func (w *watch) tell(r conformance.Report) conformance.Report {
	if len(w.ends) == 0 {
		return r
	}
	evidence := w.ends[0]
	if more := len(w.ends) - 1; more > 0 {
		evidence += fmt.Sprintf("\nand %d times more", more)
	}
	if len(w.ends) == tooOften {
		evidence += "; then the check was given up"
	}
	i := slices.IndexFunc(r.Results, func(x conformance.Result) bool { return x.ID == ruleOfEnds })
	if i < 0 {
		i = len(r.Results)
		for _, rule := range conformance.Rules() {
			if rule.ID == ruleOfEnds {
				r.Results = append(r.Results, conformance.Result{ID: rule.ID, Level: rule.Level})
			}
		}
	}
	if x := &r.Results[i]; x.Status == conformance.Fail {
		x.Evidence += "\n" + evidence
	} else {
		x.Status, x.Evidence = conformance.Fail, evidence
	}
	return r
}
