//go:build unix

package forward

import "syscall"

// wouldBlock reports whether a read of fd, which does not block, would have to
// wait.
func wouldBlock(fd uintptr) bool {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	return err == syscall.EAGAIN
}
