//go:build !unix

package launch

import (
	"os"
	"syscall"
)

func attributes() *syscall.SysProcAttr { return nil }

// terminate ends the leader, which cannot be asked to.
func (p *process) terminate() { p.kill() }

// kill ends the leader.
func (p *process) kill() {
	if leader, err := os.FindProcess(p.pid); err == nil {
		leader.Kill()
		leader.Release()
	}
}

func (p *process) sweep() {}
