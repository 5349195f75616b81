package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
)

// tlsListener shakes hands before it hands over, because the protocol decides
// what net/http must get: for HTTP/2 the tls.Conn itself, and for HTTP/1 a conn
// that reads in clear, so that the guard is on whether there is TLS or not.
type tlsListener struct {
	net.Listener
	server *Server
	config *tls.Config
	ready  chan net.Conn
	ctx    context.Context // ends with the listener
	close  context.CancelFunc
	once   sync.Once
	failed chan error // of Accept
}

func newTLSListener(l net.Listener, s *Server) *tlsListener {
	config := s.TLSConfig.Clone()
	if len(config.NextProtos) == 0 {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	t := &tlsListener{Listener: l, server: s, config: config, ready: make(chan net.Conn), failed: make(chan error)}
	t.ctx, t.close = context.WithCancel(context.Background())
	return t
}

// Accept returns the next connection that has shaken hands.
func (t *tlsListener) Accept() (net.Conn, error) {
	t.once.Do(func() { go t.accept() })
	select {
	case c := <-t.ready:
		return c, nil
	case err := <-t.failed:
		return nil, err
	case <-t.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (t *tlsListener) accept() {
	for {
		c, err := t.Listener.Accept()
		if err != nil {
			// net/http decides: it waits a little and asks again, or gives up
			// and closes the listener.
			select {
			case t.failed <- err:
				continue
			case <-t.ctx.Done():
				return
			}
		}
		go t.shake(c)
	}
}

// shake hands c over, or closes it.
func (t *tlsListener) shake(raw net.Conn) {
	under := newConn(raw, t.server)
	under.guard.off = true // it sees what is encrypted
	ctx, cancel := t.ctx, context.CancelFunc(func() {})
	if timeout := limit(t.server.ReadHeaderTimeout, defaultReadHeaderTimeout); timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, timeout)
	}
	defer cancel()
	secure := tls.Server(under, t.config)
	if err := secure.HandshakeContext(ctx); err != nil {
		t.refuse(raw, err)
		return
	}
	var c net.Conn = secure
	if secure.ConnectionState().NegotiatedProtocol != "h2" {
		over := newConn(secure, t.server)
		over.timeout = 0 // the conn below sees to it
		c = tlsConn{over, secure}
	}
	select {
	case t.ready <- c:
	case <-t.ctx.Done():
		c.Close()
	}
}

func (t *tlsListener) refuse(raw net.Conn, err error) {
	defer raw.Close()
	if t.ctx.Err() != nil {
		return
	}
	reason := "TLS handshake failed"
	if record := (tls.RecordHeaderError{}); errors.As(err, &record) && record.Conn != nil && looksLikeHTTP(record.RecordHeader) {
		reason = "HTTP on a TLS port"
		io.WriteString(record.Conn, "HTTP/1.0 400 Bad Request\r\nConnection: close\r\n\r\nThis port speaks TLS.\n")
	}
	t.server.logger().LogAttrs(t.ctx, slog.LevelWarn, "request refused",
		slog.String("reason", reason), slog.Any("error", err), slog.String("remote", raw.RemoteAddr().String()))
}

func looksLikeHTTP(header [5]byte) bool {
	switch string(header[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO":
		return true
	}
	return false
}

// Close closes the listener and gives up on handshakes that are under way.
func (t *tlsListener) Close() error {
	t.close()
	return t.Listener.Close()
}

// tlsConn is a conn over TLS. net/http asks it for the state.
type tlsConn struct {
	*conn
	secure *tls.Conn
}

// ConnectionState returns the state of the finished handshake.
func (c tlsConn) ConnectionState() tls.ConnectionState { return c.secure.ConnectionState() }

// NetConn returns the connection below TLS.
func (c tlsConn) NetConn() net.Conn { return c.secure.NetConn() }
