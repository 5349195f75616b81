package main

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

func TestRulesTable(t *testing.T) {
	status, stdout, stderr := runWith(map[string]string{"COLUMNS": "60"}, "rules", "hdr-13", "START-13")
	const want = `The start_response callable

START-13  SHOULD°       server, mw       server
          With exc_info and no headers output yet, the
          stored status and headers are replaced by the new
          ones.
          PEP 3333: The start_response() Callable

Status line and response headers

HDR-13    MUST NOT°     app, mw          application, lint
          Applications and middleware send no hop-by-hop
          headers.
          PEP 3333: The start_response() Callable; Other
          HTTP Features
`
	if diff := cmp.Diff(want, stdout); status != exitOK || stderr != "" || diff != "" {
		t.Errorf("status %d, standard error %q, standard output (-want +got):\n%s", status, stderr, diff)
	}
}

func TestRulesFit(t *testing.T) {
	for _, test := range []struct {
		columns string
		want    int
	}{{"", 80}, {"nonsense", 80}, {"0", 80}, {"120", 120}} {
		_, stdout, _ := runWith(map[string]string{"COLUMNS": test.columns}, "rules")
		longest := 0
		for line := range strings.Lines(stdout) {
			longest = max(longest, utf8.RuneCountInString(line)-1)
		}
		if longest > test.want || longest < test.want-10 {
			t.Errorf("COLUMNS=%s: the longest line has %d columns, expected up to %d", test.columns, longest, test.want)
		}
	}
}

func TestRulesFilter(t *testing.T) {
	count := func(keep func(conformance.Rule) bool) (n int) {
		for _, r := range conformance.Rules() {
			if keep(r) {
				n++
			}
		}
		return n
	}
	has := func(list []string, word string) bool {
		return strings.Contains(" "+strings.Join(list, " ")+" ", " "+word+" ")
	}
	for _, test := range []struct {
		args string
		want int
	}{
		{"", 381},
		{"START", 28},
		{"start hdr-13 HDR-13", 29},
		{"--level MUST", count(func(r conformance.Rule) bool { return strings.HasPrefix(r.Keyword(), "MUST") })},
		{"--binds mw", count(func(r conformance.Rule) bool { return has(r.Binds, "mw") })},
		{"--check lint", count(func(r conformance.Rule) bool { return has(r.Checks, "lint") })},
		{"--check lint --level=MAY", 0},
	} {
		status, stdout, stderr := runWith(nil, append(strings.Fields("rules --json "+test.args), nil...)...)
		var got []conformance.Rule
		if err := json.Unmarshal([]byte(stdout), &got); err != nil || status != exitOK || stderr != "" || got == nil {
			t.Errorf("rules --json %s: status %d, standard error %q: %v", test.args, status, stderr, err)
		}
		if len(got) != test.want || test.want == 0 && test.args != "--check lint --level=MAY" {
			t.Errorf("rules --json %s: %d rules, expected %d", test.args, len(got), test.want)
		}
	}
	status, stdout, stderr := runWith(nil, "rules", "--check", "lint", "--level", "MAY")
	if status != exitFailure || stdout != "" || stderr != "gowsgi: no rule is like that\n" {
		t.Errorf("a selection of nothing: status %d, said %q and %q", status, stdout, stderr)
	}
}
