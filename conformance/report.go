package conformance

import (
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/internal/requirements"
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
	// events that prove it, on one or more lines: after the name of the probe
	// and the fault, "sent:", "received:" and "in the application:" with a line
	// for each line or event. For Skip it is the reason. For Pass it is "",
	// unless a probe found a fault that did not happen again when it was run a
	// second time.
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
type collected map[string]*collection

// collection is what the probes of one rule have found.
type collection struct {
	status  Status
	faults  []string
	skipped []string
	once    []string // what did not happen again
}

func newCollected() collected { return make(collected) }

// add adds what the probe of that name has found. The gravest status of the
// rule's probes counts; a probe that passed outweighs one that was skipped.
func (c collected) add(s Suite, rule, name string, r result) {
	one := c[rule]
	if one == nil {
		one = &collection{status: Skip}
		c[rule] = one
	}
	row, _ := requirements.ByID(rule)
	status := s.status(row, r)
	if gravity[status] > gravity[one.status] {
		one.status = status
	}
	switch status {
	case Fail, Warn:
		proof := r.proof
		if len(one.faults) >= maxProofs {
			proof = strings.Join(r.faults[:1], "\n") // what proves the others proves this
		}
		one.faults = append(one.faults, name+": "+proof)
	case Skip:
		one.skipped = append(one.skipped, name+": "+r.skipped)
	}
	if r.once != "" {
		one.once = append(one.once, name+": "+r.once)
	}
}

// maxProofs is how many probes of a rule are told with all that proves them.
const maxProofs = 3

var gravity = map[Status]int{Skip: 0, Pass: 1, Warn: 2, Fail: 3}

// results makes a list of what was gathered, of every rule that s selects, that
// binds party or was looked at, and that carries a test.
func (c collected) results(s Suite, party string) (list []Result) {
	for _, rule := range Rules() {
		one := c[rule.ID]
		if rule.Keyword() == "" || !s.selects(rule.ID) || one == nil && !slices.Contains(rule.Binds, party) {
			continue
		}
		r := Result{ID: rule.ID, Level: rule.Level, Status: Skip}
		switch {
		case one == nil:
			r.Evidence = unprobed(rule)
		case one.status == Skip:
			r.Evidence = strings.Join(one.skipped, "\n")
		default:
			r.Status = one.status
			r.Evidence = strings.Join(one.faults, "\n")
		}
		if r.Status == Pass && len(one.once) > 0 {
			r.Evidence = "happened once and not again: " + strings.Join(one.once, "\n")
		}
		list = append(list, r)
	}
	return list
}

// unprobed says why no probe looks at rule.
func unprobed(rule Rule) string {
	if reason := unprobedBecause[rule.ID]; reason != "" {
		return reason
	}
	if rule.Keyword() == "MAY" {
		return "a permission: there is nothing to break"
	}
	var by []string
	for _, check := range rule.Checks {
		by = append(by, checkedBy[check])
	}
	return "this suite has no probe of it; what can check it is " + strings.Join(by, ", or ")
}

// checkedBy has words for the checks of a rule, for whoever reads a report.
var checkedBy = map[string]string{
	"server":      "the suite for servers",
	"application": "the suite for applications",
	"middleware":  "the suite for middleware",
	"lint":        "the lint, while requests are served",
	"compiler":    "Go's compiler, by the types of package wsgi",
	"document":    "a reader",
}
