package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// listener makes every connection a conn.
type listener struct {
	net.Listener
	server *Server
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if _, ok := c.(*tls.Conn); ok {
		// The caller's own TLS. net/http shakes hands, and knows of TLS, only
		// when it gets the very type; else https would be taken for http.
		return c, nil
	}
	return newConn(c, l.server), nil
}

func newConn(c net.Conn, s *Server) *conn {
	return &conn{Conn: c, server: s, timeout: s.writeTimeout()}
}

// conn is a connection that bounds how long each write may take, looks at
// request heads before net/http does, and notices when net/http refuses one.
type conn struct {
	net.Conn
	server   *Server
	timeout  time.Duration // for each piece of a response; 0 for none
	deadline atomic.Int64  // of writing, in Unix nanoseconds
	fixed    atomic.Bool   // deadline is the application's wish
	guard    guard
	reading  reading
	handled  atomic.Bool // the request that was read last reached the handler
	stopped  atomic.Bool // nothing more is read
	late     atomic.Bool // nothing more is written: a head did not come in time
	spoken   atomic.Bool // it has left the set of silent connections
	hushed   atomic.Bool // the same, where nothing was read so far
}

// unwrapConn returns the conn below c, nil when there is none.
func unwrapConn(c net.Conn) *conn {
	switch c := c.(type) {
	case *conn:
		return c
	case tlsConn:
		return c.conn
	case *tls.Conn:
		return unwrapConn(c.NetConn())
	}
	return nil
}

func (c *conn) Read(p []byte) (int, error) {
	if c.stopped.Load() || c.hushed.Load() {
		return 0, io.EOF
	}
	// One byte, where a request would begin, is what net/http asks for to learn
	// that a client has left.
	if len(p) == 1 && c.guard.between() && !c.reading.lurk() {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := c.reading.read(c.Conn, p)
	c.guard.scan(p[:n])
	if n == 0 && err != nil && c.guard.within() && errors.Is(err, os.ErrDeadlineExceeded) {
		c.refuseLate()
	}
	return n, err
}

func (c *conn) Write(p []byte) (written int, err error) {
	if c.late.Load() {
		return 0, errStopped
	}
	if !c.handled.Load() && len(p) > 9 && (p[9] == '4' || p[9] == '5') && string(p[:9]) == "HTTP/1.1 " {
		c.refused(p)
	}
	for {
		var n int
		if len(p) > piece {
			n = pour(c.Conn, p[:min(len(p), filePiece)])
		}
		if n == 0 {
			c.arm()
			n, err = c.Conn.Write(p[:min(len(p), piece)])
		}
		written += n
		if p = p[n:]; err == nil && len(p) == 0 && c.stopped.Load() {
			// All is written. But net/http asks whether a write has failed
			// before it looks, even into its own buffer, for another request.
			return written, errStopped
		}
		if err != nil || len(p) == 0 {
			return written, err
		}
	}
}

// filePiece is how much of a file is given to the operating system at once.
// It bounds a client as piece does, at eight times the pace: each piece is a
// round trip through the poller.
const filePiece = 8 * piece

// ReadFrom makes sendfile and splice reachable for net/http.
func (c *conn) ReadFrom(r io.Reader) (n int64, err error) {
	rf, ok := c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(struct{ io.Writer }{c}, r)
	}
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		limited = &io.LimitedReader{R: r, N: 1<<63 - 1}
	}
	for limited.N > 0 {
		c.arm()
		part := &io.LimitedReader{R: limited.R, N: min(limited.N, filePiece)}
		want := part.N
		k, err := rf.ReadFrom(part)
		n += k
		limited.N -= k
		if err != nil || k < want {
			return n, err
		}
	}
	return n, nil
}

// arm sees to it that at least timeout is left for the next write. It renews
// the deadline only when less is left: setting one costs more than a small
// response should.
func (c *conn) arm() {
	if c.timeout == 0 || c.fixed.Load() {
		return
	}
	now := time.Now()
	if time.Duration(c.deadline.Load()-now.UnixNano()) < c.timeout {
		until := now.Add(2 * c.timeout)
		c.deadline.Store(until.UnixNano())
		c.Conn.SetWriteDeadline(until)
	}
}

