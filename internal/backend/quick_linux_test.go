package backend

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

const patience = 10 * time.Second

// listen listens on a network.
func listen(t *testing.T, network string) net.Listener {
	t.Helper()
	addr := "127.0.0.1:0"
	if network == "unix" {
		dir, err := os.MkdirTemp("", "gw") // the folder of a test may be too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		addr = filepath.Join(dir, "s")
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// dial connects to l, for the time of the test.
func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c
}

// both runs a test over TCP and over a Unix socket.
func both(t *testing.T, test func(t *testing.T, network string)) {
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) { test(t, network) })
	}
}

// quickPair returns both ends of a connection of which one is quick.
func quickPair(t *testing.T, network string) (*quick, net.Conn) {
	t.Helper()
	l := listen(t, network)
	far := dial(t, l)
	found := newBacklog(l).next()
	if len(found) != 1 {
		t.Fatalf("%d connections are waiting, expected one", len(found))
	}
	t.Cleanup(func() { found[0].Close() })
	return found[0], far
}

func TestQuick(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		t.Run("without waiting", func(t *testing.T) {
			q, far := quickPair(t, network)
			b := make([]byte, 10)
			if n, err := q.read(b); n != 0 || err != nil {
				t.Errorf("read %d, %v before anything has come", n, err)
			}
			io.WriteString(far, "ask")
			if n, err := q.read(b); string(b[:n]) != "ask" || err != nil {
				t.Errorf("read %q, %v", b[:n], err)
			}
			if n := q.write([]byte("answer")); n != 6 {
				t.Errorf("%d bytes were written", n)
			}
			if err := q.CloseWrite(); err != nil {
				t.Error(err)
			}
			if text, err := io.ReadAll(far); string(text) != "answer" || err != nil {
				t.Errorf("the other side reads %q, %v", text, err)
			}
			far.Close()
			if n, err := q.read(b); n != 0 || err != io.EOF {
				t.Errorf("read %d, %v at the end", n, err)
			}
			if q.file != nil {
				t.Error("the poller knows a connection that nobody has waited for")
			}
		})
		t.Run("waiting", func(t *testing.T) {
			q, far := quickPair(t, network)
			go func() {
				io.Copy(far, far)
				far.Close()
			}()
			io.WriteString(q, "echo")
			b := make([]byte, 4)
			if _, err := io.ReadFull(q, b); string(b) != "echo" || err != nil {
				t.Errorf("read %q, %v", b, err)
			}
			if n, err := q.read(b); n != 0 || err != nil {
				t.Errorf("read %d, %v without waiting, expected to be sent to Read", n, err)
			}
			if n := q.write(b); n != 0 {
				t.Errorf("wrote %d without waiting, expected to be sent to Write", n)
			}
			if err := q.CloseWrite(); err != nil {
				t.Error(err)
			}
			q.SetReadDeadline(time.Now().Add(patience))
			if n, err := q.Read(b); n != 0 || err != io.EOF {
				t.Errorf("read %d, %v at the end", n, err)
			}
		})
		t.Run("deadline", func(t *testing.T) {
			q, _ := quickPair(t, network)
			q.SetReadDeadline(past)
			if _, err := q.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read %v after the deadline", err)
			}
		})
		t.Run("full", func(t *testing.T) {
			q, far := quickPair(t, network)
			large := make([]byte, 32<<20)
			n := q.write(large)
			if n <= 0 || n == len(large) {
				t.Fatalf("%d of %d bytes were written without waiting", n, len(large))
			}
			go q.Write(large[n:])
			if got, err := io.CopyN(io.Discard, far, int64(len(large))); err != nil {
				t.Errorf("%d bytes came, %v", got, err)
			}
		})
		t.Run("addresses", func(t *testing.T) {
			q, far := quickPair(t, network)
			if network == "tcp" && q.RemoteAddr().String() != far.LocalAddr().String() {
				t.Errorf("the other side is %v, expected %v", q.RemoteAddr(), far.LocalAddr())
			}
			if q.LocalAddr().String() != far.RemoteAddr().String() || q.RemoteAddr().Network() != network {
				t.Errorf("the addresses are %v and %v, expected %v here", q.LocalAddr(), q.RemoteAddr(), far.RemoteAddr())
			}
		})
		t.Run("closed", func(t *testing.T) {
			q, _ := quickPair(t, network)
			if err := q.Close(); err != nil {
				t.Fatal(err)
			}
			_, readErr := q.read(make([]byte, 1))
			for _, err := range []error{readErr, q.CloseWrite(), q.SetReadDeadline(past), q.Close()} {
				if !errors.Is(err, net.ErrClosed) {
					t.Errorf("a closed connection says %v", err)
				}
			}
			if q.write([]byte("x")) != 0 {
				t.Error("a closed connection was written to")
			}
		})
		t.Run("reset", func(t *testing.T) {
			for _, waited := range []bool{false, true} {
				q, far := quickPair(t, network)
				if waited {
					q.SetReadDeadline(time.Time{})
				}
				(&Conn{Conn: q}).Reset()
				_, err := far.Read(make([]byte, 1))
				if broken := errors.Is(err, syscall.ECONNRESET); broken != (network == "tcp") {
					t.Errorf("the other side reads %v", err)
				}
			}
		})
	})
}

