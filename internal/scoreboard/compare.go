package main

import (
	"cmp"
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
			found, undecided := compareReports(old, r)
			differences, notes = append(differences, found...), append(notes, undecided...)
		}
	}
	for _, r := range now.Reports {
		if !seen[r.Subject] {
			differences = append(differences, fmt.Sprintf("%s was checked, and is not on the page", r.Subject))
		}
	}
	return differences, notes
}

// compareReports compares two reports of one subject and version. Where somebody
// else's server left a rule undecided this time, or on the page, that is noted: uWSGI
// prints its own lines among those of requests in one run, and not in the next, and of
// such lines nothing can be said. Of ours everything is to be decided.
func compareReports(then, now conformance.Report) (differences, notes []string) {
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
		case r.Status != old.Status && then.Version != ownVersion && (undecided(r) || undecided(old)):
			notes = append(notes, fmt.Sprintf("%s: %s is %s on the page, and was %s now: %s", name, old.ID, old.Status, r.Status,
				indent(cmp.Or(r.Evidence, old.Evidence))))
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
	return differences, notes
}

// undecided reports whether the suite has looked, and could not say.
func undecided(r conformance.Result) bool {
	return r.Status == conformance.Skip && strings.Contains(r.Evidence, "not decided: ")
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
