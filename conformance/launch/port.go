package launch

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

const loopback = "127.0.0.1"

// Ports are taken from below those that Linux, macOS and Windows give out by
// themselves. A port of theirs could be given to somebody between the choice
// and the start of the command. Worse, a client that waits for a server on such
// a port is now and then given the very port as its own: then it is connected
// to itself, and the server finds its address in use.
const firstPort, lastPort = 20000, 32000

// handedOut are ports for commands of this process.
var handedOut struct {
	sync.Mutex
	ports map[int]bool
}

// freePort returns a port on which nobody listens, and which no other caller
// has until it is released.
func freePort() (port int, release func(), err error) {
	handedOut.Lock()
	defer handedOut.Unlock()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort)
		if handedOut.ports[port] || !bindable(port) {
			continue
		}
		if handedOut.ports == nil {
			handedOut.ports = make(map[int]bool)
		}
		handedOut.ports[port] = true
		return port, func() {
			handedOut.Lock()
			defer handedOut.Unlock()
			delete(handedOut.ports, port)
		}, nil
	}
	return 0, nil, fmt.Errorf("expected a free port from %d to %d on %s, found none", firstPort, lastPort, loopback)
}

// bindable reports whether a server could listen on port.
func bindable(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
