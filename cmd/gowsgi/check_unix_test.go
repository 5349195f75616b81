//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestCheckInterrupted interrupts a check of a server, and kills it. The server
// ends in either case.
func TestCheckInterrupted(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("GOWSGI_PEERS") == "require" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			if sig == syscall.SIGKILL && runtime.GOOS != "linux" {
				t.Skip("only Linux ends a process with its parent")
			}
			tmp := t.TempDir()
			// The command says when it runs, and goes on for longer than the test.
			script := "echo begun $$ >&2; exec sleep 600"
			c := startCommand(t, self(t, []string{"TMPDIR=" + tmp}, "check", "--verbose", "--", "sh", "-c", script, "{addr}"))
			pid := c.wait(`^begun (\d+)$`)[1]
			c.signal(sig)
			status, rest := c.exit()
			if sig == syscall.SIGKILL {
				status = exitUnchecked
			}
			last := strings.Join(rest, "\n")
			if status != exitUnchecked || sig != syscall.SIGKILL && last != "gowsgi: sh: "+sig.String() && last != "gowsgi: "+sig.String() {
				t.Errorf("the status is %d, it said %q, want 2 and the signal", status, last)
			}
			if !ends(pid) {
				t.Errorf("the server, process %s, goes on", pid)
			}
			if left, _ := filepath.Glob(filepath.Join(tmp, "*")); len(left) > 0 && sig != syscall.SIGKILL {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// ends waits for the end of a process. One that has ended and that nobody has
// waited for is a zombie until its new parent comes along.
func ends(pid string) bool {
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		switch {
		case err == nil && strings.Contains(string(stat), ") Z "):
			return true
		case err == nil:
		case runtime.GOOS == "linux":
			return true
		default:
			if exec.Command("kill", "-0", pid).Run() != nil {
				return true
			}
		}
	}
	return false
}
