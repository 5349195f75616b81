// Package adaptertest tests the servers of the gateway protocols, each over
// raw bytes: what is the same of all of them is here, what is one protocol's
// own is in the tests of its adapter.
package adaptertest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/internal/uwsgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Patience bounds each wait for a server.
const Patience = 10 * time.Second

// Silent is a logger of nothing.
var Silent = slog.New(slog.DiscardHandler)

// Server is the Server of an adapter.
type Server interface {
	Serve(l net.Listener) error
	Run(ctx context.Context, listeners ...net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
	Connections() int
}

// Subject is an adapter.
type Subject struct {
	Protocol string // "fastcgi", "scgi" or "uwsgi"
	New      func(o backend.Options) Server
}

// Serve runs s until the end of the test, and returns where.
func Serve(t testing.TB, s Server, network string) (addr string) {
	t.Helper()
	addr = "127.0.0.1:0"
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
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-served
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("connections are left after Close: %v", err)
		}
	})
	return l.Addr().String()
}

// start runs the adapter with app.
func (s Subject) start(t testing.TB, o backend.Options, app wsgi.AppFunc) (addr string) {
	t.Helper()
	if app != nil {
		o.App = app
	}
	if o.Logger == nil {
		o.Logger = Silent
	}
	return Serve(t, s.New(o), "tcp")
}

// Leaks fails the test when it leaves goroutines or descriptors behind. It is
// called first.
func Leaks(t testing.TB) {
	t.Helper()
	if l, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close() // the first use of the network opens descriptors that stay
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM) // and that of signals a goroutine
	signal.Stop(signals)
	goroutines, files := runtime.NumGoroutine(), descriptors()
	t.Cleanup(func() {
		for end := time.Now().Add(Patience); ; time.Sleep(time.Millisecond) {
			g, f := runtime.NumGoroutine(), descriptors()
			if g <= goroutines && f <= files {
				return
			}
			if time.Now().After(end) {
				stacks := make([]byte, 64<<10)
				t.Errorf("%d goroutines and %d descriptors, expected the %d and %d of the beginning\n%s",
					g, f, goroutines, files, stacks[:runtime.Stack(stacks, true)])
				return
			}
		}
	})
}

// descriptors counts the open files of this process, where the system tells.
func descriptors() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// Dial connects to a server, for the time of the test.
func Dial(t testing.TB, addr string) net.Conn {
	t.Helper()
	network := "tcp"
	if strings.HasPrefix(addr, "/") {
		network = "unix"
	}
	c, err := net.DialTimeout(network, addr, Patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(Patience))
	return c
}

// Request is the head of a request: names and values in turn, over those of a
// plain GET /a.
func Request(protocol string, list ...string) []byte {
	vars := [][2]string{
		{"CONTENT_LENGTH", "0"}, {"REQUEST_METHOD", "GET"}, {"SERVER_PROTOCOL", "HTTP/1.1"}, {"REQUEST_URI", "/a"},
		{"SCRIPT_NAME", ""}, {"PATH_INFO", "/a"}, {"SERVER_NAME", "s"}, {"SERVER_PORT", "80"},
	}
	for i := 0; i < len(list); i += 2 {
		at := slices.IndexFunc(vars, func(v [2]string) bool { return v[0] == list[i] })
		if at < 0 {
			vars = append(vars, [2]string{list[i], list[i+1]})
		} else {
			vars[at][1] = list[i+1]
		}
	}
	pairs := func(yield func(name, value string) bool) {
		for _, v := range vars {
			if !yield(v[0], v[1]) {
				return
			}
		}
	}
	var b []byte
	var err error
	switch protocol {
	case "scgi":
		b, err = scgi.Append(nil, pairs)
	case "uwsgi":
		b, err = uwsgi.Append(nil, pairs)
	case "fastcgi":
		b = fcgi.AppendBegin(nil, 1, fcgi.Responder, 0)
		if b, err = fcgi.AppendParams(b, 1, pairs); err == nil {
			b = fcgi.AppendStreamEnd(b, fcgi.Params, 1)
		}
	}
	if err != nil {
		panic(err)
	}
	return b
}

// Body is a part of a request body; an empty one is its end.
func Body(protocol, text string) []byte {
	switch {
	case protocol != "fastcgi":
		return []byte(text)
	case text == "":
		return fcgi.AppendStreamEnd(nil, fcgi.Stdin, 1)
	}
	return fcgi.AppendStream(nil, fcgi.Stdin, 1, []byte(text))
}

// Response is a response as it came.
type Response struct {
	cgi.Head
	Body   string
	Stderr string
	Ended  bool  // END_REQUEST came, or it is another protocol
	Err    error // of reading; nil when the server has closed the connection
}

// String says what came, for messages and for comparing.
func (r Response) String() string {
	return fmt.Sprintf("%s %q, %q, ended %t, %v", r.Status, r.Body, r.Headers, r.Ended, r.Err)
}

// Receive reads what the server sends until it closes the connection.
func Receive(protocol string, c io.Reader) (r Response) {
	raw, err := io.ReadAll(c)
	r = Decode(protocol, raw)
	r.Err = err
	return r
}

// Decode makes a response of what came; its code is 0 when that is none.
func Decode(protocol string, raw []byte) (r Response) {
	r.Ended = protocol != "fastcgi"
	if protocol == "fastcgi" {
		var out []byte
		for len(raw) >= fcgi.HeaderLen {
			h, err := fcgi.ParseHeader(raw)
			if err != nil || len(raw) < fcgi.HeaderLen+int(h.Length)+int(h.Padding) {
				r.Err = fmt.Errorf("record %+v: %v", h, err)
				break
			}
			content := raw[fcgi.HeaderLen:][:h.Length]
			raw = raw[fcgi.HeaderLen+int(h.Length)+int(h.Padding):]
			switch h.Type {
			case fcgi.Stdout:
				out = append(out, content...)
			case fcgi.Stderr:
				r.Stderr += string(content)
			case fcgi.EndRequest:
				r.Ended = true
			}
		}
		raw = out
	}
	form := cgi.Status
	if protocol == "uwsgi" {
		form = cgi.HTTP
	}
	if n := cgi.HeadLen(raw, 0); n > 0 {
		head, err := cgi.ParseHead(raw[:n], form)
		if err == nil {
			r.Head, r.Body = head, string(raw[n:])
		}
	}
	return r
}

// Netstring is the block with its length before it, and no comma behind.
func Netstring(block string) []byte { return fmt.Appendf(nil, "%d:%s", len(block), block) }

// Numbered returns the names and values of n variables.
func Numbered(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint("X", i), "")
	}
	return list
}
