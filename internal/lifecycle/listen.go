package lifecycle

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Listeners returns the listeners that are given; without any, the sockets that the
// process has inherited; and without those it listens on addr, if that is not "".
func Listeners(given []net.Listener, addr string) ([]net.Listener, error) {
	if len(given) > 0 {
		return given, nil
	}
	if inherited, err := Inherited(); err != nil || len(inherited) > 0 || addr == "" {
		return inherited, err
	}
	l, err := Listen(addr)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// Listen is server.Listen.
func Listen(addr string) (net.Listener, error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return nil, fmt.Errorf("address is %q, expected host:port or unix:path", addr)
		}
		return net.Listen("tcp", addr)
	}
	if path == "" {
		return nil, fmt.Errorf("address is %q, expected a path after unix:", addr)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&fs.ModeSocket == 0 {
			return nil, fmt.Errorf("listen unix %s: file exists and is not a socket", path)
		}
		c, err := net.Dial("unix", path)
		if err == nil {
			c.Close()
		}
		// Only a refusal says that nobody is there: a server that is busy, or belongs
		// to somebody else, does not take the connection either.
		if !errors.Is(err, syscall.ECONNREFUSED) && !errors.Is(err, fs.ErrNotExist) && (err == nil || runtime.GOOS != "windows") {
			return nil, fmt.Errorf("listen unix %s: address already in use", path)
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

// firstInherited is the first descriptor that systemd's protocol passes.
const firstInherited = 3

// Inherited is server.Inherited.
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
