package bridge_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestReference is the proof that neither the bridge nor a probe accuses a
// server falsely: one that keeps the contract passes all of them.
func TestReference(t *testing.T) {
	conformance.Suite{Python: true}.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		return reference.start(t, listen(t, app), bridge.Callable)
	})
}

// TestTruthyFlags sees that flags need not be of type bool in Python.
func TestTruthyFlags(t *testing.T) {
	suite := conformance.Suite{Python: true, Only: []string{"ENV"}}
	suite.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		truthy := reference
		truthy.args = func(dir, addr string) []string { return append(reference.args(dir, addr), "truthy-flags") }
		return truthy.start(t, listen(t, app), bridge.Callable)
	})
}

// TestPeers runs the suite on real servers. What they do wrong was looked at,
// fault by fault, in the versions that are named; anything else that is found
// in those versions is taken for an artefact of the bridge or of a probe.
func TestPeers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			begun := time.Now()
			report, err := conformance.Suite{Python: true}.CheckServer(t.Context(), func(app wsgi.Application) (network, addr string, err error) {
				network, addr = p.start(t, listen(t, app), bridge.Callable)
				return network, addr, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, r := range report.Results {
				if strings.Contains(r.Evidence, "bridge: ") || strings.Contains(r.Evidence, "panicked") {
					t.Errorf("%s: an error of the bridge or of the probe itself:\n%s", r.ID, r.Evidence)
				}
				if r.Status == conformance.Fail || r.Status == conformance.Warn {
					found = append(found, r.ID)
				}
			}
			version := p.version(t)
			looked := strings.HasPrefix(version, p.looked)
			t.Logf("%s %s: %d pass, %d fail, %d warn, %d skip, in %v", p.name, version, report.Count(conformance.Pass),
				report.Count(conformance.Fail), report.Count(conformance.Warn), report.Count(conformance.Skip), time.Since(begun).Round(time.Second/10))
			t.Logf("found: %s", strings.Join(found, " "))
			for _, rule := range found {
				if slices.Contains(strings.Fields(p.known), rule) {
					continue
				}
				i := slices.IndexFunc(report.Results, func(r conformance.Result) bool { return r.ID == rule })
				text := "%s is said to be broken, which nobody has looked at:\n%s"
				if looked {
					t.Errorf(text, rule, report.Results[i].Evidence)
				} else {
					t.Logf(text, rule, report.Results[i].Evidence)
				}
			}
			missing := slices.DeleteFunc(strings.Fields(p.known), func(rule string) bool { return slices.Contains(found, rule) })
			if looked && len(missing) > 0 {
				t.Logf("known to be broken, and not found this time: %s", strings.Join(missing, " "))
			}
		})
	}
}

// TestCallables has the application called in each of its shapes, by all
// servers.
func TestCallables(t *testing.T) {
	for _, p := range append(peers, reference) {
		for _, callable := range bridge.Callables() {
			t.Run(p.name+"/"+callable, func(t *testing.T) {
				suite := conformance.Suite{Python: true, Only: []string{"CALL-01", "CALL-04", "APP-04"}}
				suite.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
					return p.start(t, listen(t, app), callable)
				})
			})
		}
	}
}

// version returns the version of a server, "" when it does not tell.
func (p peer) version(t testing.TB) string {
	t.Helper()
	if p.program != "" {
		out, _ := exec.Command(p.program, "--version").Output()
		return strings.TrimSpace(string(out))
	}
	python, _ := interpreter(p.module)
	script := "import importlib.metadata as m; print(m.version('" + p.module + "'))"
	if p.module == "wsgiref" {
		script = "import platform; print(platform.python_version())"
	}
	out, _ := exec.Command(python, "-c", script).Output()
	return strings.TrimSpace(string(out))
}
