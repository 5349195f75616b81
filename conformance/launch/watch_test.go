package launch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

// TestTell adds the ends of a server to a report.
func TestTell(t *testing.T) {
	pass := func(id string) conformance.Result {
		return conformance.Result{ID: id, Level: "MUST†", Status: conformance.Pass}
	}
	fail := func(id, evidence string) conformance.Result {
		return conformance.Result{ID: id, Level: "MUST†", Status: conformance.Fail, Evidence: evidence}
	}
	warn := func(id, evidence string) conformance.Result {
		return conformance.Result{ID: id, Level: "MUST†", Status: conformance.Warn, Evidence: evidence}
	}
	const other = " (PEP 3333 has other readings: see AMB-29)"
	many := make([]end, tooOften)
	for i := range many {
		many[i] = end{"ended with status 1", "HDR-16 Date", "it ended"}
	}
	for _, test := range []struct {
		name string
		ends []end
		in   []conformance.Result
		want []conformance.Result
	}{
		{"none", nil, []conformance.Result{pass("SRV-08")}, []conformance.Result{pass("SRV-08")}},
		{"one", []end{{"ended with status 1", "HDR-16 Date", "it ended"}}, []conformance.Result{pass("SRV-08"), pass("ERR-13")},
			[]conformance.Result{fail("SRV-08", "it ended"), pass("ERR-13")}},
		{"beside another fault", []end{{"ended with status 1", "HDR-16 Date", "it ended"}}, []conformance.Result{fail("SRV-08", "something else")},
			[]conformance.Result{fail("SRV-08", "something else\nit ended")}},
		{"of an exception for the process", []end{{"ended with status 1", "HDR-16 Date", "it ended"}, {"ended with status 1", "ERR-13 SystemExit", "it ended again"}},
			[]conformance.Result{pass("SRV-08"), pass("ERR-13")},
			[]conformance.Result{fail("SRV-08", "it ended"), warn("ERR-13", "it ended again"+other)}},
		{"beside another request", []end{{"ended with status 1", "SRV-08 SystemExit beside another request", "it ended"}},
			[]conformance.Result{pass("SRV-08"), pass("ERR-13")},
			[]conformance.Result{pass("SRV-08"), warn("ERR-13", "it ended"+other)}},
		{"as if by the keyboard", []end{{"ended with status 1", "ERR-13 KeyboardInterrupt in the call", "it ended"}},
			[]conformance.Result{pass("SRV-08"), pass("ERR-13")},
			[]conformance.Result{pass("SRV-08"), warn("ERR-13", "it ended"+other)}},
		{"as if by the keyboard, noticed late", []end{{"was ended by signal: interrupt", "ERR-13 SystemExit in the call", "it ended"}},
			[]conformance.Result{pass("SRV-08"), pass("ERR-13")},
			[]conformance.Result{pass("SRV-08"), warn("ERR-13", "it ended"+other)}},
		{"beside a graver fault", []end{{"ended with status 1", "ERR-13 KeyboardInterrupt in the call", "it ended"}},
			[]conformance.Result{fail("ERR-13", "something else")},
			[]conformance.Result{fail("ERR-13", "something else\nit ended"+other)}},
		{"of a rule that was not asked for", []end{{"ended with status 1", "HDR-16 Date", "it ended"}}, []conformance.Result{pass("HDR-16")},
			[]conformance.Result{pass("HDR-16"), fail("SRV-08", "it ended")}},
		{"too often", many, []conformance.Result{pass("SRV-08")},
			[]conformance.Result{fail("SRV-08", "it ended\nand 7 times more; then the check was given up")}},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			w := watch{lenient: true, ends: test.ends}
			if diff := cmp.Diff(test.want, w.tell(conformance.Report{Results: test.in}).Results); diff != "" {
				t.Errorf("the results are not as wanted (-want +got):\n%s", diff)
			}
		})
	}
}
