package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// wireConn is the client's end of a connection: it sends raw bytes and reads
// responses without the leniency of a real client, so that a fault in the
// framing is seen where it is and not three requests later.
type wireConn struct {
	net.Conn
	p    *probing
	r    *bufio.Reader
	wire *wire         // in the transcript
	last *wireResponse // that was read to its end, or to where it was cut
	wait time.Duration
}

// within bounds the reads that follow.
func (c *wireConn) within(wait time.Duration) {
	c.wait = wait
	c.SetReadDeadline(time.Now().Add(wait))
}

// Bounds of what is read of a server, which may send for ever.
const (
	maxWireHead = 64 << 10
	maxWireBody = 1 << 20

	maxWireChunks = 1 << 14
)

// Read keeps what came, and how it ended, in the transcript.
func (c *wireConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.says("received", b[:n])
	switch {
	case errors.Is(err, io.EOF):
		c.wire.remark("(the server closed the connection)")
	case isTimeout(err):
		c.wire.remark(fmt.Sprintf("(nothing more came within %v)", c.wait))
	case err != nil && !errors.Is(err, net.ErrClosed):
		c.wire.remark("(" + err.Error() + ")")
	}
	return n, err
}

// send writes raw bytes. An error is not a fault: a server may answer and
// close before it has read everything.
func (c *wireConn) send(raw string) *wireConn {
	c.SetWriteDeadline(time.Now().Add(c.p.patience))
	n, err := io.WriteString(c.Conn, raw)
	c.wire.says("sent", []byte(raw[:n]))
	if err != nil {
		c.wire.remark(fmt.Sprintf("(%d of %d bytes were written: %v)", n, len(raw), err))
	}
	return c
}

// receive reads one response to a request of the given method.
func (c *wireConn) receive(method string) (*wireResponse, error) {
	c.within(c.p.patience)
	r := new(wireResponse)
	for {
		if err := c.head(r); err != nil {
			return nil, err
		}
		if r.code >= 200 || r.code == 101 {
			break
		}
		if r.interim = append(r.interim, r.code); len(r.interim) > 100 {
			return nil, errors.New("expected a final response, got more than 100 interim ones")
		}
	}
	c.body(r, method)
	c.last = r
	return r, nil
}

// head reads a status line and header fields.
func (c *wireConn) head(r *wireResponse) error {
	r.headers = nil
	budget := maxWireHead
	for first := true; ; first = false {
		line, err := c.line(&budget)
		if err != nil {
			if first && line == "" && !isTimeout(err) {
				return errClosed
			}
			return fmt.Errorf("expected a response head, got %q and then %w", line, err)
		}
		switch {
		case first:
			r.line = line
			if err := r.parseLine(); err != nil {
				return err
			}
		case line == "":
			return nil
		default:
			name, value, ok := strings.Cut(line, ":")
			if !ok || name == "" || strings.ContainsAny(name, " \t\r") {
				return fmt.Errorf("expected a header field, got the line %q", line)
			}
			r.headers.Add(name, strings.Trim(value, " \t"))
		}
	}
}

// line reads one line that ends in CR LF.
func (c *wireConn) line(budget *int) (string, error) {
	var b strings.Builder
	for {
		part, err := c.r.ReadSlice('\n')
		b.Write(part)
		if *budget -= len(part); *budget < 0 {
			return shorten(b.String()), errors.New("more than a head may hold")
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return b.String(), err
		}
		line, ok := strings.CutSuffix(b.String(), "\r\n")
		if !ok {
			return b.String(), errors.New("a line without CR LF")
		}
		return line, nil
	}
}

// block reads n bytes of a body, which are a chunk of their own where the body
// is chunked. Its size may begin with zeros, as lighttpd writes it.
func (c *wireConn) block(n int, chunked bool) (string, error) {
	budget := 1 << 10
	if chunked {
		line, err := c.line(&budget)
		if err != nil {
			return line, err
		}
		if size, err := strconv.ParseUint(line, 16, 31); err != nil || int(size) != n {
			return line, fmt.Errorf("expected the size of a chunk of %d bytes", n)
		}
	}
	b := make([]byte, n)
	if read, err := io.ReadFull(c.r, b); err != nil || !chunked {
		return string(b[:read]), err
	}
	line, err := c.line(&budget)
	if err == nil && line != "" {
		err = errors.New("a chunk without CR LF behind it")
	}
	return string(b) + line, err
}

// ended reports whether the server closes the connection within the patience,
// and what came before that.
func (c *wireConn) ended() (rest string, closed bool) {
	c.within(c.p.patience)
	b, err := io.ReadAll(io.LimitReader(c.r, maxWireHead))
	return string(b), !isTimeout(err) && len(b) < maxWireHead
}

// moment is how long a client looks for bytes that must not come. The server
// has been made to say before that it is past the place where it would have
// sent them, so this is the time of the loopback device and not of the server.
const moment = 10 * time.Millisecond

// silent reports whether nothing comes for a moment, and what came.
func (c *wireConn) silent() (string, bool) {
	c.within(moment)
	c.r.Peek(1)
	b, _ := c.r.Peek(c.r.Buffered())
	return string(b), len(b) == 0
}
