package sandwich

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// cgiVariable says to the binary of a test that it is to be a CGI program.
const cgiVariable = "GOWSGI_SANDWICH_CGI"

// middlewareHeader names, in a request, the middleware that it is for.
const middlewareHeader = "X-Middleware"

// Main is the TestMain of a package that calls LiveCGI: for its scripts, the binary is
// a CGI program, in which each request has the application and the middleware that it
// names. all makes the middlewares.
func Main(m *testing.M, all func() map[string]wsgi.Middleware) {
	if os.Getenv(cgiVariable) == "" {
		os.Exit(m.Run())
	}
	err := cgi.Serve(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return all()[environ.Header(middlewareHeader)](ByKind(PlainKinds())).Call(environ, start)
	}))
	if err != nil {
		os.Exit(1) // a response that was cut: the web server has been told why
	}
}

// LiveCGI is Live for CGI, where each request has a process, and for the middlewares
// that all makes. variables are for the environment of the processes, as NAME=VALUE.
func LiveCGI(t *testing.T, all func() map[string]wsgi.Middleware, variables ...string) {
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	if testing.Short() {
		t.Skip("not with -short: starts a process for each request; CI runs it without")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "program")
	script := "#!/bin/sh\n"
	for _, variable := range variables {
		script += "export '" + variable + "'\n"
	}
	// The race detector would have each process sleep for a second at its end.
	script += "GORACE=atexit_sleep_ms=0 " + cgiVariable + "=1 exec '" + self + "'\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	front, err := frontend.Listen("cgi", "exec", path)
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	send := wsgitest.Live("tcp", front.Addr().String())
	kinds := PlainKinds()
	few := map[string]wsgi.Application{"one block": kinds["one block"], "input": kinds["input"], "length": kinds["length"]}
	for name := range all() {
		t.Run(name, func(t *testing.T) {
			Agree(t, "cgi", all()[name], kinds, []string{"GET"}, send, middlewareHeader, name)
			Agree(t, "cgi", all()[name], few, []string{"HEAD", "POST", "cond", "range", "cors"}, send, middlewareHeader, name)
		})
	}
}
