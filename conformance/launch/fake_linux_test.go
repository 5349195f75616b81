package launch

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
)

func init() {
	fakes["leaves a daemon"] = func(f fake) {
		daemon := exec.Command(os.Args[0], "fake", "stubborn", f.addr, "", "")
		daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		daemon.Start()
		f.serve()
	}
}

// TestDaemon ends what has left the process group of its server.
func TestDaemon(t *testing.T) {
	leavesNothing(t)
	start(t, command(t, "leaves a daemon", "{addr}"))
}
