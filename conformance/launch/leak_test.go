package launch

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// ownMark is in the environment of the commands of a test.
func ownMark(t *testing.T) string {
	return "GOWSGI_TEST=" + strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) + "."
}

// leavesNothing checks at the end of the test that no process of it is left.
// On Linux all of them are known by their environment.
func leavesNothing(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		environs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range environs {
			env, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(env), ownMark(t)) {
				command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
				t.Errorf("the process %q is left", command)
			}
		}
	})
}

// settle waits until f is true: a goroutine or a descriptor may take a moment
// to be gone after what used it.
func settle(f func() bool) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if f() {
			return true
		}
	}
	return false
}

func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// TestLeaks starts and stops servers and counts what is left of them here.
func TestLeaks(t *testing.T) {
	leavesNothing(t)
	round := func() {
		for _, name := range []string{"good", "has a child", "exits"} {
			s, err := command(t, name, "{addr}").start(t.Context(), asked())
			if err == nil {
				err = s.Stop()
			}
			if (err != nil) != (name == "exits") {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	round() // what is made once
	goroutines, open := runtime.NumGoroutine(), descriptors()
	for range 3 {
		round()
	}
	if !settle(func() bool { return runtime.NumGoroutine() <= goroutines && descriptors() <= open }) {
		t.Errorf("there are %d goroutines and %d descriptors, before there were %d and %d", runtime.NumGoroutine(), descriptors(), goroutines, open)
	}
	if ports := len(handedOut.ports); ports != 0 {
		t.Errorf("%d ports are not released", ports)
	}
}
