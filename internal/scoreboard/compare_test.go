package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

// oneReport is a report of two results with the given status of the second.
func oneReport(subject, version string, status conformance.Status, evidence string) conformance.Report {
	return conformance.Report{Subject: subject, Version: version, Results: []conformance.Result{
		{ID: "SRV-01", Level: "MUST°", Status: conformance.Pass},
		{ID: "SRV-06", Level: "MUST†", Status: status, Evidence: evidence},
	}}
}

func TestCompare(t *testing.T) {
	kept := oneReport("a", "1", conformance.Pass, "")
	for _, test := range []struct {
		name               string
		then, now          []conformance.Report
		differences, notes []string
	}{
		{"the same", []conformance.Report{kept}, []conformance.Report{kept}, nil, nil},
		{"other evidence", []conformance.Report{oneReport("a", "1", conformance.Fail, "x")}, []conformance.Report{oneReport("a", "1", conformance.Fail, "y")}, nil, nil},
		{"another status", []conformance.Report{kept}, []conformance.Report{oneReport("a", "1", conformance.Fail, "got\n\x1b[2J")},
			[]string{"a 1: SRV-06 (MUST†) is pass on the page, and was fail now\n  then: nothing to say\n  now:  got\n        \ufffd[2J"}, nil},
		{"not decided now", []conformance.Report{kept}, []conformance.Report{oneReport("a", "1", conformance.Skip, "torn: not decided: x")},
			nil, []string{"a 1: SRV-06 is pass on the page, and was skip now: torn: not decided: x"}},
		{"not decided then", []conformance.Report{oneReport("a", "1", conformance.Skip, "torn: not decided: x")}, []conformance.Report{kept},
			nil, []string{"a 1: SRV-06 is skip on the page, and was pass now: torn: not decided: x"}},
		{"ours not decided", []conformance.Report{oneReport("a", ownVersion, conformance.Pass, "")}, []conformance.Report{oneReport("a", ownVersion, conformance.Skip, "not decided: x")},
			[]string{"a this tree: SRV-06 (MUST†) is pass on the page, and was skip now\n  then: nothing to say\n  now:  not decided: x"}, nil},
		{"not looked at", []conformance.Report{kept}, []conformance.Report{oneReport("a", "1", conformance.Skip, "there is no probe")},
			[]string{"a 1: SRV-06 (MUST†) is pass on the page, and was skip now\n  then: nothing to say\n  now:  there is no probe"}, nil},
		{"another version", []conformance.Report{kept}, []conformance.Report{oneReport("a", "2", conformance.Fail, "x")},
			nil, []string{"a: the page has version 1, and 2 was checked: not compared"}},
		{"gone", []conformance.Report{kept}, nil, []string{"a is on the page, and was not checked"}, nil},
		{"new", nil, []conformance.Report{kept}, []string{"a was checked, and is not on the page"}, nil},
		{"a result gone", []conformance.Report{kept}, []conformance.Report{{Subject: "a", Version: "1", Results: kept.Results[:1]}},
			[]string{"a 1: SRV-06 is on the page, and no longer a result"}, nil},
		{"a new result", []conformance.Report{{Subject: "a", Version: "1", Results: kept.Results[:1]}}, []conformance.Report{kept},
			[]string{"a 1: SRV-06 (MUST†) was pass now, and is not on the page\n  now:  nothing to say"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			then, now := board{Reports: test.then}, board{Reports: test.now}
			differences, notes := compare(then, now)
			if diff := cmp.Diff(test.differences, differences); diff != "" {
				t.Errorf("the differences are other (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("the notes are other (-want +got):\n%s", diff)
			}
			var log bytes.Buffer
			if err := verdict(then, now, &log); (err != nil) != (test.differences != nil) {
				t.Errorf("the verdict is %v with %d differences", err, len(differences))
			}
			if want := strings.Join(append(test.notes, test.differences...), "\n"); strings.TrimSpace(log.String()) != want {
				t.Errorf("the log is %q, want %q", log.String(), want)
			}
		})
	}
}
