package frontend

import (
	"fmt"
	"net"
	"sync"
)

// Config says what a front end speaks, and to whom.
type Config struct {
	// Protocol is "h2c", "fastcgi", "scgi", "uwsgi" or "cgi".
	Protocol string

	// Network and Addr are where the server under test listens, as for
	// net.Dial. For "cgi" they are "exec" and the path of the program.
	Network, Addr string

	// KeepConn makes FastCGI requests of one client's connection use one
	// connection to the server, one after the other, by FCGI_KEEP_CONN.
	KeepConn bool
}

// FrontEnd accepts HTTP/1.x on loopback and passes each request on to one
// server in the protocol that it speaks.
type FrontEnd struct {
	listener net.Listener
	connect  connector
	wg       sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	closed bool
}

// Listen starts a front end for the server at (network, addr) that speaks
// protocol: see [Config].
func Listen(protocol, network, addr string) (*FrontEnd, error) {
	return Config{Protocol: protocol, Network: network, Addr: addr}.Listen()
}

// Listen starts a front end. It does not look for the server before it has a
// request for it.
func (c Config) Listen() (*FrontEnd, error) {
	connect, err := c.connector()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &FrontEnd{listener: l, connect: connect, conns: make(map[net.Conn]struct{})}
	f.wg.Go(f.accept)
	return f, nil
}

// connector returns how a client's connection gets at the server.
func (c Config) connector() (connector, error) {
	if exec := c.Protocol == "cgi"; exec != (c.Network == "exec") {
		return nil, fmt.Errorf("frontend: network is %q for protocol %q, expected exec for cgi and for no other", c.Network, c.Protocol)
	}
	switch c.Protocol {
	case "fastcgi":
		return c.fastCGI, nil
	case "scgi":
		return c.scgi, nil
	case "uwsgi":
		return c.uwsgi, nil
	case "cgi":
		return c.cgi, nil
	case "h2c":
		return c.h2c, nil
	}
	return nil, fmt.Errorf("frontend: protocol is %q, expected h2c, fastcgi, scgi, uwsgi or cgi", c.Protocol)
}

// Addr returns the address that the front end listens on.
func (f *FrontEnd) Addr() net.Addr { return f.listener.Addr() }

// Close stops listening, ends every connection and waits for them.
func (f *FrontEnd) Close() error {
	f.mu.Lock()
	f.closed = true
	for c := range f.conns {
		c.Close()
	}
	f.mu.Unlock()
	err := f.listener.Close()
	f.wg.Wait()
	return err
}

func (f *FrontEnd) accept() {
	for {
		nc, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		if f.closed {
			nc.Close()
		} else {
			f.conns[nc] = struct{}{}
			f.wg.Go(func() { f.serve(nc) })
		}
		f.mu.Unlock()
	}
}

func (f *FrontEnd) serve(nc net.Conn) {
	server := f.connect()
	c := newClient(nc)
	defer func() {
		server.close()
		f.mu.Lock()
		delete(f.conns, nc)
		f.mu.Unlock()
		nc.Close()
	}()
	for c.next(server) {
	}
}

// A connector makes the server side of one client's connection.
type connector func() link

// link is the way from one client's connection to the server under test.
type link interface {
	// begin sends the head of a request. An error means that the server cannot
	// be reached, or that the request has no form in the protocol.
	begin(r *request) (exchange, error)

	// close ends what the link keeps between requests.
	close()
}

// exchange is one request at the server. begin's caller reads, and one other
// goroutine may send at the same time; abort may be called by a third.
type exchange interface {
	// send passes on a part of the request body.
	send(block []byte) error

	// sent marks the end of the request body. With whole == false the client
	// has not sent all that it promised.
	sent(whole bool) error

	// head reads the head of the response.
	head() (*head, error)

	// read reads the response body. It returns io.EOF only where the server
	// has ended the response in the way that the protocol has for it.
	read(p []byte) (int, error)

	// abort ends the exchange in the middle: the client has gone.
	abort()

	// close ends the exchange, when nothing else uses it.
	close()
}
