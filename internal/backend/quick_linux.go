package backend

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// backlog takes the connections that wait at a listener, without waiting itself.
type backlog struct {
	raw   syscall.RawConn
	local net.Addr
	found []*quick // by the last call
	take  func(fd uintptr)
}

// mostTaken bounds how many are taken at once.
const mostTaken = 64

// newBacklog returns nil for what is not plainly a listening socket: a type that
// embeds one may have an Accept of its own.
func newBacklog(l net.Listener) *backlog {
	b := &backlog{local: l.Addr()}
	var err error
	switch l := l.(type) {
	case *net.UnixListener:
		b.raw, err = l.SyscallConn()
	case *net.TCPListener:
		b.raw, err = l.SyscallConn()
	default:
		return nil
	}
	if err != nil {
		return nil
	}
	b.take = func(fd uintptr) {
		for len(b.found) < mostTaken {
			nfd, remote, err := syscall.Accept4(int(fd), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
			if err != nil {
				return // Accept meets it again, and knows what to do
			}
			b.found = append(b.found, &quick{fd: nfd, local: b.local, remote: remote})
		}
	}
	return b
}

// next returns the connections that have come by now.
func (b *backlog) next() []*quick {
	if b == nil {
		return nil
	}
	b.found = b.found[:0]
	b.raw.Control(b.take)
	return b.found
}

// quick is a connection that the poller of the runtime does not know until
// somebody has to wait for it. Most carry one request, which has come, and one
// response, for which there is room: they never do.
type quick struct {
	local  net.Addr // of the listener
	remote syscall.Sockaddr

	mu      sync.Mutex
	fd      int      // -1 when it is closed, or is file's
	file    *os.File // when somebody has waited
	written bool
	settled bool
}

var errClosed = &net.OpError{Op: "use", Err: net.ErrClosed}

// call calls the system, unless q is closed. A connection that somebody has
// waited for is not called: ok is false.
func (q *quick) call(f func(fd int) (int, error)) (n int, err error, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.file != nil {
		return 0, nil, false
	}
	if q.fd < 0 {
		return 0, errClosed, true
	}
	for {
		if n, err = f(q.fd); err != syscall.EINTR {
			return n, err, true
		}
	}
}

// settle sets what package net sets for each TCP connection that it accepts. The
// first write needs none of it: only from the second on would data wait for the
// other side to acknowledge what was sent before. The caller holds the lock.
func (q *quick) settle(fd int) {
	if _, ok := q.local.(*net.TCPAddr); !ok || q.settled {
		return
	}
	q.settled = true
	for _, option := range [...]struct{ level, name, value int }{
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 15},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 15},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 9},
	} {
		syscall.SetsockoptInt(fd, option.level, option.name, option.value)
	}
}

// control is call for what does not read or write: whoever has waited.
func (q *quick) control(f func(fd int) error) error {
	_, err, ok := q.call(func(fd int) (int, error) { return 0, f(fd) })
	if ok {
		return err
	}
	raw, err := q.file.SyscallConn()
	if err != nil {
		return closed(err)
	}
	if failed := raw.Control(func(fd uintptr) { err = f(int(fd)) }); failed != nil {
		return closed(failed)
	}
	return err
}

// closed makes of the word of package os for what is closed that of package net.
func closed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return errClosed
	}
	return err
}

// read reads what is there, as direct.read does.
func (q *quick) read(p []byte) (int, error) {
	n, err, ok := q.call(func(fd int) (int, error) { return syscall.Read(fd, p) })
	switch {
	case !ok || err == syscall.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0 && len(p) > 0:
		return 0, io.EOF
	}
	return n, nil
}

// write writes as much of p as there is room for, as direct.write does.
func (q *quick) write(p []byte) int {
	n, err, _ := q.call(func(fd int) (int, error) {
		if q.written {
			q.settle(fd)
		}
		q.written = true
		return syscall.Write(fd, p)
	})
	if err != nil {
		return 0
	}
	return n
}

// wait returns the connection as one that can be waited for. A file is enough for
// that: it waits for whatever the poller knows.
func (q *quick) wait() (*os.File, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.file == nil {
		if q.fd < 0 {
			return nil, errClosed
		}
		q.settle(q.fd)
		q.file = os.NewFile(uintptr(q.fd), "connection")
		q.fd = -1
	}
	return q.file, nil
}

func (q *quick) Read(p []byte) (int, error) {
	file, err := q.wait()
	if err != nil {
		return 0, err
	}
	n, err := file.Read(p)
	return n, closed(err)
}

func (q *quick) Write(p []byte) (int, error) {
	file, err := q.wait()
	if err != nil {
		return 0, err
	}
	n, err := file.Write(p)
	return n, closed(err)
}

func (q *quick) CloseWrite() error {
	return q.control(func(fd int) error { return syscall.Shutdown(fd, syscall.SHUT_WR) })
}

// SetLinger is net.TCPConn's; over Unix sockets it does nothing.
func (q *quick) SetLinger(seconds int) error {
	return q.control(func(fd int) error {
		return syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1, Linger: int32(seconds)})
	})
}

func (q *quick) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.file != nil:
		return closed(q.file.Close())
	case q.fd < 0:
		return errClosed
	}
	fd := q.fd
	q.fd = -1
	return syscall.Close(fd)
}

// LocalAddr is that of the listener, but for one that listens everywhere.
func (q *quick) LocalAddr() net.Addr {
	if at, ok := q.local.(*net.TCPAddr); ok && at.IP.IsUnspecified() {
		var local syscall.Sockaddr
		if q.control(func(fd int) (err error) { local, err = syscall.Getsockname(fd); return err }) == nil {
			return address(local)
		}
	}
	return q.local
}

func (q *quick) RemoteAddr() net.Addr { return address(q.remote) }

func address(of syscall.Sockaddr) net.Addr {
	switch of := of.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: of.Addr[:], Port: of.Port}
	case *syscall.SockaddrInet6:
		addr := &net.TCPAddr{IP: of.Addr[:], Port: of.Port}
		if of.ZoneId != 0 {
			if i, err := net.InterfaceByIndex(int(of.ZoneId)); err == nil {
				addr.Zone = i.Name
			}
		}
		return addr
	case *syscall.SockaddrUnix:
		return &net.UnixAddr{Name: of.Name, Net: "unix"}
	}
	return &net.UnixAddr{Net: "unix"}
}

func (q *quick) SetDeadline(t time.Time) error {
	file, err := q.wait()
	if err != nil {
		return err
	}
	return closed(file.SetDeadline(t))
}

func (q *quick) SetReadDeadline(t time.Time) error {
	file, err := q.wait()
	if err != nil {
		return err
	}
	return closed(file.SetReadDeadline(t))
}

func (q *quick) SetWriteDeadline(t time.Time) error {
	file, err := q.wait()
	if err != nil {
		return err
	}
	return closed(file.SetWriteDeadline(t))
}
