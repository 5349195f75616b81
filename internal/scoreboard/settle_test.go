package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

func TestSettled(t *testing.T) {
	const old = "a: expected x\nb: expected y\nsent:\n  GET / HTTP/1.1\\r\\n\nin the application:\n  call"
	for _, test := range []struct{ name, version, evidence, want string }{
		{"the same", "1", old, old},
		{"another end", "1", old + "\n  the body is closed", old},
		{"another order", "1", "b: expected y\na: expected x\nreceived:\n  nothing", old},
		{"another fault", "1", "a: expected z\nsent:\n  GET", "a: expected z\nsent:\n  GET"},
		{"one fault less", "1", "a: expected x", "a: expected x"},
		{"another version", "2", old + "\n  the body is closed", old + "\n  the body is closed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			then := board{Reports: []conformance.Report{oneReport("s", "1", conformance.Fail, old)}}
			now := board{Reports: []conformance.Report{oneReport("s", test.version, conformance.Fail, test.evidence)}}
			got := now.settled(then).Reports[0]
			if diff := cmp.Diff(oneReport("s", test.version, conformance.Fail, test.want), got); diff != "" {
				t.Errorf("the settled report is another (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("another status", func(t *testing.T) {
		then := board{Reports: []conformance.Report{oneReport("s", "1", conformance.Fail, old)}}
		now := board{Reports: []conformance.Report{oneReport("s", "1", conformance.Warn, old+"\n  more")}}
		if got := now.settled(then).Reports[0].Results[1].Evidence; got != old+"\n  more" {
			t.Errorf("the evidence is %q, want the new one", got)
		}
	})
}
