//go:build unix

package cgi

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup gives the process a group of its own, so that what it starts can be
// ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func terminateGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }

func killGroup(cmd *exec.Cmd) { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// shutRead has a socket take nothing more. It returns false for what is no socket.
func shutRead(f *os.File) bool { return syscall.Shutdown(int(f.Fd()), syscall.SHUT_RD) == nil }
