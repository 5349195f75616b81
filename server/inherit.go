package server

import (
	"fmt"
	"net"
	"os"
	"strconv"
)

// firstInherited is the first descriptor that systemd's protocol passes.
const firstInherited = 3

// Inherited returns the listening sockets that the process was started with,
// by the protocol of systemd's socket units: LISTEN_PID names this process and
// LISTEN_FDS counts the descriptors from 3 on. There are none when the
// variables are absent or name another process. The variables are removed, so
// that neither a child nor a second call takes them for its own.
func Inherited() ([]net.Listener, error) {
	pid, count := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	if pid == "" || pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 {
		return nil, fmt.Errorf("LISTEN_FDS is %q, expected a number", count)
	}
	var listeners []net.Listener
	for fd := firstInherited; fd < firstInherited+n; fd++ {
		file := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		l, err := net.FileListener(file) // a duplicate, closed on exec
		file.Close()
		if err != nil {
			for _, l := range listeners {
				l.Close()
			}
			return nil, fmt.Errorf("inherited descriptor %d: %w", fd, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}
