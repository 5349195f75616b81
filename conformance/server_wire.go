package conformance

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
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

// wireResponse is one response as it came.
type wireResponse struct {
	line    string // without CR LF
	proto   string
	code    int
	headers wsgi.Headers
	interim []int // codes of the interim responses before it
	body    string
	framing string // "chunked", "length", "close" or "none"
	err     error  // why the body is not complete
}

// String describes the response for messages.
func (r *wireResponse) String() string {
	s := fmt.Sprintf("%q with body %q (framed by %s)", r.line, shorten(r.body), r.framing)
	if r.err != nil {
		s += ", not complete: " + why(r.err)
	}
	return s
}

// complete reports whether the client could see that the response is whole.
func (r *wireResponse) complete() bool { return r.err == nil }

// closes reports whether the server has said that it will close the
// connection after r.
func (r *wireResponse) closes() bool {
	connection := strings.ToLower(strings.Join(r.headers.Values("Connection"), ","))
	if r.proto == "HTTP/1.0" {
		return !strings.Contains(connection, "keep-alive")
	}
	return r.framing == "close" || strings.Contains(connection, "close")
}

// errClosed says that the connection ended where a response could have begun.
var errClosed = errors.New("the connection was closed without a response")

// errEndless says that a body has more bytes than are read of one.
var errEndless = errors.New("the body does not end")

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

// parseLine parses HTTP/1.x, a code of three digits and a phrase.
func (r *wireResponse) parseLine() error {
	proto, rest, ok := strings.Cut(r.line, " ")
	digits, _, blank := strings.Cut(rest, " ")
	code, err := strconv.Atoi(digits)
	if !ok || !blank || err != nil || len(digits) != 3 || code < 100 || proto != "HTTP/1.1" && proto != "HTTP/1.0" {
		return fmt.Errorf("expected a status line, got %q", r.line)
	}
	r.proto, r.code = proto, code
	return nil
}

// body reads the body by the rules of RFC 9112, section 6.3.
func (c *wireConn) body(r *wireResponse, method string) {
	var body bytes.Buffer
	defer func() { r.body = body.String() }()
	length := r.headers.Values("Content-Length")
	coding := r.headers.Values("Transfer-Encoding")
	switch {
	case method == "HEAD" || r.code == 204 || r.code == 304:
		r.framing = "none"
	case len(coding) > 0 && (len(length) > 0 || len(coding) > 1 || !strings.EqualFold(coding[0], "chunked")):
		r.framing = "both"
		r.err = fmt.Errorf("the body is framed by Transfer-Encoding %q and Content-Length %q", coding, length)
	case len(coding) > 0:
		r.framing = "chunked"
		r.err = c.chunks(&body)
	case len(length) > 0:
		r.framing = "length"
		n, err := strconv.ParseUint(length[0], 10, 31)
		if err != nil || len(length) > 1 {
			r.err = fmt.Errorf("Content-Length is %q", length)
			return
		}
		_, r.err = io.CopyN(&body, c.r, int64(min(n, maxWireBody)))
	default:
		r.framing = "close"
		var n int64
		n, r.err = io.Copy(&body, io.LimitReader(c.r, maxWireBody))
		if n == maxWireBody {
			r.err = errEndless
		}
	}
	if r.err == io.EOF {
		r.err = io.ErrUnexpectedEOF
	}
}

// chunks reads a chunked body, RFC 9112 section 7.1.
func (c *wireConn) chunks(body *bytes.Buffer) error {
	for range maxWireChunks {
		budget := 1 << 10
		line, err := c.line(&budget)
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(line, 16, 31)
		if err != nil {
			return fmt.Errorf("expected the size of a chunk, got %q", line)
		}
		if body.Len()+int(n) > maxWireBody {
			return errEndless
		}
		if _, err := io.CopyN(body, c.r, int64(n)); err != nil {
			return err
		}
		if line, err = c.line(&budget); err != nil || line != "" {
			return fmt.Errorf("expected CR LF after a chunk, got %q, %v", line, err)
		}
		if n == 0 {
			return nil
		}
	}
	return errEndless
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
