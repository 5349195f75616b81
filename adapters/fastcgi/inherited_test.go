//go:build unix

package fastcgi

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/internal/installed"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestMain makes the test binary a FastCGI program that was given its socket.
func TestMain(m *testing.M) {
	if os.Getenv("GOWSGI_FASTCGI_TEST") == "" {
		os.Exit(m.Run())
	}
	if err := (&Server{App: wsgi.AppFunc(echo)}).Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestInherited(t *testing.T) {
	for _, tt := range []struct{ name, addrs, want string }{
		{"any peer", "", "hello"},
		{"this peer", "10.0.0.1,127.0.0.1", "hello"},
		{"another peer", "10.0.0.1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
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
			cmd := child(t, file, "FCGI_WEB_SERVER_ADDRS="+tt.addrs)
			defer func() {
				cmd.Process.Signal(syscall.SIGKILL)
				cmd.Wait()
			}()
			c := adaptertest.Dial(t, l.Addr().String())
			c.Write(append(ask(1, 0), stdinOf(1, "hello")...))
			if r := adaptertest.Receive("fastcgi", c); r.Body != tt.want {
				t.Errorf("got %v, expected %q", r, tt.want)
			}
		})
	}
}

// child starts this binary with descriptor 0.
func child(t *testing.T, stdin *os.File, environ string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Stdin, cmd.Stderr = stdin, new(bytes.Buffer)
	cmd.Env = append(os.Environ(), "GOWSGI_FASTCGI_TEST=1", environ)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestInheritedNothing(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	cmd := child(t, in, "")
	timer := time.AfterFunc(adaptertest.Patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err == nil || !strings.Contains(cmd.Stderr.(*bytes.Buffer).String(), "descriptor 0 is not a listening socket") {
		t.Errorf("a pipe as descriptor 0: %v, %s", err, cmd.Stderr)
	}
}

// spawn-fcgi starts programs in this way.
func TestSpawnFCGI(t *testing.T) {
	path := installed.Find(t, "spawn-fcgi")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	addr := adaptertest.FreeAddr(t)
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command(path, "-a", host, "-p", port, "-n", "--", self)
	cmd.Env = append(os.Environ(), "GOWSGI_FASTCGI_TEST=1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
	}()
	for end := time.Now().Add(adaptertest.Patience); ; time.Sleep(5 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			if time.Now().After(end) {
				t.Fatal(err)
			}
			continue
		}
		defer c.Close()
		c.Write(append(ask(1, 0), stdinOf(1, "hello")...))
		if r := adaptertest.Receive("fastcgi", c); r.Body != "hello" {
			t.Errorf("got %v, expected what was sent", r)
		}
		return
	}
}

// A web server may give a CGI program a connection as its standard input. It is no
// socket to listen on, and the specification, in 2.2, tells them apart by it.
func TestInheritedConnection(t *testing.T) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	near, far := os.NewFile(uintptr(pair[0]), "near"), os.NewFile(uintptr(pair[1]), "far")
	defer near.Close()
	defer far.Close()
	cmd := child(t, near, "")
	timer := time.AfterFunc(adaptertest.Patience, func() { cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Wait(); err == nil || !strings.Contains(cmd.Stderr.(*bytes.Buffer).String(), "descriptor 0 is not a listening socket") {
		t.Errorf("a connection as descriptor 0: %v, %s", err, cmd.Stderr)
	}
}
