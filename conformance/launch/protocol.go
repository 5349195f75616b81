package launch

import (
	"context"
	"net"

	"github.com/gowsgi/gowsgi/conformance/frontend"
)

// asker returns how to ask a server that speaks the given protocol.
func asker(protocol string) ask {
	if protocol == "" || protocol == "http" {
		return askHTTP
	}
	return func(ctx context.Context, at place, q question) (answer, error) {
		// The front end would answer for a server that does not listen yet.
		var d net.Dialer
		c, err := d.DialContext(ctx, at.network, at.addr())
		if err != nil {
			return answer{}, err
		}
		c.Close()
		front, err := frontend.Listen(protocol, at.network, at.addr())
		if err != nil {
			return answer{}, err
		}
		defer front.Close()
		addr := front.Addr().(*net.TCPAddr)
		return askHTTP(ctx, place{network: "tcp", host: addr.IP.String(), port: addr.Port}, q)
	}
}
