package python

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"github.com/gowsgi/gowsgi/internal/account"
)

// queuePipe returns a pipe whose write end does not block. It has room for an id
// of each slot, and many more, even where a pipe has but one page.
func queuePipe() (r, w *os.File, err error) { return pipe(1) }

// replyPipe returns a pipe whose read end does not block. Its write end does,
// and has as much room.
func replyPipe() (r, w *os.File, err error) { return pipe(0) }

// pipe returns a pipe of which one end does not block.
func pipe(swift int) (r, w *os.File, err error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC); err != nil {
		return nil, nil, os.NewSyscallError("pipe2", err)
	}
	syscall.SetNonblock(fds[swift], true)
	return os.NewFile(uintptr(fds[0]), "pipe"), os.NewFile(uintptr(fds[1]), "pipe"), nil
}

// shareMemory returns memory that a process has too which maps the file. The
// file has no name. The first bytes of it are there, so many as are needed; the
// rest is when it was reserved.
func shareMemory(needed, size int) (file *os.File, b []byte, err error) {
	for _, dir := range []string{"/dev/shm", ""} { // which may be missing, or too small
		if file, b, err = mapMemory(dir, needed, (size+7)&^7); err == nil {
			return file, b, nil
		}
	}
	return nil, nil, err
}

func mapMemory(dir string, needed, size int) (*os.File, []byte, error) {
	file, err := os.CreateTemp(dir, "gowsgi-")
	if err != nil {
		return nil, nil, err
	}
	os.Remove(file.Name())
	err = file.Truncate(int64(size))
	if err == nil {
		err = reserve(file, 0, int64(needed))
	}
	var b []byte
	if err == nil {
		b, err = mapFile(file, size)
	}
	if err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, b, nil
}

// reserve sees to it that a part of a file has its memory. A file system that
// does not know of such a thing gets it when it is used.
func reserve(file *os.File, at, size int64) error {
	for {
		switch err := syscall.Fallocate(int(file.Fd()), 0, at, size); err {
		case syscall.EINTR:
		case syscall.EOPNOTSUPP, syscall.ENOSYS:
			return nil
		default:
			return os.NewSyscallError("fallocate", err)
		}
	}
}

// mapFile maps a file for reading and writing.
func mapFile(file *os.File, size int) ([]byte, error) {
	b, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return b, os.NewSyscallError("mmap", err)
}

// cannotShrink reports whether a file is sealed against that.
func cannotShrink(file *os.File) bool {
	const getSeals, sealShrink = 1034, 2 // of fcntl, which the syscall package has not
	seals, _, errno := syscall.Syscall(syscall.SYS_FCNTL, file.Fd(), getSeals, 0)
	return errno == 0 && seals&sealShrink != 0
}

func unmap(b []byte) { syscall.Munmap(b) }

// socketPair returns two connected sockets.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds { // as much as the system grants: a block in one piece
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1<<20)
	}
	return os.NewFile(uintptr(fds[0]), "lane"), os.NewFile(uintptr(fds[1]), "lane"), nil
}

// receiver reads from a socket on which descriptors may come. It is
// syscall.Recvmsg without what that allocates at each call.
type receiver struct {
	header  syscall.Msghdr
	vector  syscall.Iovec
	control [64]byte
}

func (r *receiver) receive(fd uintptr, room []byte) (n int, file *os.File, err error) {
	r.vector.Base = &room[0]
	r.vector.SetLen(len(room))
	r.header = syscall.Msghdr{Iov: &r.vector, Iovlen: 1, Control: &r.control[0]}
	r.header.SetControllen(len(r.control))
	for {
		got, _, errno := syscall.Syscall(syscall.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.header)), syscall.MSG_CMSG_CLOEXEC)
		if errno == syscall.EINTR {
			continue
		}
		if errno != 0 {
			return 0, nil, errno
		}
		n = int(got)
		break
	}
	if r.header.Controllen > 0 {
		file = r.file(r.control[:r.header.Controllen])
	}
	return n, file, nil
}

// file returns the one descriptor that came.
func (r *receiver) file(control []byte) (file *os.File) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return nil
	}
	for i := range messages {
		fds, err := syscall.ParseUnixRights(&messages[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			if file != nil {
				syscall.Close(fd)
				continue
			}
			file = os.NewFile(uintptr(fd), "file")
		}
	}
	return file
}

func wouldBlock(err error) bool { return errors.Is(err, syscall.EAGAIN) }

// isolate makes the process one of its own group, which a terminal's Ctrl-C
// does not reach, and the user's that is asked for.
func isolate(cmd *exec.Cmd, c *Config) error {
	// The kernel sends this when the thread that started the process ends,
	// which is why starter keeps one.
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.SysProcAttr = attr
	if c.User == "" && c.Group == "" {
		return nil
	}
	uid, gid, err := account.Find(c.User, c.Group)
	if err != nil {
		return err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}}
	return nil
}

const (
	signalKill = int(syscall.SIGKILL)
	signalDump = int(syscall.SIGUSR2) // faulthandler of the worker is registered for it
)

// signalGroup sends a signal to a worker that leads a group.
func signalGroup(pid, sig int) {
	if sig == signalKill {
		syscall.Kill(-pid, syscall.Signal(sig))
		return
	}
	syscall.Kill(pid, syscall.Signal(sig))
}

// residentMemory returns the bytes of memory that a process has.
func residentMemory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, resident, shared int64
	if _, err := fmt.Sscan(string(text), &size, &resident, &shared); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// passDescriptors sends data, and the descriptors of files with it.
func passDescriptors(fd uintptr, data []byte, files []*os.File) error {
	fds := make([]int, len(files))
	for i, f := range files {
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		if err := raw.Control(func(fd uintptr) { fds[i] = int(fd) }); err != nil {
			return err
		}
	}
	return syscall.Sendmsg(int(fd), data, syscall.UnixRights(fds...), nil, 0)
}

// tryWrite writes to a pipe if that is possible at once.
func tryWrite(f *os.File, data []byte) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var wrote error
	err = raw.Write(func(fd uintptr) bool {
		_, wrote = syscall.Write(int(fd), data)
		return true
	})
	return errors.Join(err, wrote)
}

// readPipe reads once.
func readPipe(fd uintptr, b []byte) (n int, err error) {
	for {
		if n, err = syscall.Read(int(fd), b); err != syscall.EINTR {
			return n, err
		}
	}
}

// pipeEmpty reports whether nothing is in a pipe.
func pipeEmpty(f *os.File) bool {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	n, failed := int32(0), false
	err = raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCINQ, uintptr(unsafe.Pointer(&n)))
		failed = errno != 0
	})
	return err == nil && !failed && n == 0
}
