package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/gowsgi/gowsgi/internal/account"
)

// address is an ADDR that was understood.
type address struct {
	spec   string // as server.Listen takes it, or fd:N
	scheme string // of the protocol: http, fcgi, scgi or uwsgi
}

// parseAddress reads HOST:PORT, :PORT, unix:PATH or fd:N, optionally behind
// the scheme of a protocol.
func parseAddress(s string) (address, error) {
	spec, protocol := s, "http"
	if scheme, rest, ok := strings.Cut(s, "://"); ok {
		switch scheme {
		case "http", "fcgi", "scgi", "uwsgi":
			spec, protocol = strings.TrimSuffix(rest, "/"), scheme
		case "https":
			return address{}, errors.New("expected http://: it is --tls-cert and --tls-key that make it https")
		default:
			return address{}, fmt.Errorf("but %s:// is unknown, expected HOST:PORT or unix:PATH, optionally behind http://, fcgi://, scgi:// or uwsgi://", scheme)
		}
	}
	if path, ok := strings.CutPrefix(spec, "unix:"); ok {
		if path == "" {
			return address{}, errors.New("expected a path after unix:")
		}
		return address{spec, protocol}, nil
	}
	if number, ok := strings.CutPrefix(spec, "fd:"); ok {
		if _, err := strconv.ParseUint(number, 10, 16); err != nil {
			return address{}, errors.New("expected the number of a descriptor after fd:")
		}
		return address{spec, protocol}, nil
	}
	host, port, err := net.SplitHostPort(spec)
	if err != nil || strings.ContainsAny(host, "/ ") {
		return address{}, errors.New("expected HOST:PORT, :PORT or unix:PATH")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || port != strconv.FormatUint(n, 10) {
		return address{}, errors.New("expected a port from 0 to 65535")
	}
	return address{spec, protocol}, nil
}

// giveAway makes a Unix socket that of --user and --group, as gunicorn does: it is
// for a web server that has the group in common with them.
func (c *config) giveAway(a address) error {
	path, isUnix := strings.CutPrefix(a.spec, "unix:")
	if !isUnix || c.python.user == "" && c.python.group == "" {
		return nil
	}
	uid, gid, err := account.Find(c.python.user, c.python.group)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

// listenError puts what the system says of an address into words without the
// names of system calls, and says what to do about it where that is known.
func listenError(err error) error {
	var op *net.OpError
	var call *os.SyscallError
	if !errors.As(err, &op) || op.Addr == nil || !errors.As(err, &call) {
		return err
	}
	advice := ""
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		advice = "; stop what listens there, or choose another address by --listen"
	case errors.Is(err, fs.ErrPermission) && op.Net == "tcp":
		advice = "; a port below 1024 takes privileges, or a socket from systemd"
	}
	return fmt.Errorf("%s %s %s: %w%s", op.Op, op.Net, op.Addr, call.Err, advice)
}

// openURL is where a person finds what listens on addr.
func openURL(addr net.Addr, scheme, scriptName string) string {
	if addr.Network() == "unix" {
		return "unix:" + addr.String()
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost" // every interface: this one works from here
	}
	return scheme + "://" + net.JoinHostPort(host, port) + scriptName + "/"
}
