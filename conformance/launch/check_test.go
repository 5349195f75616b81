package launch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
)

// required reports whether the servers and Python have to be there.
func required() bool { return os.Getenv("GOWSGI_PEERS") == "require" }

// without skips a test for want of a program, which err tells, unless it is
// required.
func without(t *testing.T, err error) {
	t.Helper()
	if required() {
		t.Fatal(err)
	}
	t.Skip(err)
}

// limit is how long a check of one server may take. It is meant to take a minute
// at most, and on a machine with a load of ten for each processor took that.
const limit = 4 * time.Minute

// marked makes the processes of a test known to leavesNothing.
func marked(t *testing.T) {
	leavesNothing(t)
	name, value, _ := strings.Cut(ownMark(t), "=")
	t.Setenv(name, value)
}

// TestPresets checks each server that is installed. Where the servers are not
// required, a few rules are enough to see that it works.
func TestPresets(t *testing.T) {
	for _, p := range Presets() {
		t.Run(p.Name, func(t *testing.T) {
			marked(t)
			suite := conformance.Suite{}
			if !required() {
				suite.Only = []string{"APP-04", "SRV-01", "INPUT-01", "HDR-12"}
			}
			begin := time.Now()
			r, err := Check(t.Context(), suite, p.Name, Options{})
			if err != nil {
				without(t, err)
			}
			took := time.Since(begin)
			t.Logf("%s %s: %d pass, %d fail, %d warn, %d skip in %v", r.Subject, r.Version, r.Count(conformance.Pass),
				r.Count(conformance.Fail), r.Count(conformance.Warn), r.Count(conformance.Skip), took)
			if r.Subject != p.Name || r.Version == "" {
				t.Errorf("the subject is %q and its version %q, want %q and one", r.Subject, r.Version, p.Name)
			}
			if !required() {
				if len(r.Results) != len(suite.Only) || r.Count(conformance.Fail) > 0 {
					t.Errorf("the results are %v, want %v to pass", r.Results, suite.Only)
				}
				return
			}
			if took > limit {
				t.Errorf("the check took %v, want %v at most", took, limit)
			}
			if n := r.Count(conformance.Pass); n < 60 {
				t.Errorf("%d rules pass, want that of a server that is in use", n)
			}
			if p.Name == "gowsgi" && r.Count(conformance.Fail)+r.Count(conformance.Warn) > 0 {
				t.Errorf("the server of this module breaks rules: %v", broken(r))
			}
		})
	}
}

// TestCheckEnds ends the context in the middle of a check.
func TestCheckEnds(t *testing.T) {
	marked(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	probes := 0
	suite := conformance.Suite{Progress: func(string, string) {
		if probes++; probes == 5 {
			cancel(enough)
		}
	}}
	begin := time.Now()
	r, err := CheckCommand(ctx, suite, bad(t, "good"), Options{})
	if err == nil || context.Cause(ctx) != enough {
		t.Errorf("the error is %v, want that of the context", err)
	}
	if d := time.Since(begin); d > patience {
		t.Errorf("it took %v", d)
	}
	if n := r.Count(conformance.Fail); n > 0 {
		t.Errorf("the server is blamed for the end of the check: %v", broken(r))
	}
}

// TestCheckFails checks what cannot be started.
func TestCheckFails(t *testing.T) {
	for _, test := range []struct {
		name  string
		check func() error
		want  string
	}{
		{"no such preset", func() error {
			_, err := Check(t.Context(), conformance.Suite{}, "nginx", Options{})
			return err
		}, `there is no server "nginx", expected one of gowsgi, gunicorn, `},
		{"no such interpreter", func() error {
			_, err := Check(t.Context(), conformance.Suite{}, "gunicorn", Options{Python: "no-such-python"})
			return err
		}, "gunicorn: expected a Python interpreter, there is no program no-such-python"},
		{"a command without an address", func() error {
			_, err := CheckCommand(t.Context(), conformance.Suite{}, []string{"true"}, Options{})
			return err
		}, `the command "true" does not say where to listen`},
		{"no such rule", func() error {
			_, err := CheckCommand(t.Context(), conformance.Suite{Only: []string{"X"}}, []string{"true", "{addr}"}, Options{})
			return err
		}, `"X" is neither a rule`},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.check(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
}

// TestInterpreterWithoutModule says what to install.
func TestInterpreterWithoutModule(t *testing.T) {
	paths, err := interpreters("")
	if err != nil {
		without(t, err)
	}
	_, _, err = findModule(t.Context(), paths[0], "gowsgi_no_such_module", "nowhere to be had")
	if want := "expected a Python interpreter that can import gowsgi_no_such_module, looked at " + paths[0] + "; install it: nowhere to be had"; err == nil || err.Error() != want {
		t.Errorf("the error is %v, want %s", err, want)
	}
}

// TestApplications checks Python applications.
func TestApplications(t *testing.T) {
	if _, err := interpreters(""); err != nil {
		without(t, err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("good_app.py", `
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]
`)
	write("bad_app.py", `
def application(environ, start_response):
    start_response("200", [("Content-Type", "text/plain")])
    return "hello"
`)
	write("lost_app.py", "import gowsgi_no_such_module\n")
	t.Chdir(dir)
	for _, test := range []struct {
		target string
		fails  bool
		err    string
	}{
		{"good_app:application", false, ""},
		{filepath.Join(dir, "good_app.py") + ":application", false, ""},
		{"bad_app:application", true, ""},
		{"lost_app:application", false, "No module named 'gowsgi_no_such_module'"},
		{"good_app:nothing", false, "has no attribute 'nothing'"},
	} {
		t.Run(test.target, func(t *testing.T) {
			marked(t)
			r, err := CheckApplication(t.Context(), conformance.Suite{}, test.target, Options{})
			if (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Fatalf("the error is %v, want %q", err, test.err)
			}
			if err != nil {
				return
			}
			if (r.Count(conformance.Fail) > 0) != test.fails || r.Subject != test.target || !strings.Contains(r.Version, "Python") {
				t.Errorf("%s %s breaks %v", r.Subject, r.Version, broken(r))
			}
		})
	}
}

// TestCheckLeaks counts what checks leave behind in this process.
func TestCheckLeaks(t *testing.T) {
	suite := conformance.Suite{Only: []string{"SRV-01"}}
	round := func() {
		for _, manner := range []string{"good", "dies"} {
			if _, err := CheckCommand(t.Context(), suite, bad(t, manner), Options{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Check(t.Context(), suite, "gowsgi", Options{}); err != nil {
			t.Fatal(err)
		}
	}
	round()
	goroutines, open := runtime.NumGoroutine(), descriptors()
	round()
	if !settle(func() bool { return runtime.NumGoroutine() <= goroutines && descriptors() <= open }) {
		stacks := make([]byte, 64<<10)
		t.Errorf("there are %d goroutines and %d descriptors, before there were %d and %d\n%s", runtime.NumGoroutine(), descriptors(), goroutines, open,
			stacks[:runtime.Stack(stacks, true)])
	}
}
