package fastcgi

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
)

// Inherited returns the listening socket that the process was started with as
// descriptor 0: by spawn-fcgi, lighttpd's bin-path or Apache's mod_fcgid. When
// the variable FCGI_WEB_SERVER_ADDRS names addresses, only connections from
// those are accepted over TCP. The error says that descriptor 0 is no such
// socket; then the process was started in another way, as a CGI program, say.
//
// Sockets from systemd begin with descriptor 3: see server.Inherited.
//
// Source: FastCGI Specification 1.0, sections 2.2 and 3.2.
func Inherited() (net.Listener, error) {
	peers, err := parsePeers(os.Getenv("FCGI_WEB_SERVER_ADDRS"))
	if err != nil {
		return nil, fmt.Errorf("fastcgi: %w", err)
	}
	if isConnected(os.Stdin) { // as under CGI it may be
		return nil, errors.New("fastcgi: descriptor 0 is not a listening socket: it is a connection")
	}
	l, err := net.FileListener(os.Stdin) // a duplicate, closed on exec
	if err != nil {
		return nil, fmt.Errorf("fastcgi: descriptor 0 is not a listening socket: %w", err)
	}
	if len(peers) > 0 {
		return &peersOnly{l, peers}, nil
	}
	return l, nil
}

func parsePeers(list string) (peers map[netip.Addr]bool, err error) {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		addr, err := netip.ParseAddr(item)
		if err != nil {
			return nil, fmt.Errorf("FCGI_WEB_SERVER_ADDRS is %q, expected addresses separated by commas", list)
		}
		if peers == nil {
			peers = make(map[netip.Addr]bool)
		}
		peers[addr.Unmap()] = true
	}
	return peers, nil
}

// peersOnly accepts connections from some addresses only.
type peersOnly struct {
	net.Listener
	peers map[netip.Addr]bool
}

func (l *peersOnly) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from, ok := c.RemoteAddr().(*net.TCPAddr)
		if !ok || l.peers[from.AddrPort().Addr().Unmap().WithZone("")] {
			return c, nil
		}
		c.Close()
	}
}