func TestQuickLocalAddrOfEverywhere(t *testing.T) {
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", l.Addr().(*net.TCPAddr).Port))
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	q := newBacklog(l).next()[0]
	defer q.Close()
	if (&Conn{Conn: q, Server: new(Server)}).Terms(); q.file != nil {
		t.Error("the address was asked for, which costs, before anybody wants to know")
	}
	if q.LocalAddr().String() != far.RemoteAddr().String() {
		t.Errorf("the address here is %v, expected %v", q.LocalAddr(), far.RemoteAddr())
	}
}

// A connection has what package net gives to those that it accepts: without it
// the blocks of a response wait for each other's acknowledgement.
func TestQuickOptions(t *testing.T) {
	l := listen(t, "tcp")
	dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	waited, _ := quickPair(t, "tcp")
	waited.wait()
	written, _ := quickPair(t, "tcp")
	written.write([]byte("head"))
	written.write([]byte("block"))
	for name, option := range map[string][2]int{
		"TCP_NODELAY":   {syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
		"SO_KEEPALIVE":  {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
		"TCP_KEEPIDLE":  {syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE},
		"TCP_KEEPINTVL": {syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL},
		"TCP_KEEPCNT":   {syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT},
	} {
		var want, got int
		raw.Control(func(fd uintptr) { want, _ = syscall.GetsockoptInt(int(fd), option[0], option[1]) })
		for _, q := range []*quick{waited, written} {
			err := q.control(func(fd int) (err error) { got, err = syscall.GetsockoptInt(fd, option[0], option[1]); return err })
			if err != nil || got != want || want == 0 {
				t.Errorf("%s is %d, %v, expected %d", name, got, err, want)
			}
		}
	}
}

func TestBacklogOfAnother(t *testing.T) {
	if newBacklog(struct{ net.Listener }{listen(t, "tcp")}) != nil {
		t.Error("a listener with an Accept of its own has a backlog, expected none")
	}
}

// crowd is a server for which many connections wait when it begins to serve: all
// but the first of them are quick.
const crowd = 40

var scgiProtocol = Protocol{HeadLen: scgi.HeadLen, Parse: scgi.Parse, Form: cgi.Status, TooLong: true}

func scgiHead(length int, query string) string {
	block := fmt.Sprintf("CONTENT_LENGTH\x00%d\x00SCGI\x001\x00REQUEST_METHOD\x00POST\x00PATH_INFO\x00/\x00QUERY_STRING\x00%s\x00", length, query)
	return fmt.Sprintf("%d:%s,", len(block), block)
}

// serveCrowd opens connections, lets each be begun by begin, and then serves them.
func serveCrowd(t *testing.T, network string, o Options, begin func(i int, c net.Conn)) []net.Conn {
	t.Helper()
	l := listen(t, network)
	var conns []net.Conn
	for i := range crowd {
		c := dial(t, l)
		begin(i, c)
		conns = append(conns, c)
	}
	o.Logger = slog.New(slog.DiscardHandler)
	s, err := scgiProtocol.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-served
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("connections are left after Close: %v", err)
		}
	})
	return conns
}

