//go:build unix

package backend

import (
	"io"
	"net"
	"syscall"
)

// socket is direct with the descriptor of a net.Conn.
type socket struct {
	raw     syscall.RawConn
	in, out attempt
}

// attempt is a call of the system, whose function is made once so that the
// calls allocate nothing.
type attempt struct {
	p   []byte
	n   int
	err error
	do  func(fd uintptr) bool
}

func (a *attempt) make(call func(fd int, p []byte) (int, error)) {
	a.do = func(fd uintptr) bool {
		for a.err = syscall.EINTR; a.err == syscall.EINTR; {
			a.n, a.err = call(int(fd), a.p)
		}
		a.p = nil
		return true
	}
}

// newDirect returns nil for what is not plainly a socket: a type that embeds one
// may have a Read and a Write of its own.
func newDirect(conn net.Conn) direct {
	d := new(socket)
	var err error
	switch c := conn.(type) {
	case *net.UnixConn:
		d.raw, err = c.SyscallConn()
	case *net.TCPConn:
		d.raw, err = c.SyscallConn()
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	d.in.make(syscall.Read)
	d.out.make(syscall.Write)
	return d
}

func (d *socket) read(p []byte) (int, error) {
	d.in.p = p
	if err := d.raw.Read(d.in.do); err != nil {
		return 0, err
	}
	switch {
	case d.in.err == syscall.EAGAIN:
		return 0, nil
	case d.in.err != nil:
		return 0, d.in.err
	case d.in.n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return d.in.n, nil
}

func (d *socket) write(p []byte) int {
	d.out.p = p
	if err := d.raw.Write(d.out.do); err != nil || d.out.err != nil {
		return 0
	}
	return d.out.n
}
