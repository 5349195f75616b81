package main

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
)

// compare says in which results now differs from then. Subjects of another
// version are left out, and noted: what they do is no difference.
func compare(then, now board) (differences, notes []string) {
	fresh := make(map[string]conformance.Report)
	for _, r := range now.Reports {
		fresh[r.Subject] = r
	}
	seen := make(map[string]bool)
	for _, old := range then.Reports {
		seen[old.Subject] = true
		r, ok := fresh[old.Subject]
		switch {
		case !ok:
			differences = append(differences, fmt.Sprintf("%s is on the page, and was not checked", old.Subject))
		case r.Version != old.Version:
			notes = append(notes, fmt.Sprintf("%s: the page has version %s, and %s was checked: not compared", old.Subject, old.Version, r.Version))
		default:
			differences = append(differences, compareReports(old, r)...)
		}
	}
	for _, r := range now.Reports {
		if !seen[r.Subject] {
			differences = append(differences, fmt.Sprintf("%s was checked, and is not on the page", r.Subject))
		}
	}
	return differences, notes
}

// compareReports compares two reports of one subject and version.
func compareReports(then, now conformance.Report) (differences []string) {
	name := then.Subject + " " + then.Version
	fresh := make(map[string]conformance.Result)
	for _, r := range now.Results {
		fresh[r.ID] = r
	}
	seen := make(map[string]bool)
	for _, old := range then.Results {
		seen[old.ID] = true
		r, ok := fresh[old.ID]
		switch {
		case !ok:
			differences = append(differences, fmt.Sprintf("%s: %s is on the page, and no longer a result", name, old.ID))
		case r.Status != old.Status:
			differences = append(differences, fmt.Sprintf("%s: %s (%s) is %s on the page, and was %s now\n  then: %s\n  now:  %s",
				name, old.ID, old.Level, old.Status, r.Status, indent(old.Evidence), indent(r.Evidence)))
		}
	}
	for _, r := range now.Results {
		if !seen[r.ID] {
			differences = append(differences, fmt.Sprintf("%s: %s (%s) was %s now, and is not on the page\n  now:  %s",
				name, r.ID, r.Level, r.Status, indent(r.Evidence)))
		}
	}
	return differences
}

// indent puts the lines of evidence below each other. It comes from servers:
// its control characters are replaced.
func indent(evidence string) string {
	if evidence == "" {
		return "nothing to say"
	}
	clean := strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || 0x7f <= r && r < 0xa0 {
			return '\ufffd'
		}
		return r
	}, strings.ToValidUTF8(evidence, "\ufffd"))
	return strings.ReplaceAll(clean, "\n", "\n        ")
}
