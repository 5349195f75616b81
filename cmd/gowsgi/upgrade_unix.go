//go:build unix

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

var upgradeSignals = []os.Signal{syscall.SIGUSR2}

const firstPassed = 3

// passedSockets takes what startSuccessor has passed. The variable is removed, so that
// no other process takes it for its own.
func passedSockets() (sockets []net.Listener, addresses string, predecessor *os.File, err error) {
	text := os.Getenv(upgradeKey)
	if text == "" {
		return nil, "", nil, nil
	}
	os.Unsetenv(upgradeKey)
	number, addresses, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 {
		return nil, "", nil, fmt.Errorf("%s is %q, expected a number of sockets", upgradeKey, text)
	}
	for fd := firstPassed; fd < firstPassed+n; fd++ {
		file := os.NewFile(uintptr(fd), "socket")
		l, err := net.FileListener(file) // a duplicate, closed on exec
		file.Close()
		if err != nil {
			return nil, "", nil, fmt.Errorf("descriptor %d, of %s: %w", fd, upgradeKey, err)
		}
		sockets = append(sockets, l)
	}
	syscall.CloseOnExec(firstPassed + n)
	return sockets, addresses, os.NewFile(uintptr(firstPassed+n), "predecessor"), nil
}

// startSuccessor starts the program anew, with the sockets. From serves a byte can be
// read when it serves, or else the end.
//
// The descriptors are passed by number: an os.File that is asked for its own makes it
// block, and with it the listener here, which could then not be closed.
func startSuccessor(listening []net.Listener, addresses string) (successor *os.Process, serves *os.File, err error) {
	path, err := exec.LookPath(os.Args[0]) // which may be another version by now
	if err != nil {
		return nil, nil, err
	}
	files := []uintptr{0, 1, 2}
	defer func() {
		for _, fd := range files[3:] {
			syscall.Close(int(fd))
		}
	}()
	keep := func(fd uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		n, dupErr := syscall.Dup(int(fd))
		if err = dupErr; err == nil {
			syscall.CloseOnExec(n)
			files = append(files, uintptr(n))
		}
	}
	for _, l := range listening {
		socket, ok := l.(syscall.Conn)
		if !ok {
			return nil, nil, errors.New("a socket that a web server has passed cannot be passed on")
		}
		raw, connErr := socket.SyscallConn()
		if connErr == nil {
			connErr = raw.Control(keep)
		}
		if err = errors.Join(err, connErr); err != nil {
			return nil, nil, err
		}
	}
	serves, says, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer says.Close()
	if keep(says.Fd()); err != nil {
		serves.Close()
		return nil, nil, err
	}
	pid, err := syscall.ForkExec(path, os.Args, &syscall.ProcAttr{
		Files: files, Env: append(withoutUpgrade(), fmt.Sprintf("%s=%d %s", upgradeKey, len(listening), addresses)),
	})
	if err != nil {
		serves.Close()
		return nil, nil, err
	}
	successor, err = os.FindProcess(pid)
	return successor, serves, err
}
