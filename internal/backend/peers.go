package backend

import (
	"net"
	"net/netip"
	"slices"
)

// admits reports whether a connection from addr is taken. Those of a Unix
// socket have passed the permissions of its file.
func (s *Server) admits(addr net.Addr) bool {
	from, ok := addr.(*net.TCPAddr)
	if len(s.Peers) == 0 || !ok {
		return true
	}
	ip := from.AddrPort().Addr().Unmap()
	return slices.ContainsFunc(s.Peers, func(p netip.Prefix) bool { return p.Contains(ip.WithZone("")) })
}
