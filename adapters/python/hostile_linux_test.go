package python_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/python"
)

// hostile is the configuration of the applications of testdata/hostile.py.
func hostile(t testing.TB) python.Config {
	c := config(t)
	c.App = "testdata/hostile.py:app"
	return c
}

// dial sends text over a connection of its own.
func (s *site) dial(text string) net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// TestLateWhileSending: an exception that comes out of a signal handler while a part
// of a response is on its way does not have the next response in the place of the
// rest.
func TestLateWhileSending(t *testing.T) {
	s := open(t, hostile(t))
	client := s.dial("GET /sends_until_late HTTP/1.1\r\nHost: a\r\n\r\n")
	s.log.wait(t, "Late") // caught by the application, or what the worker has ended with
	first := make(chan string)
	go func() {
		client.SetDeadline(time.Now().Add(patience / 3))
		all, _ := io.ReadAll(client)
		first <- string(all)
	}()
	secret := strings.Repeat("secret", 20000)
	next := s.dial(fmt.Sprintf("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", len(secret), secret))
	next.SetDeadline(time.Now().Add(patience / 3))
	if all, err := io.ReadAll(next); err != nil || !strings.HasSuffix(string(all), "\r\n\r\n"+secret) {
		t.Errorf("the next request got %.200q, %d bytes, %v", all, len(all), err)
	}
	if strings.Contains(<-first, "secret") {
		t.Error("the first client got the response to another")
	}
	s.log.wait(t, "the application was interrupted while it spoke with its server")
}

// TestLateWhileReading: the same, for a part of a body that is asked for.
func TestLateWhileReading(t *testing.T) {
	s := open(t, hostile(t))
	client := s.dial("POST /reads_until_late HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + strings.Repeat("a", 60000))
	s.log.wait(t, "Late") // caught by the application, or what the worker has ended with
	client.SetDeadline(time.Now().Add(patience / 3))
	io.WriteString(client, strings.Repeat("a", 140000))
	answered, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err != nil {
		t.Fatal(err)
	}
	answered.Body.Close()
	want := strings.Repeat("b", 100000)
	if a := s.do("POST", "/echo", strings.NewReader(want)); a.status != 200 || a.body != want {
		t.Errorf("the next request got %d, %d bytes with %d of another's, %v", a.status, len(a.body), strings.Count(a.body, "a"), a.err)
	}
}

// TestFork: a process that the application forks in a request and forgets to end
// takes no requests, and answers none.
func TestFork(t *testing.T) {
	for _, threads := range []int{1, 3} {
		t.Run(fmt.Sprint(threads), func(t *testing.T) {
			c := hostile(t)
			c.Threads = threads
			s := open(t, c)
			first := s.get("/pid").body
			for range 3 {
				s.want("/forks", 200, "parentparent")
			}
			for range 20 {
				s.want("/pid", 200, first)
			}
			body := strings.Repeat("b", 100000)
			if a := s.do("POST", "/echo", strings.NewReader(body)); a.status != 200 || a.body != body {
				t.Errorf("got %d, %d bytes, %v", a.status, len(a.body), a.err)
			}
		})
	}
}

// TestLeftGroup: a worker that has left its process group is killed like any other.
func TestLeftGroup(t *testing.T) {
	for _, preload := range []bool{false, true} {
		t.Run(fmt.Sprint(preload), func(t *testing.T) {
			c := hostile(t)
			c.Timeout, c.Preload = 300*time.Millisecond, preload
			s := open(t, c)
			if a := s.get("/leaves_group"); a.status != 504 {
				t.Errorf("got %d, want 504", a.status)
			}
			s.log.wait(t, "worker ended unexpectedly")
			s.want("/logs_bytes", 200, "logged")
		})
	}
}

// TestLogOfBytes: characters that become longer in the log than a frame has room for
// do not cost the worker, and nothing of them is lost.
func TestLogOfBytes(t *testing.T) {
	s := open(t, hostile(t))
	s.want("/logs_bytes", 200, "logged")
	s.log.wait(t, "the end")
	if n := s.pool.Stats().Restarts; n != 0 {
		t.Errorf("%d workers have ended", n)
	}
}

// TestBadHints: an early hint cannot have more headers in it than those of the list,
// and its length does not cost the worker.
func TestBadHints(t *testing.T) {
	s := open(t, hostile(t))
	for _, kind := range []string{"nul", "long", "number"} {
		client := s.dial("GET /hints?" + kind + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		client.SetDeadline(time.Now().Add(patience))
		all, _ := io.ReadAll(client)
		if text := string(all); strings.Contains(text, "evil") || !strings.HasPrefix(text, "HTTP/1.1 200 ") || !strings.HasSuffix(text, "refused") {
			t.Errorf("%s: got %.300q", kind, text)
		}
	}
}

// TestDefaultTimeout: what an application sets for the sockets that it opens is not
// for those that a worker has.
func TestDefaultTimeout(t *testing.T) {
	for _, preload := range []bool{false, true} {
		t.Run(fmt.Sprint(preload), func(t *testing.T) {
			c := hostile(t)
			c.Preload, c.App = preload, "testdata/hostile.py:with_timeout()"
			s := open(t, c)
			s.want("/sleeps", 200, "slept")
			s.want("/download", 200, strings.Repeat("f", 100000))
			s.want("/large", 200, strings.Repeat("l", 1000000))
			body := strings.Repeat("b", 1000000)
			r, w := io.Pipe() // slower than the limit of time
			go func() {
				io.WriteString(w, body[:300000])
				s.get("/sleeps")
				io.WriteString(w, body[300000:])
				w.Close()
			}()
			if preload { // one worker cannot answer both
				r.Close()
			} else {
				s.pool.SetProcesses(2)
				eventually(t, "there are two workers", func() bool { return s.pool.Stats().Workers == 2 })
				if a := s.do("POST", "/echo", r); a.status != 200 || a.body != body {
					t.Errorf("got %d, %d bytes, %v", a.status, len(a.body), a.err)
				}
			}
			if n := s.pool.Stats().Restarts; n != 0 {
				t.Errorf("%d workers have ended", n)
			}
		})
	}
}

// TestManyNames: a client that sends ever new names of headers does not have the
// worker remember them all.
func TestManyNames(t *testing.T) {
	s := open(t, hostile(t))
	pid, err := strconv.Atoi(s.get("/pid").body)
	if err != nil {
		t.Fatal(err)
	}
	before := resident(t, pid)
	for i := range 150 {
		var head strings.Builder
		fmt.Fprintf(&head, "GET /pid HTTP/1.1\r\nHost: a\r\nConnection: close\r\n")
		for n := range 6000 {
			fmt.Fprintf(&head, "a%x:\r\n", i*6000+n)
		}
		client := s.dial(head.String() + "\r\n")
		all, _ := io.ReadAll(client)
		if !strings.HasPrefix(string(all), "HTTP/1.1 200 ") {
			t.Fatalf("got %.200q", all)
		}
		client.Close()
	}
	if grown := resident(t, pid) - before; grown > 50<<20 {
		t.Errorf("the worker has grown by %d MiB", grown>>20)
	}
}

// resident returns the bytes of memory that a process has.
func resident(t testing.TB, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
