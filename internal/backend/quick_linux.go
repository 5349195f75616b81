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

	mu   sync.Mutex
	fd   int      // -1 when it is closed, or is conn's
	conn net.Conn // when somebody has waited
}

var errClosed = &net.OpError{Op: "use", Err: net.ErrClosed}

// call calls the system, unless q is closed. A connection that somebody has
// waited for is not called: ok is false.
func (q *quick) call(f func(fd int) (int, error)) (n int, err error, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.conn != nil {
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
	n, err, _ := q.call(func(fd int) (int, error) { return syscall.Write(fd, p) })
	if err != nil {
		return 0
	}
	return n
}

// wait returns the connection as one that can be waited for.
func (q *quick) wait() (net.Conn, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.conn != nil {
		return q.conn, nil
	}
	if q.fd < 0 {
		return nil, errClosed
	}
	file := os.NewFile(uintptr(q.fd), "connection")
	q.fd = -1
	defer file.Close() // FileConn duplicates it
	var err error
	if q.conn, err = net.FileConn(file); err != nil {
		return nil, err
	}
	return q.conn, nil
}

func (q *quick) Read(p []byte) (int, error) {
	c, err := q.wait()
	if err != nil {
		return 0, err
	}
	return c.Read(p)
}

func (q *quick) Write(p []byte) (int, error) {
	c, err := q.wait()
	if err != nil {
		return 0, err
	}
	return c.Write(p)
}

func (q *quick) CloseWrite() error {
	_, err, ok := q.call(func(fd int) (int, error) { return 0, syscall.Shutdown(fd, syscall.SHUT_WR) })
	if ok {
		return err
	}
	if half, ok := q.conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetLinger is net.TCPConn's; over Unix sockets it does nothing.
func (q *quick) SetLinger(seconds int) error {
	_, err, ok := q.call(func(fd int) (int, error) {
		return 0, syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1, Linger: int32(seconds)})
	})
	if c, isTCP := q.conn.(*net.TCPConn); !ok && isTCP {
		return c.SetLinger(seconds)
	}
	return err
}

func (q *quick) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.conn != nil:
		return q.conn.Close()
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
		if c, err := q.wait(); err == nil {
			return c.LocalAddr()
		}
	}
	return q.local
}

func (q *quick) RemoteAddr() net.Addr {
	switch from := q.remote.(type) {
	case *syscall.SockaddrInet4:
		return &net.TCPAddr{IP: from.Addr[:], Port: from.Port}
	case *syscall.SockaddrInet6:
		addr := &net.TCPAddr{IP: from.Addr[:], Port: from.Port}
		if from.ZoneId != 0 {
			if i, err := net.InterfaceByIndex(int(from.ZoneId)); err == nil {
				addr.Zone = i.Name
			}
		}
		return addr
	case *syscall.SockaddrUnix:
		return &net.UnixAddr{Name: from.Name, Net: "unix"}
	}
	return &net.UnixAddr{Net: "unix"}
}

func (q *quick) SetDeadline(t time.Time) error {
	c, err := q.wait()
	if err != nil {
		return err
	}
	return c.SetDeadline(t)
}

func (q *quick) SetReadDeadline(t time.Time) error {
	c, err := q.wait()
	if err != nil {
		return err
	}
	return c.SetReadDeadline(t)
}

func (q *quick) SetWriteDeadline(t time.Time) error {
	c, err := q.wait()
	if err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}
