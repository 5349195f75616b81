package peers

import (
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestRules runs the probes for servers through every front end that speaks to
// a server; those that run a program are in package cgi's tests.
func TestRules(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: starts every web server; CI runs it without")
	}
	for _, f := range Fronts {
		if f.Runs() {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel() // most of the time is spent on waiting
			script := "/"
			if f.Protocol == "http" {
				script = "" // the server takes the path as it comes
			}
			f.Conformance(t, func(app wsgi.Application) (port int, program string) {
				return behind(t, f.Protocol, app, script), ""
			})
		})
	}
}