// SetWriteDeadline puts t in the place of the deadline that arm would set,
// until it is called with the zero time, which net/http does after every
// request. Then the deadline in force may stay: no write relies on it.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.fixed.Store(!t.IsZero())
	if t.IsZero() && c.timeout > 0 {
		return nil
	}
	c.deadline.Store(0)
	return c.Conn.SetWriteDeadline(t)
}

// SetReadDeadline bounds the reads that are under way, and those to come.
func (c *conn) SetReadDeadline(t time.Time) error { return c.reading.setDeadline(c.Conn, t) }

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// CloseWrite lets net/http close its half first, so that a client that is
// still sending can read why it was refused.
func (c *conn) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}

var errStopped = errors.New("the connection is not used again")

// stop ends the use of the connection after this response, so that nothing of
// what the client sent or still sends is taken for a request.
func (c *conn) stop() { c.stopped.Store(true) }

// hush ends a Read, and every further one. The deadline alone would not do:
// net/http sets its own when it begins to read, which may be later.
func (c *conn) hush() {
	c.hushed.Store(true)
	c.SetReadDeadline(time.Now())
}

// Close closes the connection. To close one on which the client is still
// sending would reset it, and the client could lose the response; so that it
// gets a moment to read it.
func (c *conn) Close() error {
	c.reading.close()
	if c.stopped.Load() && c.CloseWrite() == nil {
		c.Conn.SetReadDeadline(time.Now().Add(lingering))
		io.Copy(io.Discard, c.Conn)
	}
	return c.Conn.Close()
}

const lingering = 500 * time.Millisecond

// SetLinger makes Close reset the connection, where it is TCP.
func (c *conn) SetLinger(seconds int) error {
	if l, ok := c.Conn.(interface{ SetLinger(int) error }); ok {
		return l.SetLinger(seconds)
	}
	return nil
}

// connState follows a connection through net/http, which answers a head that
// it cannot accept by itself and says nothing of it. It is told once of the
// beginning of each connection, and once of its end, or that it is taken over.
func (s *Server) connState(nc net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.open.Add(-1)
	}
	c := unwrapConn(nc)
	if c == nil {
		return
	}
	switch state {
	case http.StateNew:
		c.server.silent.add(c)
		return
	case http.StateIdle:
		// The response is written, and the next request is yet to come. That
		// one may be refused without a StateActive before.
		c.handled.Store(false)
		return
	}
	if !c.spoken.Load() { // once: the set is everybody's, and this is each request
		c.spoken.Store(true)
		c.server.silent.remove(c)
	}
}

const lateAnswer = "HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 20\r\nConnection: close\r\n\r\n408 Request Timeout\n"

// refuseLate answers a client that has begun a head and does not go on. net/http
// closes the connection without a word to anybody, or takes what it has of a line
// for the whole of it.
func (c *conn) refuseLate() {
	c.guard.reason = "the head did not come in time"
	c.stop()
	c.Write([]byte(lateAnswer)) // what fails, fails for a client that is as good as gone
	c.late.Store(true)
}

// refusals are the reasons of net/http, by the status that it answers with.
var refusals = map[string]string{
	"417": "an expectation other than 100-continue",
	"431": "the head is larger than MaxHeaderBytes",
	"501": "a transfer coding other than chunked",
	"505": "a version of HTTP that is not spoken",
}

// refused logs a request that net/http answered before any handler saw it.
func (c *conn) refused(answer []byte) {
	c.handled.Store(true)
	status, _, _ := bytes.Cut(bytes.TrimPrefix(answer, []byte("HTTP/1.1 ")), []byte("\r\n"))
	reason := c.guard.reason
	if reason == "" {
		reason = cmp.Or(refusals[string(status[:min(3, len(status))])], "malformed request")
	}
	c.server.logger().LogAttrs(context.Background(), slog.LevelWarn, "request refused",
		slog.String("status", string(status)), slog.String("reason", reason),
		slog.String("remote", c.RemoteAddr().String()))
}
