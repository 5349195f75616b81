package backend

import (
	"net"
	"net/netip"
	"testing"
)

func TestAdmits(t *testing.T) {
	for _, tt := range []struct {
		name, peers string
		from        net.Addr
		want        bool
	}{
		{"among them", "10.0.0.0/8", &net.TCPAddr{IP: net.IP{10, 1, 2, 3}}, true},
		{"not among them", "10.0.0.0/8", &net.TCPAddr{IP: net.IP{11, 1, 2, 3}}, false},
		{"of IPv4, at a socket of both", "10.0.0.0/8", &net.TCPAddr{IP: net.ParseIP("10.1.2.3").To16()}, true},
		{"of IPv6", "2001:db8::/32", &net.TCPAddr{IP: net.ParseIP("2001:db8::1")}, true},
		{"of IPv6, on a link", "fe80::/10", &net.TCPAddr{IP: net.ParseIP("fe80::1"), Zone: "eth0"}, true},
		{"a Unix socket", "10.0.0.0/8", &net.UnixAddr{Name: "@", Net: "unix"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &Server{Options: Options{Peers: []netip.Prefix{netip.MustParsePrefix(tt.peers)}}}
			if got := s.admits(tt.from); got != tt.want {
				t.Errorf("with the peers %s %v is admitted: %t, expected %t", tt.peers, tt.from, got, tt.want)
			}
		})
	}
}
