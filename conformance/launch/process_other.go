//go:build !unix

package launch

import (
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }

// terminate does nothing where a process cannot be asked to end.
func (p *process) terminate() {}

// kill ends the leader.
func (p *process) kill() {
	if leader, err := os.FindProcess(p.pid); err == nil {
		leader.Kill()
		leader.Release()
	}
}

func (p *process) sweep() {}
