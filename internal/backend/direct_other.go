//go:build !unix

package backend

import "net"

// newDirect returns nil: here nothing can be done without waiting.
func newDirect(net.Conn) direct { return nil }
