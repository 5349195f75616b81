package launch

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
)

// TestLog looks at what server commands log, by what they print.
func TestLog(t *testing.T) {
	type statuses = map[string]conformance.Status
	rules := []string{"LOG-13", "LOG-15", "ERR-07", "ERR-15"}
	for _, test := range []struct {
		manner string
		want   statuses
		reason string // of what was not looked at
	}{
		{"good", statuses{"LOG-13": "pass", "LOG-15": "pass", "ERR-07": "pass", "ERR-15": "pass"}, ""},
		{"logs to a file", statuses{"LOG-13": "skip", "LOG-15": "skip", "ERR-07": "skip", "ERR-15": "skip"}, "logs elsewhere|logs its errors elsewhere"},
		{"tears lines", statuses{"LOG-13": "fail", "LOG-15": "pass", "ERR-07": "pass", "ERR-15": "pass"}, ""},
		{"hides errors of bodies", statuses{"LOG-13": "pass", "LOG-15": "pass", "ERR-07": "warn", "ERR-15": "pass"}, ""},
		{"tells of leavers", statuses{"LOG-13": "pass", "LOG-15": "pass", "ERR-07": "pass", "ERR-15": "fail"}, ""},
	} {
		t.Run(test.manner, func(t *testing.T) {
			marked(t)
			var also bytes.Buffer
			r, err := CheckCommand(t.Context(), conformance.Suite{Only: rules}, bad(t, test.manner), Options{Output: &also})
			if err != nil {
				t.Fatal(err)
			}
			got := make(statuses)
			for _, x := range r.Results {
				got[x.ID] = x.Status
				one, other, _ := strings.Cut(test.reason, "|")
				if x.Status == conformance.Skip && !strings.Contains(x.Evidence, one) && !strings.Contains(x.Evidence, other) {
					t.Errorf("%s was not looked at because of %q, want %q", x.ID, x.Evidence, test.reason)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("the results (-want +got):\n%s\n%v", diff, r.Results)
			}
			if printed := strings.Contains(also.String(), "on purpose"); printed != (test.manner != "logs to a file") {
				t.Errorf("Output has %d bytes, want what the server printed", also.Len())
			}
		})
	}
}

// TestLogOfTheCaller leaves a suite the log that it has.
func TestLogOfTheCaller(t *testing.T) {
	marked(t)
	asked := 0
	suite := conformance.Suite{Only: []string{"LOG-15"}, Log: func() []byte { asked++; return nil }}
	r, err := CheckCommand(t.Context(), suite, bad(t, "good"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1 || r.Results[0].Status != conformance.Skip || asked == 0 {
		t.Errorf("the results are %v, and Log was asked %d times, want nothing to be found in an empty log", r.Results, asked)
	}
}

func TestPrinted(t *testing.T) {
	var out printed
	out.Write([]byte("one"))
	before := out.all()
	out.Write([]byte(" two"))
	if got := string(before) + "|" + string(out.all()); got != "one|one two" {
		t.Errorf("got %q", got)
	}
	if n, err := out.Write(make([]byte, maxPrinted)); n != maxPrinted || err != nil || len(out.all()) != maxPrinted {
		t.Errorf("Write returned %d, %v, and %d bytes are kept, want %d of each", n, err, len(out.all()), maxPrinted)
	}
}
