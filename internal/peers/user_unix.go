//go:build unix

package peers

import (
	"os"
	"syscall"
)

// unprivileged starts a program as nobody, where the test is root.
func unprivileged() *syscall.SysProcAttr {
	if os.Getuid() != 0 {
		return nil
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}
