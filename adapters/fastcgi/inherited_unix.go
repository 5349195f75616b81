//go:build unix

package fastcgi

import (
	"os"
	"syscall"
)

// isConnected reports whether a socket has a peer, and so is none to accept
// connections on.
func isConnected(file *os.File) bool {
	_, err := syscall.Getpeername(int(file.Fd()))
	return err == nil
}
