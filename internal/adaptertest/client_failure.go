package adaptertest

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/fcgi"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// record is a log that can be read while it is written.
type record struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.b.String()
}

// unreachable is an address that nobody listens on: that of a service which
// died out. A port that was free a moment ago could be the next server's.
const unreachable = "127.0.0.1:1"

// FreeAddr returns an address of loopback that was free a moment ago.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Hostile runs a backend that does to each connection what act says, for the
// time of the test.
func Hostile(t testing.TB, act func(net.Conn)) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				act(c)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// failures: each way in which a backend does not answer has its status and its
// line in the log.
func (c Client) failures(t *testing.T) {
	silent := func(conn net.Conn) { io.Copy(io.Discard, conn) }
	tests := []struct {
		name, addr string
		o          forward.Options
		code       int
		phase      string
	}{
		{"refused", unreachable, forward.Options{}, 502, "connecting"},
		{"never answers", Hostile(t, silent), forward.Options{ResponseTimeout: 50 * time.Millisecond}, 504, "waiting for the response"},
		{"closes at once", Hostile(t, func(net.Conn) {}), forward.Options{}, 502, "the re"},
		{"closes after the request", Hostile(t, func(conn net.Conn) { conn.Read(make([]byte, 100)) }), forward.Options{}, 502, "the re"},
		{"garbage", Hostile(t, func(conn net.Conn) {
			conn.Read(make([]byte, 4<<10))
			io.WriteString(conn, strings.Repeat("garbage\n", 100))
		}), forward.Options{}, 502, "the re"},
		{"endless head", Hostile(t, func(conn net.Conn) {
			conn.Read(make([]byte, 4<<10))
			conn.Write(Answer(c.Protocol, "HTTP/1.1 200 OK\r\n", false))
			for {
				if _, err := conn.Write(Answer(c.Protocol, strings.Repeat("X-Name: value\r\n", 1000), false)); err != nil {
					return
				}
			}
		}), forward.Options{MaxHeaderBytes: 10 << 10}, 502, "the re"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log record
			tt.o.Addrs, tt.o.Network = []string{tt.addr}, "tcp"
			tt.o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			url := front(t, c.New(tt.o))
			a := ask(t, "POST", url+"/where?q", strings.NewReader("x"))
			if a.Code != tt.code || a.Err != nil {
				t.Errorf("answered by %d %q, %v, expected %d", a.Code, a.Body, a.Err, tt.code)
			}
			line := log.String()
			for _, part := range []string{tt.addr, tt.phase, "POST", "/where", "status=\"" + a.Body[:3]} {
				if !strings.Contains(line, part) {
					t.Errorf("the log is %q, expected it to name %s", line, part)
				}
			}
		})
	}
}

// busy: a backend gets no more requests than it may, and who waits too long is
// told.
func (c Client) busy(t *testing.T) {
	called, release := make(chan bool, 10), make(chan bool)
	app := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		called <- true
		<-release
		return respond("done")(environ, start)
	}
	t.Run("waits in vain", func(t *testing.T) {
		url := c.behind(t, forward.Options{MaxConns: 1, QueueTimeout: 50 * time.Millisecond}, app)
		var first sync.WaitGroup
		first.Go(func() { ask(t, "GET", url, nil).expect(t, "the first", 200, "done") })
		<-called
		ask(t, "GET", url, nil).expect(t, "the second", 503, "503 Service Unavailable\n")
		release <- true
		first.Wait()
	})
	t.Run("waits", func(t *testing.T) {
		url := c.behind(t, forward.Options{MaxConns: 2}, app)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { ask(t, "GET", url, nil).expect(t, "one of eight", 200, "done") })
		}
		for range 8 {
			<-called
			release <- true
		}
		all.Wait()
	})
}

// balance: requests go where the fewest are, and not where nobody answers.
func (c Client) balance(t *testing.T) {
	var counts [2]atomic.Int32
	release, called := make(chan bool), make(chan bool)
	count := func(i int) wsgi.AppFunc {
		return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			counts[i].Add(1)
			if environ.Var("QUERY_STRING") == "wait" {
				called <- true
				<-release
			}
			return respond("ok")(environ, start)
		}
	}
	other := c.Serve(t, count(1), "tcp")
	url := c.behind(t, forward.Options{Addrs: []string{unreachable, other}}, count(0))
	var waiting sync.WaitGroup
	for range 4 {
		waiting.Go(func() { ask(t, "POST", url+"/?wait", strings.NewReader("x")).expect(t, "one that waits", 200, "ok") })
		<-called
	}
	if a, b := counts[0].Load(), counts[1].Load(); a != 2 || b != 2 {
		t.Errorf("of four requests at once %d and %d went to the two backends, expected two each", a, b)
	}
	for range 4 {
		release <- true
	}
	waiting.Wait()
}

// Answer is the beginning of a response, as text or as the STDOUT of a
// FastCGI response, which is the whole when end is true.
func Answer(protocol, text string, end bool) []byte {
	if protocol != "fastcgi" {
		return []byte(text)
	}
	text = strings.Replace(text, "HTTP/1.1 ", "Status: ", 1)
	return stdout(text, end)
}

func stdout(text string, end bool) []byte {
	b := fcgi.AppendStream(nil, fcgi.Stdout, 1, []byte(text))
	if end {
		b = fcgi.AppendEnd(fcgi.AppendStreamEnd(b, fcgi.Stdout, 1), 1, 0, fcgi.RequestComplete)
	}
	return b
}
