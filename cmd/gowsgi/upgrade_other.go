//go:build !unix

package main

import (
	"errors"
	"net"
	"os"
)

var upgradeSignals []os.Signal

func passedSockets() (sockets []net.Listener, addresses string, predecessor *os.File, err error) {
	return nil, "", nil, nil
}

func startSuccessor([]net.Listener, string) (successor *os.Process, serves *os.File, err error) {
	return nil, nil, errors.ErrUnsupported
}
