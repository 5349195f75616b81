package middleware_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/internal/sandwich"
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
		return everything()[environ.Header("X-Middleware")](sandwich.ByKind(sandwich.PlainKinds())).Call(environ, start)
	}))
	if err != nil {
		os.Exit(1) // a response that was cut: the web server has been told why
	}
}

// Every middleware works on every server as it does in memory.
func TestLive(t *testing.T) {
	for name := range everything() {
		t.Run(name, func(t *testing.T) {
			sandwich.Live(t, func() wsgi.Middleware { return everything()[name] })
		})
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
		sandwich.Agree(t, "cgi", m, sandwich.PlainKinds(), []string{"POST"}, send, "X-Middleware", name)
	}
}
