package main

import (
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// settled returns b with the evidence of then where the same was found: what a
// transcript has caught of the last bytes and events is another in every run,
// and no news. To have all evidence anew, delete the data first.
func (b board) settled(then board) board {
	type key struct {
		subject, version, id string
		status               conformance.Status
	}
	before := make(map[key]string)
	for _, r := range then.Reports {
		for _, x := range r.Results {
			before[key{r.Subject, r.Version, x.ID, x.Status}] = x.Evidence
		}
	}
	for i, r := range b.Reports {
		r.Results = slices.Clone(r.Results)
		for j, x := range r.Results {
			old, ok := before[key{r.Subject, r.Version, x.ID, x.Status}]
			if ok && slices.Equal(faults(old), faults(x.Evidence)) {
				r.Results[j].Evidence = old
			}
		}
		b.Reports[i] = r
	}
	return b
}

// faults returns the lines of evidence that say what was expected and what
// came, without the transcript below each of them, in an order of their own.
func faults(evidence string) []string {
	var lines []string
	for line := range strings.Lines(evidence) {
		line = strings.TrimRight(line, "\n")
		if !strings.HasPrefix(line, " ") && !strings.HasSuffix(line, ":") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}
