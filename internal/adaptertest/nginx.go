package adaptertest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/internal/installed"
	"github.com/gowsgi/gowsgi/wsgi"
)

// countedListener counts the connections.
type countedListener struct {
	net.Listener
	n atomic.Int32
}

func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

// Nginx tests the adapter behind a real web server.
func (s Subject) Nginx(t *testing.T) {
	installed.Find(t, "nginx")
	Leaks(t)
	step, gone, release := make(chan bool), make(chan error, 1), make(chan bool)
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}, {Name: "X-Path", Value: environ.Var("PATH_INFO")}}
		switch path := environ.Var("PATH_INFO"); {
		case strings.HasSuffix(path, "/stream"):
			start("200 OK", headers, nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				for range 3 {
					if !yield([]byte("block\n"), nil) {
						return
					}
					<-step
				}
			}), nil
		case strings.HasSuffix(path, "/cut"):
			start("200 OK", headers, nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("begun\n"), nil) {
					<-release
					yield(nil, io.ErrUnexpectedEOF)
				}
			}), nil
		case strings.HasSuffix(path, "/wait"):
			step <- true
			<-environ.Context().Done()
			gone <- context.Cause(environ.Context())
			return nil, environ.Context().Err()
		case strings.HasSuffix(path, "/early"):
			return wsgi.Response{Status: "413 Content Too Large", Body: wsgi.Strings("too large")}.Call(environ, start)
		}
		b, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return wsgi.Response{Status: "200 OK", Headers: headers, Body: wsgi.Strings(string(b))}.Call(environ, start)
	})
	for _, network := range []string{"tcp", "unix"} {
		t.Run(network, func(t *testing.T) {
			addr := Serve(t, s.New(backend.Options{App: app, Logger: Silent}), network)
			s.behind(t, "http://"+s.startNginx(t, addr), step, gone)
			if network == "tcp" {
				s.cutBehind(t, addr, release)
			}
		})
	}
	if s.Protocol == "fastcgi" {
		t.Run("kept", func(t *testing.T) { s.keptBehind(t, app) })
	}
}

// client is a client without memory, which follows nobody.
func client() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       Patience,
	}
}

func (s Subject) behind(t *testing.T, url string, step chan bool, gone chan error) {
	c := client()
	ask := func(method, path string, body io.Reader) (*http.Response, string) {
		t.Helper()
		q, err := http.NewRequest(method, url+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r, err := c.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
		return r, string(text)
	}
	large := strings.Repeat("0123456789abcdef", 64<<10)
	for _, folder := range []string{"/", "/unbuffered/"} {
		if r, text := ask("GET", folder+"a%20b", nil); r.StatusCode != 200 || text != "" || r.Header.Get("X-Path") != folder+"a b" {
			t.Errorf("GET below %s: %s %q, X-Path %q", folder, r.Status, text, r.Header.Get("X-Path"))
		}
		if r, text := ask("HEAD", folder+"a", nil); r.StatusCode != 200 || text != "" {
			t.Errorf("HEAD below %s: %s %q", folder, r.Status, text)
		}
		if r, text := ask("POST", folder+"a", strings.NewReader(large)); r.StatusCode != 200 || text != large {
			if s.Protocol == "scgi" && folder == "/unbuffered/" && r.StatusCode == 400 {
				continue // nginx before 1.29.6 announces a part of the body as the whole
			}
			t.Errorf("POST of 1 MiB below %s: %s and %d bytes", folder, r.Status, len(text))
		}
		if r, text := ask("POST", folder+"early", strings.NewReader(large)); r.StatusCode != 413 || text != "too large" {
			t.Errorf("POST below %s that is answered early: %s %q", folder, r.Status, text)
		}
	}

	// A block is at the client before the next is asked for.
	q, err := c.Get(url + "/unbuffered/stream")
	if err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(q.Body)
	for range 3 {
		if line, err := in.ReadString('\n'); line != "block\n" || err != nil {
			t.Fatalf("a block came as %q, %v", line, err)
		}
		step <- true
	}
	if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
		t.Errorf("after the stream: %q, %v", rest, err)
	}
	q.Body.Close()

	// nginx tells that its client has left by closing the connection.
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan bool)
	go func() {
		defer close(left)
		q, _ := http.NewRequestWithContext(ctx, "GET", url+"/wait", nil)
		if r, err := c.Do(q); err == nil {
			r.Body.Close()
		}
	}()
	<-step
	cancel()
	select {
	case err := <-gone:
		if err == nil {
			t.Error("the context ended without a cause")
		}
	case <-time.After(Patience):
		t.Error("the application is not told that the client has left")
	}
	<-left
}

// cutBehind: whether the client can see that a response was cut.
func (s Subject) cutBehind(t *testing.T, addr string, release chan bool) {
	r, err := client().Get("http://" + s.startNginx(t, addr) + "/unbuffered/cut")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b := make([]byte, 6)
	if _, err := io.ReadFull(r.Body, b); err != nil || string(b) != "begun\n" {
		t.Errorf("the beginning is %q, %v", b, err)
	}
	release <- true
	if rest, err := io.ReadAll(r.Body); err == nil {
		t.Errorf("a response that was cut looks complete, after it came %q", rest)
	}
}

// keptBehind: requests share a connection.
func (s Subject) keptBehind(t *testing.T, app wsgi.Application) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countedListener{Listener: l}
	server := s.New(backend.Options{App: app, Logger: Silent})
	served := make(chan error, 1)
	go func() { served <- server.Serve(counted) }()
	t.Cleanup(func() {
		server.Close()
		<-served
	})
	url := "http://" + s.startNginx(t, l.Addr().String())
	// A client that leaves as soon as it has the body makes nginx close.
	c := &http.Client{Transport: &http.Transport{DisableCompression: true}, Timeout: Patience}
	defer c.CloseIdleConnections()
	for i := range 10 {
		r, err := c.Post(url+"/kept/a", "text/plain", strings.NewReader(fmt.Sprint("number ", i)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		r.Body.Close()
		if want := fmt.Sprint("number ", i); r.StatusCode != 200 || string(text) != want || err != nil {
			t.Errorf("%s %q, %v, expected %q", r.Status, text, err, want)
		}
	}
	if n := counted.n.Load(); n != 1 {
		t.Errorf("10 requests came on %d connections, expected one", n)
	}
}
