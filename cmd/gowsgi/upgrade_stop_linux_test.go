package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// TestStopDuringUpgrade stops a server while the next one still imports the
// application: that one ends too.
func TestStopDuringUpgrade(t *testing.T) {
	t.Parallel()
	interpreter := pythonFor(t)
	dir, _ := project(t, "import os, time\nwhile os.path.exists('wait'):\n    time.sleep(0.01)\n"+say("first"))
	c := start(t, nil, "site_app:app", "-w", "1", "--python", interpreter, "--chdir", dir, "-b", "127.0.0.1:0")
	c.wait(`listening address=`)
	gate := filepath.Join(dir, "wait")
	if err := os.WriteFile(gate, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	c.signal(syscall.SIGUSR2)
	second, err := strconv.Atoi(c.wait(`new process started pid=(\d+)$`)[1])
	if err != nil {
		t.Fatal(err)
	}
	alone := time.AfterFunc(patience/4, func() { syscall.Kill(second, syscall.SIGKILL) })
	c.stop() // which waits for both: they have one standard error
	if !alone.Stop() {
		t.Error("the second process goes on")
	}
}
