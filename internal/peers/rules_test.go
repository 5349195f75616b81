package peers

import (
	"os"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestRules runs the probes for servers through every front end; those that run a
// CGI program are in package cgi's tests.
func TestRules(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: starts every web server; CI runs it without")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Fronts {
		if f.Protocol == "cgi" {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel() // most of the time is spent on waiting
			script := "/"
			if f.Protocol == "http" {
				script = "" // the server takes the path as it comes
			}
			f.Conformance(t, func(app wsgi.Application) (port int, program string) {
				if f.Runs() { // FastCGI, by way of a program
					return behind(t, "fastcgi", app, script), self
				}
				return behind(t, f.Protocol, app, script), ""
			})
		})
	}
}
