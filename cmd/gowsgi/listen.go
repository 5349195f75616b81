package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/server"
)

// listeners opens the addresses of --listen, or else takes the sockets that the
// process was given, or else listens on the default address.
func (c *config) listeners() (listeners []listener, err error) {
	addresses := c.listen
	c.succession.addresses = c.addressList()
	passed, err := c.succession.passed(c.adminAddress.spec != "")
	if err != nil || len(passed) > 0 {
		for i, l := range passed {
			scheme := "http"
			if len(addresses) > 0 {
				scheme = addresses[i].scheme
				adopt(addresses[i], l)
			}
			listeners = append(listeners, listener{l, scheme})
		}
		return listeners, err
	}
	if len(addresses) == 0 {
		inherited, err := server.Inherited()
		for _, l := range inherited {
			listeners = append(listeners, listener{l, "http"})
		}
		if err != nil || len(listeners) > 0 {
			return listeners, err
		}
		addresses = []address{c.defaultAddress}
	}
	for _, a := range addresses {
		l, err := a.open()
		if err == nil {
			listeners = append(listeners, listener{l, a.scheme})
			err = c.giveAway(a)
		}
		if err != nil {
			closeAll(listeners)
			return nil, err
		}
	}
	return listeners, nil
}

// listener is where one protocol is spoken.
type listener struct {
	net.Listener
	scheme string // http, fcgi, scgi or uwsgi
}

// open listens on the address, or takes the descriptor that it names.
func (a address) open() (net.Listener, error) {
	number, ok := strings.CutPrefix(a.spec, "fd:")
	switch {
	case !ok:
		l, err := server.Listen(a.spec)
		return l, listenError(err)
	case number == "0" && a.scheme == "fcgi":
		return fastcgi.Inherited()
	}
	fd, err := strconv.Atoi(number)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(fd), a.spec)
	defer file.Close()
	l, err := net.FileListener(file) // a duplicate, closed on exec
	if err != nil {
		return nil, fmt.Errorf("descriptor %d is not a listening socket: %w", fd, err)
	}
	return l, nil
}

func closeAll(listeners []listener) {
	for _, l := range listeners {
		l.Close()
	}
}