var crowdApp = wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	switch environ.Var("QUERY_STRING") {
	case "wait":
		<-environ.Context().Done()
		return nil, context.Cause(environ.Context())
	case "cut":
		start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("begun"), nil) {
				yield(nil, io.ErrUnexpectedEOF)
			}
		}), nil
	case "large":
		return wsgi.Response{Status: "200 OK", Body: wsgi.Bytes(make([]byte, 8<<20))}.Call(environ, start)
	}
	text, err := io.ReadAll(environ.Input())
	if err != nil {
		return nil, err
	}
	return wsgi.Response{Status: "200 OK", Body: wsgi.Bytes(text)}.Call(environ, start)
})

// TestCrowd: what is quick behaves as what is not.
func TestCrowd(t *testing.T) {
	both(t, func(t *testing.T, network string) {
		t.Run("bodies", func(t *testing.T) {
			text := func(i int) string { return fmt.Sprintf("%03d", i) + strings.Repeat("x", i*1000) }
			conns := serveCrowd(t, network, Options{App: crowdApp}, func(i int, c net.Conn) {
				io.WriteString(c, scgiHead(len(text(i)), "")[:20+i%2*10])
			})
			for i, c := range conns {
				io.WriteString(c, scgiHead(len(text(i)), "")[20+i%2*10:])
				io.WriteString(c, text(i))
			}
			for i, c := range conns {
				if all, err := io.ReadAll(c); !strings.HasSuffix(string(all), "\r\n\r\n"+text(i)) || err != nil {
					t.Errorf("request %d is answered by %.40q... of %d bytes, %v", i, all, len(all), err)
				}
			}
		})
		t.Run("at once", func(t *testing.T) {
			conns := serveCrowd(t, network, Options{App: crowdApp}, func(i int, c net.Conn) { io.WriteString(c, scgiHead(2, "")+"ok") })
			for _, c := range conns {
				if all, err := io.ReadAll(c); !strings.HasSuffix(string(all), "\r\n\r\nok") || err != nil {
					t.Errorf("answered by %q, %v", all, err)
				}
			}
		})
		t.Run("large", func(t *testing.T) {
			conns := serveCrowd(t, network, Options{App: crowdApp}, func(i int, c net.Conn) { io.WriteString(c, scgiHead(0, "large")) })
			for _, c := range conns[:3] {
				if n, err := io.Copy(io.Discard, c); n < 8<<20 || err != nil {
					t.Errorf("%d bytes came, %v", n, err)
				}
			}
		})
		t.Run("early answer", func(t *testing.T) {
			conns := serveCrowd(t, network, Options{App: crowdApp, MaxBodyBytes: 1}, func(i int, c net.Conn) { io.WriteString(c, scgiHead(1<<20, "")) })
			for _, c := range conns {
				io.WriteString(c, strings.Repeat("x", 1<<20))
				if all, err := io.ReadAll(c); !strings.HasPrefix(string(all), "Status: 413 ") || err != nil {
					t.Errorf("answered by %q, %v", all, err)
				}
			}
		})
		t.Run("leaves", func(t *testing.T) {
			conns := serveCrowd(t, network, Options{App: crowdApp}, func(i int, c net.Conn) { io.WriteString(c, scgiHead(0, "wait")) })
			for _, c := range conns { // the end of the test waits for all
				c.Close()
			}
		})
		t.Run("cut", func(t *testing.T) {
			conns := serveCrowd(t, network, Options{App: crowdApp}, func(i int, c net.Conn) { io.WriteString(c, scgiHead(0, "cut")) })
			for _, c := range conns {
				all, err := io.ReadAll(c)
				if broken := errors.Is(err, syscall.ECONNRESET); broken != (network == "tcp") {
					t.Errorf("a response that is cut reads as %q, %v", all, err)
				}
			}
		})
		t.Run("silent", func(t *testing.T) {
			conns := serveCrowd(t, network, Options{App: crowdApp, ReadHeaderTimeout: 20 * time.Millisecond}, func(int, net.Conn) {})
			for _, c := range conns {
				if all, err := io.ReadAll(c); len(all) > 0 || err != nil {
					t.Errorf("silence is answered by %q, %v", all, err)
				}
			}
		})
		t.Run("peers", func(t *testing.T) {
			o := Options{App: crowdApp, Peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
			conns := serveCrowd(t, network, o, func(i int, c net.Conn) { io.WriteString(c, scgiHead(2, "")+"ok") })
			for _, c := range conns {
				if all, _ := io.ReadAll(c); (len(all) > 0) != (network == "unix") {
					t.Errorf("answered by %q", all)
				}
			}
		})
	})
}
