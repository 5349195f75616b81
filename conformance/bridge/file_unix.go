//go:build unix

package bridge

import (
	"net"
	"os"
	"syscall"
)

const filesTravel = true

// writeFile sends one byte over c, and the descriptor of file with it: what
// the other side gets is the same open file, with the same position.
func writeFile(c *net.UnixConn, file *os.File) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) {
		_, _, sent = c.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(fd)), nil)
	})
	if err != nil {
		return err
	}
	return sent
}
