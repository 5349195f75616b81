package conformance

import (
	"fmt"
	"slices"
	"strings"
)

// Status is what a check says of one rule.
type Status string

// The statuses of a rule. Fail is a broken MUST, Warn a broken SHOULD; Skip is
// a rule that was not looked at, and its evidence says why.
const (
	Pass Status = "pass"
	Fail Status = "fail"
	Warn Status = "warn"
	Skip Status = "skip"
)

// A Result is what a check says of one rule.
type Result struct {
	// ID and Level are those of the rule; see Rule.
	ID    string `json:"id"`
	Level string `json:"level"`

	Status Status `json:"status"`

	// Evidence is what was expected and what came instead, with the bytes or
	// events that prove it, on one or more lines; for Skip it is the reason.
	// It is "" for Pass.
	Evidence string `json:"evidence,omitempty"`
}

// A Report is what a check says of one subject, in the order of the catalogue.
type Report struct {
	// Subject is what was checked, such as "gunicorn", and Version which one
	// of them. Who asks for the check sets them.
	Subject string `json:"subject"`
	Version string `json:"version"`

	Results []Result `json:"results"`
}

// Count returns how many results have the given status.
func (r Report) Count(status Status) (n int) {
	for _, result := range r.Results {
		if result.Status == status {
			n++
		}
	}
	return n
}

// collected gathers what the probes of a suite have found, by rule.
type collected struct {
	faults  map[string][]string
	failed  map[string]bool // not only warned of
	skipped map[string][]string
	probed  map[string]bool
}

func newCollected() *collected {
	return &collected{make(map[string][]string), make(map[string]bool), make(map[string][]string), make(map[string]bool)}
}

// add adds what the probe of that name has found, and what it weighs.
func (c *collected) add(rule, name string, r result, status Status) {
	switch {
	case len(r.faults) > 0:
		lines := slices.Clone(r.faults)
		for _, seen := range r.seen {
			lines = append(lines, "  seen: "+seen)
		}
		c.failed[rule] = c.failed[rule] || status == Fail
		c.faults[rule] = append(c.faults[rule], name+": "+strings.Join(lines, "\n"))
	case r.skipped != "":
		c.skipped[rule] = append(c.skipped[rule], name+": "+r.skipped)
		return
	}
	c.probed[rule] = true
}

// results makes a list of what was gathered, of every rule that binds party
// and carries a test.
func (c *collected) results(party string) (list []Result) {
	for _, rule := range Rules() {
		if rule.Keyword() == "" || !slices.Contains(rule.Binds, party) && !c.probed[rule.ID] && c.skipped[rule.ID] == nil {
			continue
		}
		r := Result{ID: rule.ID, Level: rule.Level, Status: Pass}
		switch {
		case c.faults[rule.ID] != nil:
			r.Status, r.Evidence = Fail, strings.Join(c.faults[rule.ID], "\n")
			if !c.failed[rule.ID] {
				r.Status = Warn
			}
		case c.probed[rule.ID]:
		case rule.Keyword() == "MAY":
			r.Status, r.Evidence = Skip, "a permission: there is nothing to break"
		case c.skipped[rule.ID] != nil:
			r.Status, r.Evidence = Skip, strings.Join(c.skipped[rule.ID], "\n")
		default:
			r.Status, r.Evidence = Skip, fmt.Sprintf("no probe of this suite looks at it; checks: %s", strings.Join(rule.Checks, ", "))
		}
		list = append(list, r)
	}
	return list
}
