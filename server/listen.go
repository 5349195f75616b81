package server

import (
	"net"

	"github.com/gowsgi/gowsgi/internal/lifecycle"
)

// Listen listens on addr, "host:port" or "unix:path". A socket file that
// nobody answers on is left over from a process that died, and is replaced;
// one that is in use, or a file of another kind, is an error.
func Listen(addr string) (net.Listener, error) { return lifecycle.Listen(addr) }

// Inherited returns the listening sockets that the process was started with,
// by the protocol of systemd's socket units: LISTEN_PID names this process and
// LISTEN_FDS counts the descriptors from 3 on. There are none when the
// variables are absent or name another process. The variables are removed, so
// that neither a child nor a second call takes them for its own.
func Inherited() ([]net.Listener, error) { return lifecycle.Inherited() }
