//go:build unix

package launch

import "syscall"

// terminate asks everything in the process group to end, as a service manager
// does.
func (p *process) terminate() { p.signal(syscall.SIGTERM) }

// kill ends what is left of the process group.
func (p *process) kill() { p.signal(syscall.SIGKILL) }

// signal is for a leader that has not been waited for, whose id is therefore
// that of its group and of no other.
func (p *process) signal(sig syscall.Signal) {
	select {
	case <-p.done:
	default:
		p.signalGroup(sig)
	}
}

// signalGroup signals what is left of the process group. To kill(2), a group
// of 0 would be this process and its relatives, and one of 1 everybody.
func (p *process) signalGroup(sig syscall.Signal) {
	if p.pid > 1 {
		syscall.Kill(-p.pid, sig)
	}
}

// sweep ends what the leader has left behind.
func (p *process) sweep() {
	p.signalGroup(syscall.SIGKILL)
	p.sweepStrays()
}
