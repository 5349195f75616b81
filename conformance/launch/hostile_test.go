package launch

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
)

// broken returns the ids of the rules that r says are broken.
func broken(r conformance.Report) (ids []string) {
	for _, x := range r.Results {
		if x.Status == conformance.Fail {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

// bad is the command of a server that is bad in some manner.
func bad(t *testing.T, manner string) []string {
	t.Helper()
	script, err := filepath.Abs(filepath.Join("testdata", "bad.py"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := interpreters(""); err != nil {
		without(t, err)
	}
	return []string{"{python}", script, manner, "{host}", "{port}", "{module}", "{app}"}
}

// TestServerThatDies checks servers that go down with a request. That is a
// finding, and one only: they are started again for the next probe.
func TestServerThatDies(t *testing.T) {
	marked(t)
	suite := conformance.Suite{Only: []string{"SRV-06", "SRV-07", "INPUT-01", "ERR-10", "BODY-19"}}
	r, err := CheckCommand(t.Context(), suite, bad(t, "dies"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]conformance.Result)
	for _, x := range r.Results {
		got[x.ID] = x
	}
	x := got["SRV-08"]
	for _, want := range []string{"ended with status 5 during the probe SRV-06 ", "the server gives up", "times more"} {
		if x.Status != conformance.Fail || !strings.Contains(x.Evidence, want) {
			t.Errorf("SRV-08 is %s: %s\nwant it to fail and %q", x.Status, x.Evidence, want)
		}
	}
	for _, id := range []string{"BODY-19", "INPUT-01"} { // which come behind SRV-06
		if got[id].Status != conformance.Pass {
			t.Errorf("%s is %s: %s", id, got[id].Status, got[id].Evidence)
		}
	}
}

// TestServerThatAlwaysDies gives up after a while.
func TestServerThatAlwaysDies(t *testing.T) {
	marked(t)
	begin := time.Now()
	r, err := CheckCommand(t.Context(), conformance.Suite{}, bad(t, "stops listening"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(r.Results, func(x conformance.Result) bool { return x.ID == "SRV-08" })
	if i < 0 || r.Results[i].Status != conformance.Fail || !strings.Contains(r.Results[i].Evidence, "stopped listening") ||
		!strings.Contains(r.Results[i].Evidence, "and 7 times more; then the check was given up") {
		t.Errorf("SRV-08 is not what fails: %v", r.Results)
	}
	if d := time.Since(begin); d > limit {
		t.Errorf("it took %v", d)
	}
}

// TestHostileServers checks servers that answer once, and then do what no
// server does. That is a finding, within a bound.
func TestHostileServers(t *testing.T) {
	for _, manner := range []string{"garbage", "closes", "says nothing", "never ends"} {
		t.Run(manner, func(t *testing.T) {
			marked(t)
			suite := conformance.Suite{}
			if !required() {
				suite.Only = []string{"SRV", "HDR"}
			}
			begin := time.Now()
			r, err := CheckCommand(t.Context(), suite, bad(t, manner), Options{})
			if err != nil {
				t.Fatal(err)
			}
			// Some requests may be refused, or the connection be closed.
			if fail, pass := r.Count(conformance.Fail), r.Count(conformance.Pass); fail < 8 || pass > 4 {
				var kept []string
				for _, x := range r.Results {
					if x.Status == conformance.Pass {
						kept = append(kept, x.ID)
					}
				}
				t.Errorf("%d rules are broken and %q kept, want many and hardly any", fail, kept)
			}
			took := time.Since(begin)
			t.Logf("%d fail, %d pass in %v", r.Count(conformance.Fail), r.Count(conformance.Pass), took)
			if took > limit {
				t.Errorf("the check took %v, want %v at most", took, limit)
			}
		})
	}
}
