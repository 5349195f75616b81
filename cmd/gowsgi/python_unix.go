//go:build unix

package main

import (
	"os"
	"syscall"
)

// poolSignals are those of gunicorn's that serve understands beside the ones
// that stop it.
var poolSignals = []os.Signal{syscall.SIGHUP, syscall.SIGUSR1, syscall.SIGTTIN, syscall.SIGTTOU}

func poolAction(sig os.Signal) int {
	switch sig {
	case syscall.SIGHUP:
		return actionReload
	case syscall.SIGUSR1:
		return actionReopen
	case syscall.SIGTTIN:
		return actionMore
	case syscall.SIGTTOU:
		return actionFewer
	}
	return actionNone
}
