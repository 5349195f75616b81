package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

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
