package report

import "github.com/gowsgi/gowsgi/conformance"

// Failed reports whether r has a broken MUST or, if strict, a broken SHOULD.
func Failed(r conformance.Report, strict bool) bool {
	return r.Count(conformance.Fail) > 0 || strict && r.Count(conformance.Warn) > 0
}
