package server_test

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestServerStalledStream has an HTTP/2 client that does not take its
// response: it is the stream that stalls, the connection is in order.
func TestServerStalledStream(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<30); err != nil {
		t.Fatal(err)
	}
	p := protocols[2]
	t.Run("BUF-06/file", func(t *testing.T) {
		l, url := p.serve(t, &server.Server{WriteTimeout: 100 * time.Millisecond, App: wsgi.AppFunc(sendsFile)})
		r, err := p.client(t).Get(url + "/?" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		eventually(t, "the client is given up", func() bool { return strings.Contains(l.log.String(), "client left") })
		noDescriptors(t, path)
	})
	ended := make(chan struct{}, 1)
	_, url := p.serve(t, &server.Server{WriteTimeout: 100 * time.Millisecond, App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", plain, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for yield(make([]byte, 256<<10), nil) {
			}
			ended <- struct{}{}
		}), nil
	})})
	r, err := p.client(t).Get(url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	receive(t, "the body ends, though nobody reads and nobody leaves", ended)
}

// TestServerEarlyHints looks at interim responses as bytes.
func TestServerEarlyHints(t *testing.T) {
	link := wsgi.Headers{{Name: "Link", Value: "</a.css>; rel=preload"}}
	var results []error
	closed := make(chan struct{}, 2)
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		hint := e.Get("wsgi.early_hints").(func(wsgi.Headers) error)
		results = []error{hint(link), hint(link), hint(wsgi.Headers{{Name: "X", Value: "a\nb"}})}
		write, err := start("200 OK", plain, nil)
		if err != nil {
			return nil, err
		}
		write([]byte("x"))
		results = append(results, hint(link))
		return closer{wsgi.Empty(), func() error { closed <- struct{}{}; return nil }}, nil
	})})
	t.Run("COM-12/1.1", func(t *testing.T) {
		c := l.dial().send("%s", get("/"))
		for range 2 {
			if head := c.head(); head != "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" {
				t.Errorf("interim head is %q", head)
			}
		}
		if head := c.head(); !strings.HasPrefix(head, "HTTP/1.1 200 OK\r\n") || strings.Contains(head, "Link") {
			t.Errorf("N-26: final head is %q", head)
		}
		receive(t, "the body is closed", closed)
		want := &wsgi.ContractError{Rule: "HDR-11"}
		if results[0] != nil || results[1] != nil || !errors.Is(results[2], want) || results[3] != nil {
			t.Errorf("hints returned %v", results)
		}
	})
	t.Run("COM-12/1.0", func(t *testing.T) {
		if head := l.dial().send("GET / HTTP/1.0\r\n\r\n").head(); !strings.HasPrefix(head, "HTTP/1.0 200 OK\r\n") {
			t.Errorf("head is %q, expected no interim response", head)
		}
	})
}

// TestServerSingleThread sends requests that would meet in the application.
func TestServerSingleThread(t *testing.T) {
	var inside, most atomic.Int32
	l := serve(t, &server.Server{SingleThread: true, App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		most.Store(max(most.Load(), inside.Add(1)))
		for range 100 {
			runtime.Gosched() // the others may come, if they can
		}
		b, err := text(fmt.Sprint(e.Get("wsgi.multithread")))(e, start)
		return closer{b, func() error { inside.Add(-1); return nil }}, err
	})})
	var clients [16]*client
	for i := range clients {
		clients[i] = l.dial().send("%s", get("/"))
	}
	for _, c := range clients {
		if got := c.answer("GET").body; got != "false" {
			t.Errorf("wsgi.multithread is %q (ENV-18)", got)
		}
	}
	// Nor by way of a handler of the same server.
	var wg sync.WaitGroup
	for _, c := range clients {
		h := l.server.Handler()
		wg.Go(func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)) })
		c.send("%s", get("/"))
	}
	wg.Wait()
	for _, c := range clients {
		c.answer("GET")
	}
	if most.Load() != 1 {
		t.Errorf("THR-01: %d requests were in the application at once", most.Load())
	}
}
