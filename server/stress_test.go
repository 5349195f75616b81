package server_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// crowd is an application for many clients at once: each answer names its
// request, so that one that went astray is seen (THR-02). It counts the bodies
// that are open.
type crowd struct{ open, served atomic.Int64 }

func (a *crowd) Call(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	a.open.Add(1)
	headers := wsgi.Headers{{Name: "X-Path", Value: e.Var("PATH_INFO")}}
	if _, err := start("200 OK", headers, nil); err != nil {
		a.open.Add(-1)
		return nil, err
	}
	name := []byte(e.Var("PATH_INFO") + "\n")
	big := e.Var("QUERY_STRING") == "big"
	return closer{wsgi.Generator(func(yield func([]byte, error) bool) {
		io.Copy(io.Discard, e.Input())
		for i := 0; i < 3 || big && i < 1<<14; i++ {
			if !yield(name, nil) {
				return
			}
		}
	}), func() error { a.open.Add(-1); a.served.Add(1); return nil }}, nil
}

// TestServerCrowd holds ten thousand keep-alive connections open, uses each of
// them several times, and sees that nothing is left of them. The server is a
// process of its own, for two ends of so many connections may be more than one
// process may open.
func TestServerCrowd(t *testing.T) {
	const connections = 10_000
	if limit := openFiles(); limit < connections+100 {
		reason := fmt.Sprintf("this process may open %d files, expected at least %d", limit, connections+100)
		if os.Getenv("GOWSGI_CROWD") == "require" {
			t.Fatal(reason)
		}
		t.Skip(reason)
	}
	l := serveChild(t)
	before := l.stats(t)
	const workers, rounds = 64, 3
	conns := make([]net.Conn, connections)
	readers := make([]*bufio.Reader, connections)
	var all sync.WaitGroup
	work := func(each func(i int) error) {
		next := new(atomic.Int64)
		for range workers {
			all.Go(func() {
				for {
					i := int(next.Add(1)) - 1
					if i >= connections {
						return
					}
					if err := each(i); err != nil {
						t.Errorf("connection %d: %v", i, err)
						return
					}
				}
			})
		}
		all.Wait()
	}
	work(func(i int) (err error) {
		conns[i], err = net.Dial("tcp", l.addr.String())
		if err != nil {
			return err
		}
		conns[i].SetDeadline(time.Now().Add(10 * patience))
		readers[i] = bufio.NewReaderSize(conns[i], 512)
		return nil
	})
	for round := range rounds {
		if t.Failed() {
			break
		}
		work(func(i int) error {
			path := fmt.Sprintf("/%d/%d", round, i)
			if _, err := fmt.Fprintf(conns[i], "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", path); err != nil {
				return err
			}
			response, err := http.ReadResponse(readers[i], nil)
			if err != nil {
				return err
			}
			body, err := io.ReadAll(response.Body)
			if want := strings.Repeat(path+"\n", 3); string(body) != want || response.Header.Get("X-Path") != path {
				return fmt.Errorf("answer is %q, %v, expected %q", body, err, want)
			}
			return err
		})
	}
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
	var after stats
	eventually(t, "the server is as it was", func() bool {
		after = l.stats(t)
		return after.Open == before.Open && after.Goroutines <= before.Goroutines && after.Descriptors <= before.Descriptors
	})
	if n := after.Served - before.Served; n < connections*rounds && !t.Failed() {
		t.Errorf("the application served %d requests, expected %d", n, connections*rounds)
	}
	fmt.Fprintf(t.Output(), "before %+v, after %d requests on %d connections %+v\n", before, connections*rounds, connections, after)
}

// stats is what the server process knows of itself.
type stats struct{ Goroutines, Descriptors, Open, Served int }

var childCrowd crowd

func (a *crowd) stats(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	b, err := json.Marshal(stats{runtime.NumGoroutine(), descriptors(), int(a.open.Load()), int(a.served.Load())})
	if err != nil {
		return nil, err
	}
	return text(string(b))(e, start)
}

