package fastcgi

import (
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

var clientSubject = adaptertest.Client{
	Protocol: "fastcgi",
	New:      func(o forward.Options) wsgi.Application { return adaptertest.SetClient(new(Client), o) },
	Serve: func(t testing.TB, app wsgi.Application, network string) string {
		return adaptertest.Serve(t, &Server{App: app, Logger: adaptertest.Silent}, network)
	},
}

func TestClient(t *testing.T) { clientSubject.Test(t) }

func TestClientFields(t *testing.T) {
	adaptertest.ClientFields(t, func(c *Client) (forward.Options, error) {
		made, err := c.forward()
		return made.Options, err
	})
}

// ended is a whole response of FastCGI.
func ended(text string) string { return string(adaptertest.Answer("fastcgi", text, true)) }

func TestClientHostile(t *testing.T) {
	var list []adaptertest.RawResponse
	for _, r := range adaptertest.Responses("fastcgi") {
		if r.Name != "nothing" && r.Name != "head ends early" {
			r.Raw = ended(r.Raw)
		}
		list = append(list, r)
	}
	const head = "Status: 200 OK\r\nX-A: b\r\n\r\n"
	begun := string(adaptertest.Answer("fastcgi", head+"body", false))
	empty := string(fcgi.AppendEnd(nil, 1, 0, fcgi.RequestComplete))
	with := func(b []byte) string { return string(b) + ended(head+"body") }
	clientSubject.Hostile(t, append(list, []adaptertest.RawResponse{
		{Name: "no END_REQUEST", Raw: begun, Code: 200, Body: "body", Cut: true},
		{Name: "no end of STDOUT", Raw: begun + empty, Code: 200, Body: "body"}, // PHP's
		{Name: "END_REQUEST alone", Raw: empty, Code: 502},
		{Name: "overloaded", Raw: string(fcgi.AppendEnd(nil, 1, 0, fcgi.Overloaded)), Code: 503},
		{Name: "cannot multiplex", Raw: string(fcgi.AppendEnd(nil, 1, 0, fcgi.CantMpxConn)), Code: 502},
		{Name: "unknown role", Raw: string(fcgi.AppendEnd(nil, 1, 0, fcgi.UnknownRole)), Code: 502},
		{Name: "reserved bytes", Raw: begun + "\x01\x03\x00\x01\x00\x08\x00\x00\x00\x00\x00\x00\x001.1", Code: 200, Body: "body"},
		{Name: "END_REQUEST of 7 bytes", Raw: begun + "\x01\x03\x00\x01\x00\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00", Code: 200, Body: "body", Cut: true},
		{Name: "another id", Raw: string(fcgi.AppendStream(nil, fcgi.Stdout, 2, []byte(head))), Code: 502},
		{Name: "another version", Raw: "\x02" + begun[1:], Code: 502},
		{Name: "record of a request", Raw: string(fcgi.AppendAbort(nil, 1)), Code: 502},
		{Name: "record ends early", Raw: begun[:len(begun)-3], Code: 200, Body: "body", Cut: true},
		{Name: "management record", Raw: with(fcgi.AppendUnknown(nil, 77)), Code: 200, Body: "body"},
		{Name: "STDERR", Raw: with(fcgi.AppendStream(nil, fcgi.Stderr, 1, []byte("said"))), Code: 200, Body: "body"},
		{Name: "STDERR without end", Raw: with(fcgi.AppendStream(nil, fcgi.Stderr, 1, make([]byte, 1<<20))), Code: 200, Body: "body"},
	}...))
}

// counted counts the connections.
type counted struct {
	net.Listener
	n atomic.Int32
}

func (l *counted) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

// kept serves echo, and counts the connections of a client to it.
func kept(t *testing.T, c *Client) (call func(body string), n *atomic.Int32, s *Server) {
	adaptertest.Leaks(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lc := &counted{Listener: l}
	s = &Server{App: wsgi.AppFunc(echo), Logger: adaptertest.Silent}
	served := make(chan error, 1)
	go func() { served <- s.Serve(lc) }()
	t.Cleanup(func() {
		c.CloseIdleConnections()
		s.Close()
		<-served
	})
	c.Addr, c.Logger = l.Addr().String(), adaptertest.Silent
	return func(body string) {
		t.Helper()
		vars := map[string]any{"REQUEST_METHOD": "POST", "PATH_INFO": "/a", "CONTENT_LENGTH": "", "wsgi.input": wsgi.NewInput(strings.NewReader(body))}
		answer, err := c.Call(wsgi.EnvironFromMap(vars), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for block, err := range answer.Blocks {
			if got += string(block); err != nil {
				t.Error(err)
			}
		}
		if err := answer.Close(); err != nil || got != body {
			t.Errorf("got %.50q, %v, expected the %d bytes that were sent", got, err, len(body))
		}
	}, &lc.n, s
}

func TestClientKeepsConnections(t *testing.T) {
	call, n, _ := kept(t, &Client{})
	for _, body := range []string{"", "x", strings.Repeat("y", 1<<20), "z"} {
		call(body)
	}
	if got := n.Load(); got != 1 {
		t.Errorf("four requests came on %d connections, expected one", got)
	}
}

func TestClientKeepsNone(t *testing.T) {
	call, n, _ := kept(t, &Client{MaxIdleConns: -1})
	call("a")
	call("b")
	if got := n.Load(); got != 2 {
		t.Errorf("two requests came on %d connections, expected two", got)
	}
}

// A connection that the backend has closed meanwhile is not used.
func TestClientStaleConnection(t *testing.T) {
	ended := make(chan bool, 1)
	addr := adaptertest.Hostile(t, func(c net.Conn) {
		for buffer := make([]byte, 4<<10); ; {
			if _, err := c.Read(buffer); err != nil {
				return
			}
			c.Write(adaptertest.Answer("fastcgi", "Status: 200 OK\r\nContent-Length: 1\r\n\r\nx", true))
			c.Close()
			ended <- true
		}
	})
	c := &Client{Addr: addr, Logger: adaptertest.Silent}
	defer c.CloseIdleConnections()
	for range 3 {
		environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "POST"}).WithContext(context.Background())
		status := ""
		answer, err := c.Call(environ, func(s string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
			status = s
			return nil, nil
		})
		if err != nil || status != "200 OK" {
			t.Fatalf("answered by %s, %v", status, err)
		}
		for range answer.Blocks {
		}
		<-ended
		answer.Close()
	}
}

// call asks c, and returns the status that it answers with.
func call(t *testing.T, c *Client, method, body string) (status string) {
	t.Helper()
	vars := map[string]any{"REQUEST_METHOD": method, "PATH_INFO": "/a"}
	if body != "" {
		vars["CONTENT_LENGTH"], vars["wsgi.input"] = strconv.Itoa(len(body)), wsgi.NewInput(strings.NewReader(body))
	}
	answer, err := c.Call(wsgi.EnvironFromMap(vars), func(s string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
		status = s
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range answer.Blocks {
		if err != nil {
			t.Error(err)
		}
	}
	answer.Close()
	return status
}

// A backend may close a kept connection when the next request is on its way.
// That is sent again only where the backend cannot have acted on it.
func TestClientLostConnection(t *testing.T) {
	for _, tt := range []struct {
		name, method, body string
		last               []byte // what the backend says before it closes
		want               string
	}{
		{"GET", "GET", "", nil, "200 OK"},
		{"POST", "POST", "", nil, "502 Bad Gateway"},
		{"GET with a body", "GET", "x", nil, "502 Bad Gateway"},
		{"GET that was begun", "GET", "", fcgi.AppendStream(nil, fcgi.Stderr, 1, []byte("working")), "502 Bad Gateway"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			adaptertest.Leaks(t)
			addr := adaptertest.Hostile(t, func(c net.Conn) {
				for buffer, n := make([]byte, 4<<10), 0; ; n++ {
					if _, err := c.Read(buffer); err != nil {
						return
					}
					if n == 1 {
						c.Write(tt.last)
						return
					}
					c.Write(adaptertest.Answer("fastcgi", "Status: 200 OK\r\nContent-Length: 1\r\n\r\nx", true))
				}
			})
			c := &Client{Addr: addr, Logger: adaptertest.Silent}
			defer c.CloseIdleConnections()
			if got := call(t, c, "GET", ""); got != "200 OK" {
				t.Fatalf("the first request is answered by %q", got)
			}
			if got := call(t, c, tt.method, tt.body); got != tt.want {
				t.Errorf("the request on the connection that is lost is answered by %q, expected %q", got, tt.want)
			}
		})
	}
}

// A program over libfcgi that does not read its input takes an end of it that
// comes late for the beginning of the next request, and drops that one.
func TestClientEndsInOnePiece(t *testing.T) {
	requests := make(chan string, 1)
	addr := adaptertest.Hostile(t, func(c net.Conn) {
		buffer := make([]byte, 64<<10)
		n, _ := c.Read(buffer)
		requests <- string(buffer[:n])
		c.Write(adaptertest.Answer("fastcgi", "Status: 200 OK\r\n\r\n", true))
	})
	c := &Client{Addr: addr, Logger: adaptertest.Silent}
	defer c.CloseIdleConnections()
	call(t, c, "POST", "")
	if got, end := <-requests, string(fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1)); !strings.HasSuffix(got, end) || strings.Count(got, end) != 1 {
		t.Errorf("a request without a body begins with %q, expected it to be whole", got)
	}
}

// The backend learns that its answer is not wanted, by a record and by the end
// of the connection.
func TestClientAborts(t *testing.T) {
	for _, leave := range []string{"the context ends", "the body is closed"} {
		t.Run(leave, func(t *testing.T) {
			adaptertest.Leaks(t)
			rest := make(chan string, 1)
			addr := adaptertest.Hostile(t, func(c net.Conn) {
				c.Read(make([]byte, 64<<10))
				c.Write(adaptertest.Answer("fastcgi", "Status: 200 OK\r\n\r\nbegun", false))
				all, _ := io.ReadAll(c)
				rest <- string(all)
			})
			c := &Client{Addr: addr, Logger: adaptertest.Silent}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET"}).WithContext(ctx)
			answer, err := c.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			for range answer.Blocks {
				break
			}
			if leave == "the context ends" {
				cancel()
			} else {
				answer.Close()
			}
			if got, want := <-rest, string(fcgi.AppendAbort(nil, 1)); got != want {
				t.Errorf("the backend gets %q, expected ABORT_REQUEST and the end", got)
			}
			answer.Close()
		})
	}
}

// readWhole has c answer a request, and reads the answer to its end.
func readWhole(t *testing.T, c *Client, vars map[string]any) {
	t.Helper()
	answer, err := c.Call(wsgi.EnvironFromMap(vars), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	for _, err := range answer.Blocks {
		if err != nil {
			t.Error(err)
		}
	}
}

// TestClientErrors: so much of what a backend says on STDERR is passed on.
func TestClientErrors(t *testing.T) {
	addr := adaptertest.Hostile(t, func(conn net.Conn) {
		conn.Read(make([]byte, 4<<10))
		conn.Write(append(fcgi.AppendStream(nil, fcgi.Stderr, 1, bytes.Repeat([]byte("said\n"), 20<<10)), adaptertest.Answer("fastcgi", "HTTP/1.1 200 OK\r\n\r\nbody", true)...))
	})
	var errs bytes.Buffer
	c := &Client{Addr: addr, MaxIdleConns: -1, Logger: adaptertest.Silent}
	vars := map[string]any{"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0", "wsgi.errors": wsgi.NewErrors(&errs)}
	readWhole(t, c, vars)
	if errs.Len() != mostErrors {
		t.Errorf("wsgi.errors got %d bytes of %d, expected %d", errs.Len(), 5*20<<10, mostErrors)
	}
}

// TestClientDoesNotKeepWhatGoesOn: what comes behind a response would be taken for
// the next.
func TestClientDoesNotKeepWhatGoesOn(t *testing.T) {
	var n atomic.Int32
	addr := adaptertest.Hostile(t, func(conn net.Conn) {
		n.Add(1)
		conn.Read(make([]byte, 4<<10))
		conn.Write(bytes.Repeat(adaptertest.Answer("fastcgi", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", true), 2))
		io.Copy(io.Discard, conn)
	})
	c := &Client{Addr: addr, Logger: adaptertest.Silent}
	for range 2 {
		vars := map[string]any{"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0"}
		readWhole(t, c, vars)
	}
	c.CloseIdleConnections()
	if got := n.Load(); got != 2 {
		t.Errorf("two requests came on %d connections, expected two", got)
	}
}
