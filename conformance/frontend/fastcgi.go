package frontend

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
)

const requestID = 1 // as all web servers have it

// fastCGILink speaks FastCGI as a client of one request at a time.
type fastCGILink struct {
	config Config
	kept   *fastCGIConn // ready for another request; nil when there is none
}

func (c Config) fastCGI() link { return &fastCGILink{config: c} }

func (l *fastCGILink) close() {
	if l.kept != nil {
		l.kept.Close()
	}
}

// fastCGIConn is a connection to the server.
type fastCGIConn struct {
	net.Conn
	in *bufio.Reader
}

func (l *fastCGILink) begin(r *request) (exchange, error) {
	flags := uint8(0)
	if l.config.KeepConn {
		flags = fcgi.KeepConn
	}
	b := fcgi.AppendBegin(nil, requestID, fcgi.Responder, flags)
	b, err := fcgi.AppendParams(b, requestID, r.variables(""))
	if err != nil {
		return nil, err
	}
	b = fcgi.AppendStreamEnd(b, fcgi.Params, requestID)
	if r.length == 0 {
		b = fcgi.AppendStreamEnd(b, fcgi.Stdin, requestID)
	}
	c := l.kept
	l.kept = nil
	if c == nil {
		nc, err := net.Dial(l.config.Network, l.config.Addr)
		if err != nil {
			return nil, err
		}
		c = &fastCGIConn{nc, bufio.NewReaderSize(nc, 64<<10)}
	}
	x := &fastCGIExchange{link: l, c: c, inSent: r.length == 0}
	if _, err := c.Write(b); err != nil {
		c.Close()
		return nil, err
	}
	return x, nil
}

// fastCGIExchange is one request. As an io.Reader it is its STDOUT stream.
type fastCGIExchange struct {
	afterHead
	link *fastCGILink
	c    *fastCGIConn

	mu     sync.Mutex // around writing
	inSent bool       // the STDIN stream has ended

	// Only the reader uses these.
	content, padding      int  // bytes of the present record, of STDOUT, that follow
	outEnded, errorsEnded bool // the stream has ended
	errorsBegun           bool
	ended                 bool // END_REQUEST came
}

func (x *fastCGIExchange) send(block []byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, err := x.c.Write(fcgi.AppendStream(nil, fcgi.Stdin, requestID, block))
	return err
}

// sent ends the STDIN stream. Where the client has cut the body the request is
// aborted, and the answer read all the same.
func (x *fastCGIExchange) sent(whole bool) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.inSent {
		return nil
	}
	x.inSent = true
	b := fcgi.AppendStreamEnd(nil, fcgi.Stdin, requestID)
	if !whole {
		b = fcgi.AppendAbort(nil, requestID)
	}
	_, err := x.c.Write(b)
	return err
}

func (x *fastCGIExchange) head() (h *head, err error) {
	x.in = x
	h, x.rest, err = readHead(x, cgi.Status)
	return h, err
}

// Read reads the STDOUT stream. Its end is the END_REQUEST record: a stream
// that ends before has been cut.
func (x *fastCGIExchange) Read(p []byte) (int, error) {
	for x.content == 0 {
		if x.ended {
			return 0, io.EOF
		}
		if err := x.record(); err != nil {
			return 0, err
		}
	}
	n, err := x.c.in.Read(p[:min(len(p), x.content)])
	x.content -= n
	if n > 0 {
		err = nil
	}
	return n, noEOF(err)
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// record reads up to the content of the next record of STDOUT, or the end.
func (x *fastCGIExchange) record() error {
	in := x.c.in
	if _, err := in.Discard(x.padding); err != nil {
		return noEOF(err)
	}
	x.padding = 0
	b, err := in.Peek(fcgi.HeaderLen)
	if err != nil {
		return noEOF(err)
	}
	h, err := fcgi.ParseHeader(b)
	if err != nil {
		return &malformedError{err}
	}
	in.Discard(fcgi.HeaderLen)
	if h.ID != requestID {
		return &malformedError{fmt.Errorf("record of type %d has the request id %d, expected %d", h.Type, h.ID, requestID)}
	}
	x.padding = int(h.Padding)
	switch h.Type {
	case fcgi.Stdout:
		if x.outEnded {
			return &malformedError{errors.New("a STDOUT record follows the end of the stream")}
		}
		x.content, x.outEnded = int(h.Length), h.Length == 0
	case fcgi.Stderr:
		if x.errorsEnded {
			return &malformedError{errors.New("a STDERR record follows the end of the stream")}
		}
		x.errorsBegun, x.errorsEnded = true, h.Length == 0
		_, err = in.Discard(int(h.Length))
	case fcgi.EndRequest:
		err = x.endRequest(h)
	default:
		return &malformedError{fmt.Errorf("record has type %d, expected STDOUT, STDERR or END_REQUEST", h.Type)}
	}
	return noEOF(err)
}

func (x *fastCGIExchange) endRequest(h fcgi.Header) error {
	b, err := x.c.in.Peek(int(h.Length))
	if err != nil {
		return err
	}
	_, status, err := fcgi.ParseEnd(b)
	if err != nil {
		return &malformedError{err}
	}
	x.c.in.Discard(int(h.Length))
	switch {
	case status != fcgi.RequestComplete:
		return &malformedError{fmt.Errorf("END_REQUEST has the protocol status %d, expected 0", status)}
	case !x.outEnded:
		return &malformedError{errors.New("END_REQUEST comes before the end of STDOUT")}
	case x.errorsBegun && !x.errorsEnded:
		return &malformedError{errors.New("END_REQUEST comes before the end of STDERR")}
	}
	x.ended = true
	return nil
}

// abort aborts the request in both ways that there are: the record, and the
// end of the connection.
func (x *fastCGIExchange) abort() {
	if x.mu.TryLock() { // a write in progress is cut by the end
		x.c.Write(fcgi.AppendAbort(nil, requestID))
		x.mu.Unlock()
	}
	x.c.Close()
}

func (x *fastCGIExchange) close() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.ended && x.inSent && x.link.config.KeepConn {
		if _, err := x.c.in.Discard(x.padding); err == nil {
			x.link.kept = x.c
			return
		}
	}
	x.c.Close()
}
