package bench

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// What is measured over connections runs in a process of its own: this test
// binary, started again. So the client's garbage and its goroutines are not
// the server's, and the server's memory and processor time can be read off.

const (
	childEnv = "GOWSGI_BENCH_CHILD" // which of childServers to run
	fileEnv  = "GOWSGI_BENCH_FILE"  // the file that the file servers serve
	sizeEnv  = "GOWSGI_BENCH_SIZE"  // how many bytes the streams are long
)

func TestMain(m *testing.M) {
	if name := os.Getenv(childEnv); name != "" {
		if err := runChild(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// childServers are the servers that a child can be. Each of them serves for as
// long as the listener works.
var childServers = map[string]func(net.Listener) error{
	"net/http":          func(l net.Listener) error { return (&http.Server{Handler: http.HandlerFunc(rawHello)}).Serve(l) },
	"net/http+timeouts": withTimeouts(http.HandlerFunc(rawHello)),
	"chi":               func(l net.Listener) error { return (&http.Server{Handler: chiHello()}).Serve(l) },
	"server.Handler": func(l net.Listener) error {
		return (&http.Server{Handler: server.Handler(wsgi.AppFunc(appHello))}).Serve(l)
	},
	"server.Server":           wsgiServer(appHello),
	"server.Server+generator": wsgiServer(generatorHello),

	"file:http.ServeContent": withTimeouts(http.HandlerFunc(serveContent)),
	"file:file_wrapper":      wsgiServer(serveFile),

	"stream:net/http":      withTimeouts(http.HandlerFunc(rawStream)),
	"stream:server.Server": wsgiServer(appStream),
}

func wsgiServer(app wsgi.AppFunc) func(net.Listener) error {
	return func(l net.Listener) error { return (&server.Server{App: app}).Serve(l) }
}

// withTimeouts is the fair baseline for a server.Server: a net/http server
// that also does not wait for ever. It has no limit for writing, since the one
// of net/http is for a response as a whole and would cut long ones.
func withTimeouts(h http.Handler) func(net.Listener) error {
	return func(l net.Listener) error {
		s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second}
		return s.Serve(l)
	}
}

// runChild serves until standard input ends, which is when the parent closes
// it or is no more.
func runChild(name string) error {
	serve, ok := childServers[name]
	if !ok {
		return fmt.Errorf("there is no server %q", name)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(l) }()
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		failed <- nil
	}()
	return <-failed
}

// child is a server in a process of its own.
type child struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startChild starts a server; environ are further variables for it. It is
// stopped at the end of the test, or by stop before.
func startChild(t testing.TB, name string, environ ...string) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), append(environ, childEnv+"="+name)...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: cmd, stdin: stdin}
	t.Cleanup(func() { c.stop() })
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the server %q did not start: %v", name, err)
	}
	c.addr = strings.TrimSpace(line)
	return c
}

// stop ends the server and returns how long it has been running on processors.
func (c *child) stop() time.Duration {
	if c.cmd.ProcessState == nil {
		c.stdin.Close()
		c.cmd.Wait()
	}
	if state := c.cmd.ProcessState; state != nil {
		return state.UserTime() + state.SystemTime()
	}
	return 0
}

// peakMemory returns the most memory that was ever resident, in bytes.
func (c *child) peakMemory(t testing.TB) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(c.cmd.Process.Pid), "status"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("the status of the server has no VmHWM")
	return 0
}
