package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// TestMain makes the test binary a CGI program when the script of TestLiveCGI says
// so: each request names the middleware and the application that it is for.
func TestMain(m *testing.M) {
	if os.Getenv("GOWSGI_MIDDLEWARE_CGI") == "" {
		os.Exit(m.Run())
	}
	err := cgi.Serve(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return everything()[environ.Header("X-Middleware")](byKind(plainKinds())).Call(environ, start)
	}))
	if err != nil {
		os.Exit(1) // a response that was cut: the web server has been told why
	}
}

// byKind is the application that a request asks for.
func byKind(all map[string]wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		app, ok := all[environ.Header("X-Kind")]
		if !ok {
			return nil, fmt.Errorf("there is no application %q", environ.Header("X-Kind"))
		}
		return app.Call(environ, start)
	})
}

// running is a server of this module.
type running interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// transports are the servers of the module that run in the process of the test.
func transports(app wsgi.Application) map[string]running {
	silent := slog.New(slog.DiscardHandler)
	return map[string]running{
		"http":    &server.Server{App: app, Errors: io.Discard, Logger: silent},
		"fastcgi": &fastcgi.Server{App: app, Errors: io.Discard, Logger: silent},
		"scgi":    &scgi.Server{App: app, Errors: io.Discard, Logger: silent},
		"uwsgi":   &uwsgi.Server{App: app, Errors: io.Discard, Logger: silent},
	}
}

// through starts a server, with a web server before it where its protocol is not
// HTTP, and returns what sends requests.
func through(t *testing.T, protocol string, s running) func(*wsgitest.Request) *wsgitest.Response {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		<-done
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Errorf("requests are left after Close: %v", err)
		}
	})
	if protocol == "http" {
		return wsgitest.Live("tcp", l.Addr().String())
	}
	front, err := frontend.Listen(protocol, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { front.Close() })
	return wsgitest.Live("tcp", front.Addr().String())
}

// agree sends each visit to each kind of application, and compares what comes with
// what is recorded in memory.
func agree(t *testing.T, protocol string, m wsgi.Middleware, kinds map[string]wsgi.Application, visits []string, send func(*wsgitest.Request) *wsgitest.Response, more ...string) {
	t.Helper()
	for kind := range kinds {
		for _, visit := range visits {
			// Two requests, since a body is read once.
			request := func() *wsgitest.Request {
				req := visited(visit).With("X-Kind", kind)
				for i := 0; i < len(more); i += 2 {
					req.With(more[i], more[i+1])
				}
				return req
			}
			want, got := wsgitest.Record(m(byKind(kinds)), request()), send(request())
			// That a response without a body was cut cannot be seen on the wire. In SCGI
			// and uwsgi a reset says it, and while a body is being sent the goroutine of
			// the front end that sends may be the one that is told of it.
			unseen := visit == "HEAD" || visit == "POST" && (protocol == "scgi" || protocol == "uwsgi")
			cut := (got.Err == nil) != (want.Err == nil) && !unseen
			if got.Code != want.Code || got.Text() != want.Text() || cut {
				t.Errorf("%s, %s: live %d with %d bytes, error %v; expected %d with %d bytes, error %v",
					visit, kind, got.Code, len(got.Text()), got.Err, want.Code, len(want.Text()), want.Err)
			}
			if diff := cmp.Diff(ownHeaders(want.Headers), ownHeaders(got.Headers)); diff != "" {
				t.Errorf("%s, %s: headers (-recorded +live):\n%s", visit, kind, diff)
			}
		}
	}
}

func visited(name string) *wsgitest.Request { return visits()[name] }

// Every middleware works on every server as it does in memory.
func TestLive(t *testing.T) {
	all := kinds(t)
	asked := []string{"GET", "HEAD", "POST", "cond", "range", "cors"}
	if testing.Short() {
		asked = []string{"GET", "POST"}
	}
	for name := range everything() {
		t.Run(name, func(t *testing.T) {
			m := everything()[name]
			for protocol, s := range transports(m(byKind(all))) {
				t.Run(protocol, func(t *testing.T) {
					agree(t, protocol, everything()[name], all, asked, through(t, protocol, s))
				})
			}
		})
	}
}

// plainKinds are the applications for a process of its own: of each way to make a
// response, one.
func plainKinds() map[string]wsgi.Application {
	return map[string]wsgi.Application{
		"one block":   text("one block, and no more"),
		"stream":      streams(nil, "a", "", "stream", "z"),
		"write":       writes("written ", "and ", "yielded"),
		"input":       reads(),
		"no content":  wsgi.Response{Status: "204 No Content"},
		"fails":       wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, errors.New("failed") }),
		"fails later": streams(errors.New("failed"), "begun ", "and"),
	}
}

// TestLiveCGI is TestLive for CGI, where each request has a process.
func TestLiveCGI(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	if testing.Short() {
		t.Skip("a process for each request")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	// The race detector would have each process sleep for a second at its end.
	script := "#!/bin/sh\nGORACE=atexit_sleep_ms=0 GOWSGI_MIDDLEWARE_CGI=1 exec '" + self + "'\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	front, err := frontend.Listen("cgi", "exec", path)
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	send := wsgitest.Live("tcp", front.Addr().String())
	for name, m := range everything() {
		agree(t, "cgi", m, plainKinds(), []string{"POST"}, send, "X-Middleware", name)
	}
}
