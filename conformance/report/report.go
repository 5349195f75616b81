package report

import (
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// Failed reports whether r has a broken MUST or, if strict, any broken rule.
func Failed(r conformance.Report, strict bool) bool {
	return r.Count(conformance.Fail) > 0 || strict && r.Count(conformance.Warn) > 0
}

// Strict returns r with every warning as a failure. It is for formats that know
// no warnings, such as JUnit's, where the caller wants the strict reading.
func Strict(r conformance.Report) conformance.Report {
	r.Results = slices.Clone(r.Results)
	for i := range r.Results {
		if r.Results[i].Status == conformance.Warn {
			r.Results[i].Status = conformance.Fail
		}
	}
	return r
}

// A group is what reports say of the rules about one topic.
type group struct {
	id, title string
	rows      []row
}

// A row is what each report says of one rule. A report that says nothing has
// the zero Result.
type row struct {
	rule    conformance.Rule
	results []conformance.Result
}

// arrange puts the results of reports side by side, in the order of the
// catalogue. Rules of which no report says anything are left out; ids that the
// catalogue does not know make up the last group.
func arrange(reports []conformance.Report) []group {
	found := make(map[string][]conformance.Result)
	var strange []conformance.Rule
	known := make(map[string]bool)
	rules := conformance.Rules()
	for _, rule := range rules {
		known[rule.ID] = true
	}
	for i, r := range reports {
		for _, result := range r.Results {
			if !known[result.ID] {
				known[result.ID] = true
				strange = append(strange, conformance.Rule{
					ID: result.ID, Level: result.Level, Group: "Not in the catalogue", Text: "This version of the catalogue has no such rule.",
				})
			}
			if found[result.ID] == nil {
				found[result.ID] = make([]conformance.Result, len(reports))
			}
			if weight(result.Status) > weight(found[result.ID][i].Status) {
				found[result.ID][i] = result
			}
		}
	}
	var groups []group
	for _, rule := range append(rules, strange...) {
		results := found[rule.ID]
		if results == nil {
			continue
		}
		if n := len(groups); n == 0 || groups[n-1].title != rule.Group {
			id, _, _ := strings.Cut(rule.ID, "-")
			groups = append(groups, group{id: id, title: rule.Group})
		}
		g := &groups[len(groups)-1]
		g.rows = append(g.rows, row{rule, results})
	}
	return groups
}

// weight orders statuses by how much they say, for reports that name a rule
// twice: the worse is shown. The zero status says nothing.
func weight(s conformance.Status) int {
	switch s {
	case conformance.Fail:
		return 5
	case conformance.Warn:
		return 4
	case conformance.Pass:
		return 3
	case conformance.Skip:
		return 2
	case "":
		return 0
	}
	return 1
}

// A tally counts the rules of one level. Of a MUST there may be a warning: PEP
// 3333 can be read in more than one way, and the subject follows another
// reading than the suite. Those are otherwise, and not broken.
type tally struct{ kept, broken, otherwise, skipped int }

// looked returns how many rules were looked at.
func (t tally) looked() int { return t.kept + t.broken + t.otherwise }

// count counts the results of r by "MUST", "SHOULD" and "MAY".
func count(r conformance.Report) map[string]tally {
	tallies := make(map[string]tally)
	for _, result := range r.Results {
		level := levelWord(result.Level)
		t := tallies[level]
		switch {
		case readOtherwise(result):
			t.otherwise++
		case isBroken(result):
			t.broken++
		case result.Status == conformance.Pass:
			t.kept++
		default:
			t.skipped++
		}
		tallies[level] = t
	}
	return tallies
}

// isBroken reports whether there is something against the subject.
func isBroken(r conformance.Result) bool {
	return r.Status == conformance.Fail || r.Status == conformance.Warn
}

// readOtherwise reports whether r is a warning of a MUST.
func readOtherwise(r conformance.Result) bool {
	return r.Status == conformance.Warn && levelWord(r.Level) == "MUST"
}

// levelWord returns MUST, SHOULD or MAY, which stand for MUST NOT and SHOULD
// NOT too, and "" for a level that is none.
func levelWord(level string) string {
	switch word, _, _ := strings.Cut(conformance.Rule{Level: level}.Keyword(), " "); word {
	case "MUST", "SHOULD", "MAY":
		return word
	}
	return ""
}
