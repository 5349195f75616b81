package frontend

import (
	"net"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/duplex"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/internal/uwsgi"
)

// streamLink speaks SCGI or uwsgi: one connection for a request, which ends
// the response.
type streamLink struct {
	config   Config
	form     cgi.Form
	noLength string
	encode   func(b []byte, pairs func(yield func(name, value string) bool)) ([]byte, error)
}

func (c Config) scgi() link  { return &streamLink{c, cgi.Status, "0", scgi.Append} }
func (c Config) uwsgi() link { return &streamLink{c, cgi.HTTP, "", uwsgi.Append} }

func (l *streamLink) close() {}

func (l *streamLink) begin(r *request) (exchange, error) {
	b, err := l.encode(nil, r.variables(l.noLength))
	if err != nil {
		return nil, err
	}
	nc, err := net.Dial(l.config.Network, l.config.Addr)
	if err != nil {
		return nil, err
	}
	if _, err := nc.Write(b); err != nil {
		nc.Close()
		return nil, err
	}
	x := &streamExchange{conn: nc, both: duplex.Conn{Stream: nc}, form: l.form}
	x.in = &x.both
	return x, nil
}

type streamExchange struct {
	conn net.Conn
	both duplex.Conn // conn, for reading the response beside sending the body
	afterHead
	form cgi.Form
}

func (x *streamExchange) send(block []byte) error {
	_, err := x.both.Write(block)
	return err
}

// sent half-closes the connection where the body is cut: an open one would
// promise the rest, and a closed one would not tell the answer.
func (x *streamExchange) sent(whole bool) error {
	if half, ok := x.conn.(interface{ CloseWrite() error }); ok && !whole {
		return half.CloseWrite()
	}
	return nil
}

func (x *streamExchange) head() (h *head, err error) {
	h, x.rest, err = readHead(&x.both, x.form)
	return h, err
}

func (x *streamExchange) abort() { x.conn.Close() }
func (x *streamExchange) close() { x.conn.Close() }
