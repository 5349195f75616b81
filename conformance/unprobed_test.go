package conformance

import (
	"slices"
	"strings"
	"testing"
)

// TestChecks compares what the catalogue says of the suites with the probes
// that they have.
func TestChecks(t *testing.T) {
	probed := map[string]map[string]bool{
		"server":      rulesOf(serverProbes()),
		"application": rulesOf(applicationProbes),
		"middleware":  rulesOf(middlewareProbes),
	}
	for _, rule := range Rules() {
		if rule.Keyword() == "" || rule.Keyword() == "MAY" {
			continue
		}
		open := false
		for suite, rules := range probed {
			says := slices.Contains(rule.Checks, suite)
			if rules[rule.ID] && !says {
				t.Errorf("%s has a probe in the suite %s, and the catalogue says that it is checked by %q", rule.ID, suite, rule.Checks)
			}
			if says && !rules[rule.ID] && unprobedBecause[rule.ID] == "" {
				t.Errorf("%s has no probe in the suite %s and no reason for that: %s", rule.ID, suite, rule.Text)
			}
			open = open || !rules[rule.ID]
		}
		if unprobedBecause[rule.ID] != "" && !open {
			t.Errorf("%s has a probe in each suite, and a reason for having none", rule.ID)
		}
	}
	known := make(map[string]bool)
	for _, rule := range Rules() {
		known[rule.ID] = true
	}
	for id, reason := range unprobedBecause {
		if !known[id] {
			t.Errorf("there is no rule %s, and so no reason for having no probe of it", id)
		}
		if _, other, ok := strings.Cut(reason, "the same as "); ok {
			id, _, _ := strings.Cut(other, ",")
			if !probed["server"][id] && !probed["application"][id] && !probed["middleware"][id] {
				t.Errorf("%q: no suite has a probe of %s", reason, id)
			}
		}
	}
}
