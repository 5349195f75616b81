package nethttp_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/wsgi"
)

// pull iterates the body of h as a coroutine, the consumer that a yield from a
// wrong goroutine would kill, and returns its blocks.
func pull(t *testing.T, h http.Handler) (blocks []string, err error) {
	t.Helper()
	environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "PATH_INFO": "/"})
	body, err := nethttp.Application(h).Call(environ,
		func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	next, stop := iter.Pull2(body.Blocks)
	defer stop()
	for {
		block, err, more := next()
		if !more || err != nil {
			return blocks, err
		}
		blocks = append(blocks, string(block))
	}
}

func TestOtherGoroutine(t *testing.T) {
	big := strings.Repeat("x", 5000)
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    []string
	}{
		{"Flush of what is pending waits for the next Write", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			elsewhere(w.(http.Flusher).Flush)
			io.WriteString(w, "b")
			io.WriteString(w, "c")
		}, []string{"ab", "c"}},
		{"or for the end", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			elsewhere(w.(http.Flusher).Flush)
		}, []string{"a"}},
		{"Flush of nothing changes nothing", func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "a")
			w.(http.Flusher).Flush()
			elsewhere(w.(http.Flusher).Flush)
			io.WriteString(w, "b")
			io.WriteString(w, "c")
		}, []string{"a", "bc"}},
		{"a small Write is like any other", func(w http.ResponseWriter, r *http.Request) {
			elsewhere(func() { io.WriteString(w, "a") })
			io.WriteString(w, "b")
		}, []string{"ab"}},
		{"a large one is kept for the next Flush", func(w http.ResponseWriter, r *http.Request) {
			elsewhere(func() { io.WriteString(w, big) })
			w.(http.Flusher).Flush()
			io.WriteString(w, "b")
		}, []string{big, "b"}},
		{"or the next large Write", func(w http.ResponseWriter, r *http.Request) {
			elsewhere(func() { w.Write([]byte(big)) })
			w.Write([]byte(big))
		}, []string{big, big}},
		{"or the end", func(w http.ResponseWriter, r *http.Request) {
			elsewhere(func() { io.Copy(w, strings.NewReader(big)) })
			elsewhere(func() { io.WriteString(w, "b") })
		}, []string{big + "b"}},
		{"where every Write is yielded too", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			elsewhere(func() { io.WriteString(w, "a") })
			io.WriteString(w, "b")
			io.WriteString(w, "c")
		}, []string{"ab", "c"}},
		{"as much as is kept", func(w http.ResponseWriter, r *http.Request) {
			elsewhere(func() { w.Write(make([]byte, 1<<20)) })
		}, []string{string(make([]byte, 1<<20))}},
		{"a coroutine of the handler's is another goroutine", func(w http.ResponseWriter, r *http.Request) {
			next, stop := iter.Pull(func(yield func(int) bool) {
				w.Write([]byte(big))
				yield(1)
			})
			defer stop()
			next()
			io.WriteString(w, "b")
		}, []string{big, "b"}},
		{"deep below the handler it is still the handler's", func(w http.ResponseWriter, r *http.Request) {
			for _, depth := range []int{10, 20, 21, 22, 23, 24, 25, 26, 47, 48, 49, 100} {
				deep(depth, func() {
					fmt.Fprint(w, depth)
					w.(http.Flusher).Flush()
				})
			}
		}, []string{"10", "20", "21", "22", "23", "24", "25", "26", "47", "48", "49", "100"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := pull(t, test.handler)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
		})
	}
}

//go:noinline
func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
}

// TestTooMuchElsewhere: what cannot be kept fails the response, so that it is
// not taken for complete.
func TestTooMuchElsewhere(t *testing.T) {
	var first, second error
	_, err := pull(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere(func() {
			_, first = w.Write(make([]byte, 1<<20+1))
			_, second = w.Write([]byte("x"))
		})
	}))
	for _, err := range []error{first, second, err} {
		if err == nil || !strings.Contains(err.Error(), "goroutines other than the handler's") {
			t.Errorf("error is %v", err)
		}
	}
}

// TestManyGoroutines is for the race detector.
func TestManyGoroutines(t *testing.T) {
	blocks, err := pull(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 100 {
					io.WriteString(w, "0123456789")
					w.(http.Flusher).Flush()
				}
			})
		}
		for range 100 {
			io.WriteString(w, "0123456789")
			w.(http.Flusher).Flush()
		}
		all.Wait()
	}))
	if got, want := strings.Join(blocks, ""), strings.Repeat("0123456789", 900); got != want || err != nil {
		t.Errorf("%d bytes and error %v, want %d bytes", len(got), err, len(want))
	}
}

// TestWriteAfterReturn: a goroutine that outlives the request gets errors, and
// races with nothing.
func TestWriteAfterReturn(t *testing.T) {
	var left sync.WaitGroup
	returned := make(chan struct{})
	_, err := pull(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		left.Go(func() {
			for {
				if _, err := io.WriteString(w, "x"); err != nil {
					return
				}
				select {
				case <-returned:
					if _, err := io.WriteString(w, "x"); err == nil {
						t.Error("Write returned nil")
					}
					return
				default:
				}
			}
		})
	}))
	close(returned)
	left.Wait()
	if err != nil {
		t.Error(err)
	}
}

// TestExec: os/exec copies a command's output from a goroutine of its own, by
// ReadFrom, out of a pipe.
func TestExec(t *testing.T) {
	blocks, err := pull(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cmd := exec.Command("sh", "-c", "i=0; while [ $i -lt 1000 ]; do echo 0123456789; i=$((i+1)); done")
		cmd.Stdout = w
		if err := cmd.Run(); err != nil {
			t.Error(err)
		}
	}))
	if got, want := strings.Join(blocks, ""), strings.Repeat("0123456789\n", 1000); got != want || err != nil {
		t.Errorf("%d bytes and error %v, want %d bytes", len(got), err, len(want))
	}
}

// TestReverseProxyFlush: the flush timer of ReverseProxy is another goroutine.
// It runs only where there is a Content-Length, and there nothing waits for
// it: every piece arrives before the backend sends the next.
func TestReverseProxyFlush(t *testing.T) {
	checkGoroutines(t)
	arrived := make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("Content-Length", "10")
		for i := range 10 {
			fmt.Fprint(w, i)
			w.(http.Flusher).Flush()
			<-arrived
		}
	}))
	defer backend.Close()
	target, _ := url.Parse(backend.URL)
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = time.Microsecond
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	proxy.Transport = transport

	environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "PATH_INFO": "/"})
	body, err := nethttp.Application(proxy).Call(environ,
		func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	for block, err := range body.Blocks {
		if err != nil {
			t.Fatal(err)
		}
		got.Write(block)
		arrived <- struct{}{}
	}
	if got.String() != "0123456789" {
		t.Errorf("body is %q", got.String())
	}
}
