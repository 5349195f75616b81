package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gowsgi/gowsgi/server"
)

// upgradeKey is the variable by which a process knows that another has started it to
// take its place: the number of listening sockets, which are its descriptors from 3
// on, and behind a space the addresses that the options of the other named. The next
// descriptor is a pipe, to say that it serves.
const upgradeKey = "GOWSGI_UPGRADE"

// succession is how one process takes the place of another.
type succession struct {
	predecessor *os.File                // whose place is to be taken; nil as a rule
	admin       net.Listener            // the socket of --admin, of the predecessor
	listening   []net.Listener          // all sockets; that of --admin is the last
	addresses   string                  // that the options name
	tookOver    chan struct{}           // closed when this process has the place of its predecessor
	yields      []*yielding             // the same as listening
	endAdmin    func()                  // ends the connections to --admin; nil for none
	retire      context.CancelCauseFunc // stops, as a signal does
	stopping    context.Context         // ends when this process is told to stop
	upgrading   atomic.Bool
}

// upgrade starts this program anew, maybe in another version, with the sockets that
// are listened on, and has this process end when the new one serves. gunicorn does so
// at the same signal, but that the old process is left to be ended.
func (n *succession) upgrade(s *server.Server) {
	if !n.upgrading.CompareAndSwap(false, true) {
		s.Logger.Warn("a new process has been started already")
		return
	}
	failed := func(err error) {
		n.upgrading.Store(false)
		if n.stopping.Err() != nil {
			return // and so does this one
		}
		s.Logger.Error("the new process does not serve; this one goes on", "error", err.Error())
	}
	successor, serves, err := startSuccessor(n.listening, n.addresses)
	if err != nil {
		failed(err)
		return
	}
	s.Logger.Info("new process started", "pid", successor.Pid)
	go func() {
		defer serves.Close()
		// Who stops this process before the other serves means both: nobody knows of
		// the other yet, and a Unix socket goes with this one.
		wanted := context.AfterFunc(n.stopping, func() { successor.Signal(syscall.SIGTERM) })
		defer wanted()
		if _, err := io.ReadFull(serves, make([]byte, 1)); err != nil {
			state, err := successor.Wait()
			if err == nil {
				err = errors.New(state.String())
			}
			failed(err)
			return
		}
		for _, l := range n.listening {
			if l, ok := l.(*net.UnixListener); ok {
				l.SetUnlinkOnClose(false) // the socket is the other's now
			}
		}
		wanted()
		n.handOver()
		n.retire(fmt.Errorf("process %d has taken over", successor.Pid))
	}()
}

// settling is how long a process that was succeeded serves as before, but accepts
// nothing: who has connected to it a moment ago, and is still to ask, would be cut off
// by a server that stops.
const settling = time.Second

// handOver leaves the sockets to the successor.
func (n *succession) handOver() {
	for _, l := range n.yields {
		l.yield()
	}
	select {
	case <-time.After(settling):
	case <-n.stopping.Done():
	}
	if n.endAdmin != nil {
		n.endAdmin()
	}
}

// add has l passed to the next process, and returns what is to be served.
func (n *succession) add(l net.Listener) net.Listener {
	y := newYielding(l)
	n.listening, n.yields = append(n.listening, l), append(n.yields, y)
	return y
}

// adopt has l remove the socket in the end, where the option is for one that serve
// makes: one of systemd's is not to be removed.
func adopt(a address, l net.Listener) {
	if l, ok := l.(*net.UnixListener); ok && strings.HasPrefix(a.spec, "unix:") {
		l.SetUnlinkOnClose(true)
	}
}

// takeOver tells the process whose place this one takes, if there is one, that it may
// end.
func (n *succession) takeOver() {
	if n.predecessor != nil {
		n.predecessor.Write([]byte{1})
		n.predecessor.Close()
		close(n.tookOver)
	}
}

// passed are the sockets of the process whose place this one is to take, but for that
// of --admin; none where there is no such process. The options of this one may be
// others, in a file: what they name must be what the sockets are, or one would be
// served as another.
func (n *succession) passed(withAdmin bool) (sockets []net.Listener, err error) {
	var before string
	sockets, before, n.predecessor, err = passedSockets()
	if err != nil || len(sockets) == 0 {
		return nil, err
	}
	if before != n.addresses {
		return nil, fmt.Errorf("the process before listens on %q, and the options name %q: that takes a restart", before, n.addresses)
	}
	if withAdmin {
		last := len(sockets) - 1
		sockets, n.admin = sockets[:last], sockets[last]
	}
	return sockets, nil
}

// addressList is what the options name: the addresses of --listen, and that of --admin.
func (c *config) addressList() string {
	var list []string
	for _, a := range c.listen {
		list = append(list, a.scheme+"://"+a.spec)
	}
	if c.adminAddress.spec != "" {
		list = append(list, "--admin="+c.adminAddress.spec)
	}
	return strings.Join(list, " ")
}

// withoutUpgrade is the environment of this process for the next one.
func withoutUpgrade() (env []string) {
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, upgradeKey+"=") {
			env = append(env, pair)
		}
	}
	return env
}
