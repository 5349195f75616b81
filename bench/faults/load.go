//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A load is clients that ask one request after the other, each over a connection
// that it keeps, and that count. Nothing is asked again, as a client of net/http
// would: what a server loses is seen.
type load struct {
	good, bad atomic.Int64
	stop      context.CancelFunc
	clients   sync.WaitGroup
	mu        sync.Mutex
	first     string // what was wrong with the first that failed
}

func startLoad(addr string, clients int) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{stop: stop}
	for range clients {
		l.clients.Go(func() { l.client(ctx, addr) })
	}
	return l
}

// end waits for the answers that are still to come.
func (l *load) end() {
	l.stop()
	l.clients.Wait()
}

func (l *load) client(ctx context.Context, addr string) {
	var c *connection
	for ctx.Err() == nil {
		if c == nil {
			var err error
			if c, err = dial(addr); err != nil {
				l.failed(err.Error())
				continue
			}
		}
		status, body, last, err := c.get("/")
		switch {
		case err != nil:
			l.failed(err.Error())
		case status != 200 || body != "Hello, world!\n":
			l.failed(fmt.Sprintf("%d %q", status, body))
		default:
			l.good.Add(1)
		}
		if err != nil || last {
			c.Close()
			c = nil
		}
	}
	if c != nil {
		c.Close()
	}
}

func (l *load) failed(why string) {
	l.bad.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == "" {
		l.first = strings.ReplaceAll(why, "\n", " ")
	}
}

// A connection is one that is used for one request after the other.
type connection struct {
	net.Conn
	r *bufio.Reader
}

func dial(addr string) (*connection, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &connection{conn, bufio.NewReader(conn)}, nil
}

// get returns the answer, and whether the server will close the connection.
func (c *connection) get(target string) (status int, body string, last bool, err error) {
	c.SetDeadline(time.Now().Add(time.Minute))
	if _, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: faults.example\r\n\r\n", target); err != nil {
		return
	}
	response, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return
	}
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), response.Close, err
}
