//go:build unix

package main

import (
	"os"
	"syscall"
)

// The signals that serve understands beside the ones that stop it, which are
// gunicorn's: where there is a log to open again, a certificate, and where there
// are pools.
// SIGHUP, of a terminal that goes away, still ends a server that has nothing to
// reload.
var (
	logSignals  = []os.Signal{syscall.SIGUSR1}
	certSignals = []os.Signal{syscall.SIGHUP}
	poolSignals = []os.Signal{syscall.SIGHUP, syscall.SIGTTIN, syscall.SIGTTOU}
)

// asked returns what sig asks for.
func asked(sig os.Signal) int {
	switch sig {
	case syscall.SIGHUP:
		return actionReload
	case syscall.SIGUSR2:
		return actionUpgrade
	case syscall.SIGUSR1:
		return actionReopen
	case syscall.SIGTTIN:
		return actionMore
	case syscall.SIGTTOU:
		return actionFewer
	}
	return actionNone
}
