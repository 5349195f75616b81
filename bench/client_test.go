package bench

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"
)

// client is a keep-alive connection that costs little: the request is made
// once, and of the answer it looks only for what it needs to find the end.
type client struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	scratch []byte
}

func dial(t testing.TB, addr, path string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var request bytes.Buffer
	fmt.Fprintf(&request, "GET %s HTTP/1.1\r\nHost: www.example.org\r\n", path)
	for line := range bytes.Lines([]byte(browserFields)) {
		request.Write(bytes.TrimSuffix(line, []byte("\n")))
		request.WriteString("\r\n")
	}
	request.WriteString("\r\n")
	return &client{conn: conn, reader: bufio.NewReaderSize(conn, 4<<10), request: request.Bytes()}
}

// get sends the request, reads the answer to its end and returns the length of
// its body.
func (c *client) get() (length int64, err error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return 0, err
	}
	length, chunked := -1, false
	for first := true; ; first = false {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
				return 0, fmt.Errorf("the answer is %q, expected 200", line)
			}
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, err = strconv.ParseInt(string(line[len("Content-Length: "):]), 10, 64)
			if err != nil {
				return 0, err
			}
		case bytes.Equal(line, []byte("Transfer-Encoding: chunked")):
			chunked = true
		}
		if len(line) == 0 {
			break
		}
	}
	if chunked {
		return c.discardChunks()
	}
	if length < 0 {
		return 0, errors.New("the answer has no length")
	}
	return length, c.discard(length)
}

// discard reads n bytes. A large body is read past the buffer, in large
// pieces, so that the client is not what is measured.
func (c *client) discard(n int64) error {
	buffered, err := c.reader.Discard(int(min(n, int64(c.reader.Buffered()))))
	n -= int64(buffered)
	if err != nil || n == 0 {
		return err
	}
	if c.scratch == nil {
		c.scratch = make([]byte, 1<<20)
	}
	for n > 0 {
		k, err := c.conn.Read(c.scratch[:min(n, int64(len(c.scratch)))])
		n -= int64(k)
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}

func (c *client) discardChunks() (length int64, err error) {
	for {
		line, err := c.reader.ReadSlice('\n')
		if err != nil {
			return length, err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 64)
		if err != nil {
			return length, err
		}
		if err := c.discard(size); err != nil {
			return length, err
		}
		length += size
		if _, err := c.reader.Discard(2); err != nil || size == 0 {
			return length, err
		}
	}
}

// load is a number of clients of one server.
type load struct {
	clients  []*client
	requests int // answered so far
}

func newLoad(t testing.TB, addr string, clients int) *load {
	l := &load{}
	for range clients {
		l.clients = append(l.clients, dial(t, addr, "/greeting?language=en"))
	}
	return l
}

// run lets every client send one request after the other for a while, and
// returns how many were answered in a second.
func (l *load) run(t testing.TB, d time.Duration) float64 {
	t.Helper()
	var all sync.WaitGroup
	counts := make([]int, len(l.clients))
	errs := make([]error, len(l.clients))
	start := time.Now()
	end := start.Add(d)
	for i, c := range l.clients {
		all.Go(func() {
			for {
				length, err := c.get()
				if err == nil && length != int64(len(hello)) {
					err = fmt.Errorf("the body has %d bytes, expected %d", length, len(hello))
				}
				if err != nil {
					errs[i] = err
					return
				}
				counts[i]++
				if counts[i]%16 == 0 && !time.Now().Before(end) {
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	l.requests += sum
	return float64(sum) / took.Seconds()
}
