//go:build unix

package server

import (
	"net"
	"syscall"
)

// pour writes as much of p as the client's buffer has room for at once, which may be
// nothing, and returns how much that was. It waits for nobody, so it needs no
// deadline, and a client that takes a response as it comes gets it in few writes: each
// of them wakes the client up. What fails here is met by the next Write.
func pour(c net.Conn, p []byte) (n int) {
	var raw syscall.RawConn
	var err error
	switch c := c.(type) { // and not a type around one, which may want to see what is written
	case *net.TCPConn:
		raw, err = c.SyscallConn()
	case *net.UnixConn:
		raw, err = c.SyscallConn()
	default:
		return 0
	}
	if err != nil {
		return 0
	}
	raw.Write(func(fd uintptr) (done bool) {
		n, _ = syscall.Write(int(fd), p)
		return true
	})
	return max(n, 0)
}
