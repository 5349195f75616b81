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
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/frontend"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/peers"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMain makes the test binary a CGI program when a script of install says
// so.
func TestMain(m *testing.M) {
	var err error
	switch os.Getenv("GOWSGI_CGI_TEST") {
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
		t.Skip("the program is a shell script, which Windows does not run; CI runs it on Linux")
	}
	dir, err := os.MkdirTemp("", "gw")
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
	script := "#!/bin/sh\nGORACE=atexit_sleep_ms=0 GOWSGI_CGI_TEST=" + name + " exec '" + self + "'\n"
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// installRelay makes the program of testdata/relay, and returns its path and
// that of the socket that it connects to.
func installRelay(t testing.TB) (path, socket string) {
	t.Helper()
	dir := peers.Folder(t)
	path, socket = filepath.Join(dir, "relay"), filepath.Join(dir, "s")
	build := exec.Command("go", "build", "-o", path, "-ldflags", "-X main.socket="+socket, "testdata/relay/main.go")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path, socket
}

// relayed is standard output at the other end.
type relayed struct{ net.Conn }

func (r relayed) Write(p []byte) (int, error) {
	if _, err := r.Conn.Write(append(fmt.Appendf(nil, "%d:", len(p)), p...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (r relayed) Close() error {
	_, err := io.WriteString(r.Conn, "0:")
	return err
}

// answerRelay runs serve for each relay that connects to the socket, for the
// time of the test.
func answerRelay(t testing.TB, socket string, app wsgi.Application) {
	t.Helper()
	l, err := net.Listen("unix", socket)
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
				if serve(context.Background(), app, strings.Split(string(block), "\x00"), in, relayed{c}, io.Discard, lingering) == nil {
					io.WriteString(c, "0:")
				}
			}()
		}
	}()
}

// TestConformance runs the suite for servers against serve.
func TestConformance(t *testing.T) {
	path, socket := installRelay(t)
	adaptertest.Leaks(t)
	conformance.Suite{Protocol: "cgi"}.TestServer(t, func(t testing.TB, app wsgi.Application) (network, addr string) {
		answerRelay(t, socket, app)
		return "exec", path
	})
}

// TestRules runs the probes for servers through the web servers that run CGI
// programs.
func TestRules(t *testing.T) {
	if testing.Short() {
		t.Skip("not with -short: starts a process for each request; CI runs it without")
	}
	for _, f := range peers.Fronts {
		if f.Protocol != "cgi" {
			continue
		}
		t.Run(f.String(), func(t *testing.T) {
			t.Parallel() // most of the time is spent on waiting
			f.Conformance(t, func(app wsgi.Application) (port int, program string) {
				path, socket := installRelay(t)
				answerRelay(t, socket, app)
				peers.Give(t, socket)
				return 0, path
			})
		})
	}
}

// program is the application of program.
func program(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	switch environ.Var("QUERY_STRING") {
	case "path":
		return wsgi.Response{Status: "200 OK", Body: wsgi.Strings(environ.Var("PATH_INFO"))}.Call(environ, start)
	case "early": // the body is not read
		return wsgi.Response{Status: "413 Content Too Large", Body: wsgi.Strings("early")}.Call(environ, start)
	case "cut":
		write, err := start("200 OK", nil, nil)
		if err != nil {
			return nil, err
		}
		write([]byte("begun"))
		return nil, errors.New("the rest is lost")
	}
	if marker, ok := strings.CutPrefix(environ.Var("QUERY_STRING"), "waits="); ok {
		_, err := start("200 OK", nil, nil)
		return waits{environ.Context(), marker}, err
	}
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

// waits is a body that goes on until its client has left, and leaves a file when it
// is closed.
type waits struct {
	ctx    context.Context
	marker string
}

func (w waits) Blocks(yield func([]byte, error) bool) {
	if yield([]byte("begun"), nil) {
		<-w.ctx.Done()
	}
}

func (w waits) Close() error { return os.WriteFile(w.marker, []byte("closed"), 0o600) }

// TestProgram is about a real process.
func TestProgram(t *testing.T) {
	t.Run("ours", func(t *testing.T) { answers(t, install(t, "program")) })
	t.Run("net/http/cgi", func(t *testing.T) { answers(t, install(t, "foreign")) })

	t.Run("STR-12/bytes of the environment", func(t *testing.T) {
		const path = "/caf\u00e9/\xff\xe9" // one that is UTF-8, and bytes that are not
		cmd := exec.Command(install(t, "program"))
		cmd.Env = []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "QUERY_STRING=path", "PATH_INFO=" + path}
		out, err := cmd.Output()
		if err != nil || !strings.HasSuffix(string(out), "\r\n\r\n"+path) {
			t.Errorf("the program answers %q, %v, expected it to end in %q", out, err, path)
		}
	})

	// Apache and lighttpd send SIGTERM when the client leaves.
	t.Run("told to end", func(t *testing.T) {
		path := install(t, "program")
		marker := filepath.Join(t.TempDir(), "marker")
		cmd := exec.Command(path)
		cmd.Env = []string{"GATEWAY_INTERFACE=CGI/1.1", "REQUEST_METHOD=GET", "QUERY_STRING=waits=" + marker}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stuck := time.AfterFunc(adaptertest.Patience, func() { cmd.Process.Kill() })
		defer stuck.Stop()
		if _, err := io.ReadFull(out, make([]byte, len("Status: 200 OK\r\n\r\nbegun"))); err != nil {
			t.Error(err)
		}
		cmd.Process.Signal(syscall.SIGTERM)
		io.Copy(io.Discard, out)
		cmd.Wait()
		if _, err := os.Stat(marker); err != nil {
			t.Errorf("the body was not closed: %v", err)
		}
	})

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
