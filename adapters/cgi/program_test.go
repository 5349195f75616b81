package cgi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	httpcgi "net/http/cgi"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMain makes the test binary a CGI program when a script of install says
// so.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv("GOWSGI_CGI_TEST") {
	case "relay":
		err = relay(os.Getenv("GOWSGI_CGI_SOCKET"))
	case "program":
		err = Serve(wsgi.AppFunc(program))
	case "foreign":
		err = httpcgi.Serve(server.Handler(wsgi.AppFunc(program)))
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// install writes a script that makes this binary the program of the given
// name, in a folder of its own: a web server gives a program neither arguments
// nor variables of its own.
func install(t *testing.T, name string) (path string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the program is a shell script")
	}
	dir, err := os.MkdirTemp("", "gw") // the folder of a test may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, name)
	// The race detector would have each process sleep for a second at its end.
	script := "#!/bin/sh\nGORACE=atexit_sleep_ms=0 GOWSGI_CGI_TEST=" + name + " GOWSGI_CGI_SOCKET='" + socketOf(path) + "' exec '" + self + "'\n"
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func socketOf(path string) string { return filepath.Join(filepath.Dir(path), "s") }

// relay passes what a CGI program gets to the socket, and what comes from
// there back: the suite's application is in the process of the test, where
// serve runs it as if it were here. Standard output comes in netstrings, and an
// empty one says that the program has ended well.
func relay(socket string) error {
	c, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer c.Close()
	block := strings.Join(os.Environ(), "\x00")
	if _, err := fmt.Fprintf(c, "%d:%s", len(block), block); err != nil {
		return err
	}
	go func() {
		io.Copy(c, os.Stdin)
		c.(*net.UnixConn).CloseWrite()
	}()
	in := bufio.NewReader(c)
	for {
		var n int
		if _, err := fmt.Fscanf(in, "%d:", &n); err != nil {
			return fmt.Errorf("the program has been cut: %w", err)
		}
		if n == 0 {
			return nil
		}
		if _, err := io.CopyN(os.Stdout, in, int64(n)); err != nil {
			return err
		}
	}
}

// relayed is standard output at the other end.
type relayed struct{ net.Conn }

func (r relayed) Write(p []byte) (int, error) {
	if _, err := r.Conn.Write(append(fmt.Appendf(nil, "%d:", len(p)), p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (r relayed) Close() error { return nil }

// TestConformance runs the suite for servers against serve.
func TestConformance(t *testing.T) {
	path := install(t, "relay")
	adaptertest.Leaks(t)
	conformance.Suite{Protocol: "cgi"}.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		l, err := net.Listen("unix", socketOf(path))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		var turn sync.Mutex
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go func() {
					defer c.Close()
					in := bufio.NewReader(c)
					var n int
					if _, err := fmt.Fscanf(in, "%d:", &n); err != nil {
						return
					}
					block := make([]byte, n)
					if _, err := io.ReadFull(in, block); err != nil {
						return
					}
					// wsgi.multithread is false: each request has a process of its
					// own, and here they take turns.
					turn.Lock()
					defer turn.Unlock()
					if serve(context.Background(), app, strings.Split(string(block), "\x00"), in, relayed{c}, io.Discard, 0) == nil {
						io.WriteString(c, "0:")
					}
				}()
			}
		}()
		return "exec", path
	})
}

// program is the application of program.
func program(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	marker, _ := strings.CutPrefix(environ.Var("QUERY_STRING"), "endless=")
	if marker == environ.Var("QUERY_STRING") {
		b, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(environ.Var("REQUEST_METHOD"), " ", string(b))}.Call(environ, start)
	}
	if _, err := start("200 OK", nil, nil); err != nil {
		return nil, err
	}
	return endless{marker}, nil
}

// endless is a body that leaves a file when it is closed.
type endless struct{ marker string }

func (endless) Blocks(yield func([]byte, error) bool) {
	for yield(make([]byte, 4096), nil) {
	}
}

func (e endless) Close() error { return os.WriteFile(e.marker, []byte("closed"), 0o600) }

// TestProgram is about a real process.
func TestProgram(t *testing.T) {
	t.Run("ours", func(t *testing.T) { answers(t, install(t, "program")) })
	t.Run("net/http/cgi", func(t *testing.T) { answers(t, install(t, "foreign")) })

	// Standard output breaks, and the body is closed all the same.
	t.Run("client leaves", func(t *testing.T) {
		path := install(t, "program")
		marker := filepath.Join(t.TempDir(), "marker")
		in, out, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		p, err := os.StartProcess(path, []string{path}, &os.ProcAttr{
			Env: []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "QUERY_STRING=endless=" + marker}, Files: []*os.File{nil, out, nil},
		})
		if err != nil {
			t.Fatal(err)
		}
		out.Close()
		if _, err := io.ReadFull(in, make([]byte, 8192)); err != nil {
			t.Error(err)
		}
		in.Close()
		ctx, cancel := context.WithTimeout(t.Context(), adaptertest.Patience)
		defer cancel()
		go func() {
			<-ctx.Done()
			p.Kill()
		}()
		state, err := p.Wait()
		if err != nil || !state.Exited() || state.ExitCode() != 1 {
			t.Errorf("the program ended with %v, %v, expected the exit status 1", state, err)
		}
		if _, err := os.Stat(marker); errors.Is(err, os.ErrNotExist) {
			t.Error("the body was not closed")
		}
	})
}

// answers asks the program at path through a front end.
func answers(t *testing.T, path string) {
	f, err := frontend.Listen("cgi", "exec", path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for raw, want := range map[string]string{
		"GET /a HTTP/1.0\r\n\r\n":                             "\r\n\r\nGET ",
		"POST /a HTTP/1.0\r\nContent-Length: 3\r\n\r\nabcdef": "\r\n\r\nPOST abc",
		"HEAD /a HTTP/1.0\r\n\r\n":                            "\r\n\r\n",
	} {
		c := adaptertest.Dial(t, f.Addr().String())
		io.WriteString(c, raw)
		got, err := io.ReadAll(c)
		if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") || !strings.HasSuffix(string(got), want) {
			t.Errorf("%q is answered by %q, %v, expected it to end in %q", raw, got, err, want)
		}
		c.Close()
	}
}
