package report_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
)

func TestFailed(t *testing.T) {
	for _, test := range []struct {
		name           string
		status         conformance.Status
		usually, given bool // strict
	}{
		{"kept", conformance.Pass, false, false},
		{"a broken MUST", conformance.Fail, true, true},
		{"a broken SHOULD", conformance.Warn, false, true},
		{"not looked at", conformance.Skip, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := conformance.Report{Results: []conformance.Result{{ID: "SRV-01", Status: conformance.Pass}, {ID: "SRV-02", Status: test.status}}}
			if got := report.Failed(r, false); got != test.usually {
				t.Errorf("Failed is %v, want %v", got, test.usually)
			}
			if got := report.Failed(r, true); got != test.given {
				t.Errorf("Failed of a strict reading is %v, want %v", got, test.given)
			}
			if got := report.Failed(report.Strict(r), false); got != test.given {
				t.Errorf("Failed of Strict is %v, want %v", got, test.given)
			}
			if r.Results[1].Status != test.status {
				t.Errorf("Strict has changed the report that it was given")
			}
		})
	}
}
