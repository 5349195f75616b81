package launch

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// attributes make a process group of the command, which the kernel ends with
// this process.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// sweepStrays ends what has left the process group, such as a daemon. It is
// known by the mark in its environment.
func (p *process) sweepStrays() {
	want := []byte(markVariable + "=" + p.mark)
	for range 20 { // one that forks may slip through once, hardly ever again
		found := false
		environs, _ := filepath.Glob("/proc/[0-9]*/environ")
		for _, path := range environs {
			env, err := os.ReadFile(path) // fails for those of others
			if err != nil || !bytes.Contains(env, want) {
				continue
			}
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
				found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
			}
		}
		if !found {
			return
		}
	}
}
