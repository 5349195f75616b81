package conformance_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

func TestRules(t *testing.T) {
	rules := conformance.Rules()
	got := map[string]conformance.Rule{}
	for _, r := range rules {
		got[r.ID] = r
		for _, who := range r.Binds {
			if !slices.Contains([]string{"server", "app", "mw", "library", "framework", "deployer"}, who) {
				t.Errorf("%s binds %q", r.ID, who)
			}
		}
	}
	if len(got) != 381 || len(rules) != 381 {
		t.Errorf("%d rules with %d ids, expected 381", len(rules), len(got))
	}
	want := conformance.Rule{
		ID:      "HDR-13",
		Group:   "Status line and response headers",
		Level:   "MUST NOT°",
		Binds:   []string{"app", "mw"},
		Text:    "Applications and middleware send no hop-by-hop headers.",
		Section: "The start_response() Callable; Other HTTP Features",
		Checks:  []string{"application", "lint"},
	}
	if diff := cmp.Diff(want, got["HDR-13"]); diff != "" {
		t.Errorf("HDR-13 (-want +got):\n%s", diff)
	}
	if word := want.Keyword(); word != "MUST NOT" {
		t.Errorf("the keyword of %q is %q, expected MUST NOT", want.Level, word)
	}
	if diff := cmp.Diff([]string{"server", "app", "mw"}, got["STR-02"].Binds); diff != "" {
		t.Errorf("STR-02 binds (-want +got):\n%s", diff)
	}
	rules[0].Binds[0], rules[0].ID = "changed", "changed"
	if r := conformance.Rules()[0]; r.ID == "changed" || r.Binds[0] == "changed" {
		t.Error("Rules returns the rules themselves, expected a copy")
	}
}