func (l *live) stats(t *testing.T) (s stats) {
	t.Helper()
	a := l.roundTrip("GET /stats HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	if err := json.Unmarshal([]byte(a.body), &s); err != nil {
		t.Fatalf("stats are %q: %v", a.body, err)
	}
	return s
}

// openFiles is how many files this process may have open.
func openFiles() int {
	limits, err := os.ReadFile("/proc/self/limits")
	if err != nil {
		return 1000 // a cautious guess; the soft limit is raised by package os where it can be
	}
	for line := range strings.Lines(string(limits)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			var soft int
			if _, err := fmt.Sscan(rest, &soft); err == nil {
				return soft
			}
		}
	}
	return 1 << 20
}

// TestServerUnrulyCrowd mixes clients that behave with such as vanish in the
// middle of a request or a response, read or write slowly, or talk nonsense.
func TestServerUnrulyCrowd(t *testing.T) {
	app := new(crowd)
	l := serve(t, &server.Server{App: app, ReadHeaderTimeout: 5 * time.Second, // a client that behaves may wait for its turn on a busy machine
		ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond})
	kinds := []struct {
		name string
		act  func(c net.Conn) error
	}{
		{"behaves", func(c net.Conn) error {
			fmt.Fprintf(c, "POST /ok HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
			b, err := io.ReadAll(c)
			if err == nil && !strings.Contains(string(b), "/ok") {
				return fmt.Errorf("answer is %q", b)
			}
			return err
		}},
		{"vanishes in the head", func(c net.Conn) error { fmt.Fprint(c, "GET / HT"); return nil }},
		{"vanishes in the body", func(c net.Conn) error {
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nabc")
			return nil
		}},
		{"vanishes in a chunk", func(c net.Conn) error {
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc")
			return nil
		}},
		{"vanishes in the response", func(c net.Conn) error {
			fmt.Fprint(c, "GET /?big HTTP/1.1\r\nHost: h\r\n\r\n")
			io.CopyN(io.Discard, c, 100)
			return nil
		}},
		{"resets in the response", func(c net.Conn) error {
			fmt.Fprint(c, "GET /?big HTTP/1.1\r\nHost: h\r\n\r\n")
			io.CopyN(io.Discard, c, 100)
			c.(*net.TCPConn).SetLinger(0)
			return nil
		}},
		{"does not read", func(c net.Conn) error {
			c.(*net.TCPConn).SetReadBuffer(1)
			fmt.Fprint(c, "GET /?big HTTP/1.1\r\nHost: h\r\n\r\n")
			time.Sleep(1200 * time.Millisecond) // longer than the server waits
			return nil
		}},
		{"writes slowly", func(c net.Conn) error {
			fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n")
			for range 8 {
				if _, err := c.Write([]byte("x")); err != nil {
					return nil
				}
				time.Sleep(100 * time.Millisecond)
			}
			return nil
		}},
		{"talks nonsense", func(c net.Conn) error {
			fmt.Fprint(c, "\x00\xff\r\n\r\nGET\r\n\r\n")
			io.Copy(io.Discard, c)
			return nil
		}},
	}
	var all sync.WaitGroup
	for i := range 40 * len(kinds) {
		kind := kinds[i%len(kinds)]
		all.Go(func() {
			c, err := net.Dial("tcp", l.addr.String())
			if err != nil {
				t.Errorf("%s: %v", kind.name, err)
				return
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(2 * patience))
			if err := kind.act(c); err != nil {
				t.Errorf("%s: %v", kind.name, err)
			}
		})
		if i%64 == 0 {
			runtime.Gosched()
		}
	}
	all.Wait()
	eventually(t, "every body is closed", func() bool { return app.open.Load() == 0 })
	if log := l.log.String(); strings.Contains(log, "panic") {
		t.Errorf("log contains a panic:\n%.2000s", log)
	}
	if a := l.roundTrip(get("/after")); a.StatusCode != 200 {
		t.Errorf("ERR-12: the server answers %s", a.Status)
	}
}
