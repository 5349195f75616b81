package conformance_test

import (
	"bufio"
	"cmp"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/bridge"
	"github.com/gowsgi/gowsgi/wsgi"
)

// pythonMutants are faults of the server in bridge/testdata, the rule that
// each breaks, and the rules that cannot hold then.
var pythonMutants = []struct{ rule, fault, also, callable string }{
	{"CALL-01", "touches-application", "", "application_instance"},
	{"CALL-04", "keywords", "", ""},
	{"CALL-04", "third-argument", "", ""},
	{"ENV-01", "dict-subclass", "", ""},
	{"ENV-22", "bytes-key", "", ""},
	{"STR-02", "bytes-path", "", ""},
	{"STR-09", "text-subclass", "", ""},
	{"STR-09", "text-subclass-scheme", "", ""},
	{"STR-04", "unicode-path", "", ""},
	{"STR-11", "bytearray-read", "", ""},
	{"STR-11", "bytearray-readline", "", ""},
	{"STR-11", "iterates-text", "", ""},
	{"INPUT-03", "readlines-tuple", "", ""},
	{"INPUT-05", "short-read", "", ""},
	{"INPUT-05", "read-minus", "", ""},
	{"INPUT-05", "read-none", "", ""},
	{"INPUT-05", "read-zero", "", ""},
	{"INPUT-09", "read-needs-size", "", ""},
	{"START-15", "bare-raise", "", ""},
	{"START-21", "keeps-exc-info", "", ""},
	{"START-22", "any-headers", "", ""},
	{"START-22", "any-value", "", ""},
	{"START-22", "bytes-status", "", ""},
	{"START-25", "refuses-none", "", ""},
	{"START-25", "none-is-exc-info", "", ""},
	{"BODY-12", "closes-iterator", "", ""},
	{"BODY-13", "close-needs-iterator", "", ""},
	{"BODY-17", "touches-body", "", ""},
	{"BODY-18", "refuses-deque", "", ""},
	{"BODY-18", "wants-next", "BODY-12 BODY-13 BODY-19 BODY-23", ""},
	{"BODY-19", "iterates-twice", "", ""},
	{"BODY-23", "asks-after-end", "", ""},
	{"STR-03", "drops-text", "", ""},
	{"FILE-03", "wrapper-needs-size", "", ""},
	{"FILE-05", "wrapper-bytearray", "FILE-14", ""},
	{"FILE-08", "wrapper-without-close", "", ""},
	{"FILE-14", "asks-fileno", "FILE-05 FILE-08", ""},
	{"ERR-13", "hangs-on-exit", "", ""},
	{"ERR-13", "dies-on-exit", "", ""},
	{"SRV-08", "exit-ends-all", "", ""},
}

// TestPythonServerMutants runs the probes for Python servers on a server that
// is right, called in each shape that an application can have, and on one for
// each fault that they should find.
func TestPythonServerMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	python := findPython(t)
	var judge conformance.PythonJudge
	for _, callable := range bridge.Callables() {
		t.Run("sound/"+callable, func(t *testing.T) {
			for rule, fault := range judge.Judge("", referenceServer(t, python, callable)) {
				t.Errorf("the suite says that %s is broken:\n%s", rule, fault)
			}
		})
	}
	found := judge.Together(len(pythonMutants), func(i int) map[string]string {
		m := pythonMutants[i]
		return judge.Judge(m.rule+" "+m.also, referenceServer(t, python, cmp.Or(m.callable, bridge.Callable), m.fault))
	}, func(i int) (broken, also string) { return pythonMutants[i].rule, pythonMutants[i].also })
	for i, m := range pythonMutants {
		t.Run(m.rule+"/"+m.fault, func(t *testing.T) { judge.Verdict(t, found[i], m.rule, m.also) })
	}
	judge.Table(t, len(pythonMutants))
}

// findPython returns a Python to run, or skips the test.
func findPython(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("GOWSGI_PYTHON"), "python3", "python"} {
		if name != "" && exec.Command(name, "-c", "import sys; sys.exit(sys.version_info < (3, 8))").Run() == nil {
			return name
		}
	}
	if os.Getenv("GOWSGI_PEERS") == "require" {
		t.Fatal("no Python 3.8 or later")
	}
	t.Skip("no Python 3.8 or later")
	return ""
}

// referenceServer returns how to start the server of package bridge's tests
// with the given faults, until the end of the test.
func referenceServer(t *testing.T, python, callable string, faults ...string) func(app wsgi.Application) (network, addr string) {
	return func(app wsgi.Application) (network, addr string) {
		b, err := bridge.Listen(app)
		if err != nil {
			t.Error(err)
			return "tcp", "127.0.0.1:1"
		}
		script := filepath.Join("bridge", "testdata", "reference_server.py")
		cmd := exec.Command(python, append([]string{script, "127.0.0.1", "0", bridge.Module + ":" + callable}, faults...)...)
		cmd.Env = append(os.Environ(), b.Env()...)
		var out strings.Builder
		cmd.Stderr = &out
		stdout, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Error(err)
			return "tcp", "127.0.0.1:1"
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			cmd.Wait()
			b.Close()
			if t.Failed() && testing.Verbose() {
				t.Log(out.String())
			}
		})
		lines := bufio.NewReader(stdout)
		port, err := lines.ReadString('\n')
		if err != nil {
			t.Errorf("expected the port of the server, got %q, %v", port, err)
		}
		go io.Copy(io.Discard, lines)
		return "tcp", "127.0.0.1:" + strings.TrimSpace(port)
	}
}
