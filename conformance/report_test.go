package conformance

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gowsgi/gowsgi/wsgi"
)

// broken is what a probe has found.
func broken(text string, firm bool) result {
	return result{faults: []string{text}, proof: text + "\nsent:\n  x", firm: firm}
}

// TestResults looks at what becomes of the probes of one rule.
func TestResults(t *testing.T) {
	const proof = ": bad\nsent:\n  x"
	pass, skip := result{}, result{skipped: "not here"}
	firm, reading := broken("bad", true), broken("bad", false)
	tests := []struct {
		name     string
		rule     string
		lenient  bool
		found    []result
		status   Status
		evidence string
	}{
		{"pass", "START-14", false, []result{pass, pass}, Pass, ""},
		{"a MUST is broken", "START-14", false, []result{pass, firm}, Fail, "b" + proof},
		{"a MUST is broken twice", "START-14", true, []result{firm, firm}, Fail, "a" + proof + "\nb" + proof},
		{"a SHOULD is broken", "LEN-02", false, []result{firm, pass}, Warn, "a" + proof},
		{"a reading", "ERR-16", false, []result{reading, pass}, Fail, "a" + proof},
		{"a lenient reading", "ERR-16", true, []result{reading, pass}, Warn, "a" + proof},
		{"a lenient reading, and more", "ERR-16", true, []result{reading, firm}, Fail, "a" + proof + "\nb" + proof},
		{"a lenient reading of an emphasised MUST", "START-06", true, []result{reading}, Warn, "a" + proof},
		{"skipped", "START-14", false, []result{skip, skip}, Skip, "a: not here\nb: not here"},
		{"skipped in part", "START-14", false, []result{skip, pass}, Pass, ""},
		{"broken once", "START-14", false, []result{{once: "bad"}, pass}, Pass, "happened once and not again: a: bad"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Suite{Lenient: tt.lenient, Only: []string{tt.rule}}
			found := newCollected()
			for i, r := range tt.found {
				found.add(s, tt.rule, string("ab"[i]), r)
			}
			var level string
			for _, rule := range Rules() {
				if rule.ID == tt.rule {
					level = rule.Level
				}
			}
			want := []Result{{ID: tt.rule, Level: level, Status: tt.status, Evidence: tt.evidence}}
			if diff := cmp.Diff(want, found.results(s, "server")); diff != "" {
				t.Errorf("results differ (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReportOfNothing looks at the rules that no probe has looked at.
func TestReportOfNothing(t *testing.T) {
	for _, party := range []string{"server", "app", "mw"} {
		results := newCollected().results(Suite{}, party)
		order := 0
		for _, r := range results {
			if r.Status != Skip || r.Evidence == "" || strings.Contains(r.Evidence, "map[") {
				t.Errorf("%s: %s is %s because %q, expected a skip with a reason", party, r.ID, r.Status, r.Evidence)
			}
			for i, rule := range Rules() {
				if rule.ID == r.ID && i < order {
					t.Errorf("%s: %s is out of the catalogue's order", party, r.ID)
				} else if rule.ID == r.ID {
					order = i
				}
			}
		}
		if len(results) < 50 {
			t.Errorf("%s: %d rules, expected all that bind it", party, len(results))
		}
	}
}

// TestCheckIsStable compares two reports of one subject.
func TestCheckIsStable(t *testing.T) {
	s := Suite{Patience: mutantPatience}
	m := mutantMiddleware(&middlewareFaults{waitsForAll: true})
	one, err := s.CheckMiddleware(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.CheckMiddleware(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(one, other); diff != "" {
		t.Errorf("the second report differs (-first +second):\n%s", diff)
	}
	if one.Count(Fail) == 0 || one.Count(Pass) == 0 || one.Count(Skip) == 0 {
		t.Errorf("%d failed, %d passed, %d skipped; expected some of each", one.Count(Fail), one.Count(Pass), one.Count(Skip))
	}
}

// TestOnly looks at the choice of rules, and at what is told of the progress.
func TestOnly(t *testing.T) {
	tests := []struct {
		name string
		only []string
		want []string // probes
		err  string
	}{
		{"a rule", []string{"MW-10"}, []string{"MW-10/closes once after success", "MW-10/closes once after an error", "MW-10/closes once when stopped", "MW-10/closes once without iteration", "MW-10/closes once on HEAD"}, ""},
		{"a group", []string{"WRITE", "START-19"}, []string{"START-19/a second call is refused", "WRITE-13/the same for write"}, ""},
		{"of another suite", []string{"CGI-17"}, nil, ""},
		{"unknown rule", []string{"MW-10", "MW-99"}, nil, `"MW-99" is neither a rule, such as START-13, nor a group of rules: GOAL, CALL,`},
		{"unknown group", []string{"MX"}, nil, `"MX" is neither`},
		{"not a prefix", []string{"MW-1"}, nil, `"MW-1" is neither`},
		{"empty name", []string{""}, nil, `"" is neither`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			s := Suite{Only: tt.only, Progress: func(rule, name string) { got = append(got, rule+"/"+name) }}
			report, err := s.CheckMiddleware(t.Context(), mutantMiddleware(&middlewareFaults{}))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("error %v, expected %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("probes differ (-want +got):\n%s", diff)
			}
			for _, r := range report.Results {
				if !s.selects(r.ID) {
					t.Errorf("%s is in the report, and was not chosen", r.ID)
				}
			}
		})
	}
}

// TestCheckErrors looks at the errors of CheckServer.
func TestCheckErrors(t *testing.T) {
	boom := errors.New("no port left")
	tests := []struct {
		name  string
		suite Suite
		err   error // of start
		want  string
	}{
		{"start", Suite{}, boom, "no port left"},
		{"unknown rule", Suite{Only: []string{"X"}}, nil, `"X" is neither`},
		{"unknown protocol", Suite{Protocol: "gopher"}, nil, `unknown protocol "gopher", expected one of ["http" "h2c"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tt.suite.CheckServer(t.Context(), func(wsgi.Application) (string, string, error) { return "tcp", "127.0.0.1:1", tt.err })
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, expected %q", err, tt.want)
			}
		})
	}
}

// TestCheckCancelled sees that the end of a context ends a check, with what was
// found until then.
func TestCheckCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	s := Suite{Progress: func(string, string) {
		if n++; n == 4 {
			cancel()
		}
	}}
	report, err := s.CheckApplication(ctx, new(mutantApp))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, expected %v", err, context.Canceled)
	}
	if n != 4 || report.Count(Pass) != 3 {
		t.Errorf("%d probes and %d rules that passed, expected 4 and 3", n, report.Count(Pass))
	}
}
