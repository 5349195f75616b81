package frontend

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// client is a connection of a client of HTTP/1.x.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

func newClient(nc net.Conn) *client { return &client{nc, bufio.NewReader(nc)} }

// head is the head of a response from the server under test.
type head struct {
	status  string // code and phrase
	code    int
	headers wsgi.Headers
	length  int64 // Content-Length, -1 for none
}

// next passes on one request and its response, and reports whether there can
// be another one on the connection.
func (c *client) next(server link) bool {
	r, err := readRequest(c.in)
	if err == nil {
		r.local, r.remote = c.conn.LocalAddr(), c.conn.RemoteAddr()
	}
	var chunked []byte
	if err == nil && r.headers.Has("Expect") && r.proto == "HTTP/1.1" && strings.EqualFold(r.headers.Get("Expect"), "100-continue") {
		io.WriteString(c.conn, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	if err == nil && r.chunked {
		chunked, err = readChunked(c.in)
		r.length = int64(len(chunked))
	}
	if err != nil {
		if refusal := (*badRequest)(nil); errors.As(err, &refusal) {
			c.refuse(refusal)
		}
		return false
	}
	x, err := server.begin(r)
	if err != nil {
		c.refuse(&badRequest{"502 Bad Gateway", err.Error()})
		return false
	}
	defer x.close()
	var body io.Reader = io.LimitReader(c.in, r.length)
	if r.chunked {
		body = bytes.NewReader(chunked)
	}
	up := c.upload(r, body, x)
	whole := c.respond(r, x)
	uploaded := up.stop(c)
	switch {
	case !whole:
		c.cut(r)
		return false
	case !uploaded:
		c.linger()
		return false
	}
	return !r.close
}

// upload is the request body on its way, and then a watch for the client's
// end.
type upload struct {
	done chan struct{}
	mu   sync.Mutex
	all  bool // the whole body was passed on
	over bool // the response is complete
}

// upload passes the body on as it comes. When that is done it waits for the
// client to go, or to send another request.
func (c *client) upload(r *request, body io.Reader, x exchange) *upload {
	u := &upload{done: make(chan struct{})}
	go func() {
		defer close(u.done)
		block := make([]byte, 32<<10)
		left := r.length
		for left > 0 {
			n, err := body.Read(block)
			if left -= int64(n); n > 0 {
				if x.send(block[:n]) != nil {
					return // the response will tell why
				}
			}
			if err != nil && left > 0 {
				if u.isOver() {
					return
				}
				if err == io.EOF {
					x.sent(false)
				} else {
					x.abort()
				}
				return
			}
		}
		if x.sent(true) != nil {
			return
		}
		u.mu.Lock()
		u.all = true
		u.mu.Unlock()
		if _, err := c.in.Peek(1); err != nil && !u.isOver() {
			x.abort()
		}
	}()
	return u
}

func (u *upload) isOver() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.over
}

// stop ends the upload, and reports whether the body has been passed on.
func (u *upload) stop(c *client) bool {
	u.mu.Lock()
	u.over = true
	u.mu.Unlock()
	c.conn.SetReadDeadline(time.Unix(1, 0))
	<-u.done
	c.conn.SetReadDeadline(time.Time{})
	return u.all
}

// respond passes on the response, and reports whether it came to its end.
func (c *client) respond(r *request, x exchange) (whole bool) {
	h, err := x.head()
	if err != nil {
		// Nothing to be taken for a response: the client sees the connection
		// end. A head that was there and is malformed has a reason to give.
		if malformed := (*malformedError)(nil); errors.As(err, &malformed) {
			c.refuse(&badRequest{"502 Bad Gateway", err.Error()})
		}
		return false
	}
	bodiless := r.method == "HEAD" || h.code == 204 || h.code == 304
	chunks := !bodiless && h.length < 0 && r.proto == "HTTP/1.1"
	if !bodiless && h.length < 0 && !chunks {
		r.close, r.toEnd = true, true
	}
	if _, err := c.conn.Write(appendHead(nil, h, chunks, r.close)); err != nil {
		x.abort()
		return false
	}
	block := make([]byte, 32<<10)
	total := int64(0)
	for {
		n, err := x.read(block[chunkRoom : len(block)-2])
		if n > 0 && !bodiless {
			total += int64(n)
			out := block[chunkRoom : chunkRoom+n]
			if chunks {
				out = frameChunk(block, n)
			}
			if _, err := c.conn.Write(out); err != nil {
				x.abort()
				return false
			}
		}
		if err == nil {
			continue
		}
		if err != io.EOF || !bodiless && h.length >= 0 && total < h.length {
			return false
		}
		break
	}
	if chunks {
		_, err = io.WriteString(c.conn, "0\r\n\r\n")
	}
	return err == nil || err == io.EOF
}

// chunkRoom is the room for the size of a chunk before it.
const chunkRoom = len("ffff\r\n")

// frameChunk makes a chunk of the n bytes that begin at chunkRoom, in place.
func frameChunk(block []byte, n int) []byte {
	size := fmt.Sprintf("%x\r\n", n)
	start := chunkRoom - len(size)
	copy(block[start:], size)
	copy(block[chunkRoom+n:], "\r\n")
	return block[start : chunkRoom+n+2]
}

// appendHead appends the head for the client: the server's, and what a front
// end answers for, which is Date, the framing and the connection.
func appendHead(b []byte, h *head, chunks, closing bool) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = append(b, h.status...)
	b = append(b, "\r\n"...)
	for _, field := range h.headers {
		b = append(b, field.Name...)
		b = append(b, ": "...)
		b = append(b, field.Value...)
		b = append(b, "\r\n"...)
	}
	if !h.headers.Has("Date") {
		b = append(b, "Date: "...)
		b = time.Now().UTC().AppendFormat(b, "Mon, 02 Jan 2006 15:04:05 GMT")
		b = append(b, "\r\n"...)
	}
	if chunks {
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if closing {
		b = append(b, "Connection: close\r\n"...)
	}
	return append(b, "\r\n"...)
}

// refuse answers in the place of the server.
func (c *client) refuse(b *badRequest) {
	text := b.status + ": " + b.reason + "\n"
	fmt.Fprintf(c.conn, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", b.status, len(text), text)
	c.linger()
}

// linger lets the client read what it got before the connection is gone.
func (c *client) linger() {
	if tcp, ok := c.conn.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
		c.conn.SetReadDeadline(time.Now().Add(time.Second))
		io.Copy(io.Discard, c.conn)
	}
}

// cut ends the connection in the middle of a response. One that ends where
// the connection does would look whole, were it not reset.
func (c *client) cut(r *request) {
	if tcp, ok := c.conn.(*net.TCPConn); ok && r.toEnd {
		tcp.SetLinger(0)
		c.conn.Close()
		return
	}
	c.linger()
}

// malformedError is what is wrong with the head of a response.
type malformedError struct{ err error }

func (e *malformedError) Error() string {
	return "the server's response is malformed: " + e.err.Error()
}
