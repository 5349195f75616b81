package server_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMain lets the test binary play the server process.
func TestMain(m *testing.M) {
	if addr, ok := os.LookupEnv("GOWSGI_TEST_RUN"); ok {
		log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("pid", os.Getpid())
		s := &server.Server{Addr: addr, Logger: log, App: wsgi.AppFunc(child),
			ReadHeaderTimeout: 5 * time.Minute, IdleTimeout: 5 * time.Minute} // a crowd takes its time on a busy machine
		if err := s.Run(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is the application of the server process.
func child(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	switch {
	case e.Var("PATH_INFO") == "/stats":
		return childCrowd.stats(e, start)
	case e.Var("PATH_INFO") != "/":
		return childCrowd.Call(e, start)
	case e.Var("QUERY_STRING") != "":
		return sendsFile(e, start)
	}
	return text("from the child")(e, start)
}

// serveChild starts a server process, which ends with the test.
func serveChild(t *testing.T) *live {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(self)
	child.Env = append(os.Environ(), "GOWSGI_TEST_RUN=127.0.0.1:0")
	stderr := new(testlog.Log)
	child.Stderr = stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	address := regexp.MustCompile(`address=http://(\S+)/`)
	eventually(t, "the child listens", func() bool { return address.MatchString(stderr.String()) })
	addr, err := net.ResolveTCPAddr("tcp", address.FindStringSubmatch(stderr.String())[1])
	if err != nil {
		t.Fatal(err)
	}
	return &live{t: t, server: new(server.Server), addr: addr, log: stderr}
}

// TestServerInherited passes a listening socket to a process as systemd does,
// and stops the process by a signal.
func TestServerInherited(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // no such protocol
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// LISTEN_PID must name the very process: the shell becomes it.
	child := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0"`, self)
	child.Env = append(os.Environ(), "GOWSGI_TEST_RUN=127.0.0.1:1", "LISTEN_FDS=1", "LISTEN_FDNAMES=http")
	child.ExtraFiles = []*os.File{file}
	stderr := new(testlog.Log)
	child.Stderr = stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Process.Kill()
	client := http.Client{Timeout: patience}
	r, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	r.Body.Close()
	client.CloseIdleConnections()
	if string(body) != "from the child" {
		t.Errorf("answer is %q", body)
	}
	if err := child.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err != nil {
		t.Errorf("the process ended with %v, expected exit status 0: %s", err, stderr)
	}
	if !strings.Contains(stderr.String(), "listening") || !strings.Contains(stderr.String(), l.Addr().String()) {
		t.Errorf("log is %q, expected it to name the address", stderr)
	}
}

func TestInheritedIsNotForUs(t *testing.T) {
	t.Setenv("LISTEN_PID", "1")
	t.Setenv("LISTEN_FDS", "1")
	if l, err := server.Inherited(); l != nil || err != nil {
		t.Errorf("Inherited returned %v, %v, expected nothing", l, err)
	}
	t.Setenv("LISTEN_PID", fmt.Sprint(os.Getpid()))
	t.Setenv("LISTEN_FDS", "many")
	if _, err := server.Inherited(); err == nil {
		t.Error("LISTEN_FDS=many was accepted")
	}
}
