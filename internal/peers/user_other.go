//go:build !unix

package peers

import "syscall"

func unprivileged() *syscall.SysProcAttr { return nil }
