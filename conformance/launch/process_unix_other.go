//go:build unix && !linux

package launch

import "syscall"

// attributes make a process group of the command.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// sweepStrays does nothing: what has left the process group is not to be told
// from others here.
func (p *process) sweepStrays() {}
