package frontend

import (
	"errors"
	"fmt"
	"net"
)

// FrontEnd accepts HTTP/1.x on loopback and passes each request on to one
// server in the protocol that it speaks.
type FrontEnd struct {
	listener net.Listener
}

// Listen starts a front end for the server at (network, addr), as for
// net.Dial, that speaks protocol: "h2c", "fastcgi", "scgi", "uwsgi" or "cgi".
// For "cgi" network is "exec" and addr the path of the program.
func Listen(protocol, network, addr string) (*FrontEnd, error) {
	return nil, fmt.Errorf("frontend: %w: protocol %q", errors.ErrUnsupported, protocol)
}

// Addr returns the address that the front end listens on.
func (f *FrontEnd) Addr() net.Addr { return f.listener.Addr() }

// Close stops listening, ends every connection and waits for them.
func (f *FrontEnd) Close() error { return f.listener.Close() }
