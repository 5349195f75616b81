package server_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

func TestListen(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	l, err := net.Listen("unix", stale)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close() // as a process that was killed leaves it
	inUse := filepath.Join(dir, "used")
	used, err := net.Listen("unix", inUse)
	if err != nil {
		t.Fatal(err)
	}
	defer used.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	port, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	tests := []struct{ name, addr, wrong string }{
		{"tcp", "127.0.0.1:0", ""},
		{"new socket", "unix:" + filepath.Join(dir, "new"), ""},
		{"stale socket", "unix:" + stale, ""},
		{"socket in use", "unix:" + inUse, "address already in use"},
		{"not a socket", "unix:" + file, "not a socket"},
		{"no path", "unix:", "expected a path"},
		{"port in use", port.Addr().String(), "address already in use"},
		{"no port", "localhost", "expected host:port or unix:path"},
		{"no such folder", "unix:" + filepath.Join(dir, "a", "b"), "no such file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := server.Listen(tt.addr)
			if err == nil {
				l.Close()
			}
			if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("error is %v, expected %q", err, tt.wrong)
			}
		})
	}
	if _, err := os.Stat(file); err != nil {
		t.Error("a file that is not a socket was removed")
	}
}

// TestServerConnections counts connections over every protocol, and those that
// were cut.
func TestServerConnections(t *testing.T) {
	app := wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", plain, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if yield([]byte("x"), nil) && e.Var("PATH_INFO") == "/cut" {
				yield(nil, errors.New("cut"))
			}
		}), nil
	})
	for _, p := range protocols {
		t.Run(p.name, func(t *testing.T) {
			s := &server.Server{App: app}
			_, url := p.serve(t, s)
			client := p.client(t)
			r, err := client.Get(url)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
			if n := s.Connections(); n != 1 {
				t.Errorf("there are %d connections, expected the one that is kept", n)
			}
			client.CloseIdleConnections()
			eventually(t, "there are no connections", func() bool { return s.Connections() == 0 })
		})
	}
	t.Run("cut in HTTP/1.0", func(t *testing.T) {
		s := &server.Server{App: app}
		l := serve(t, s)
		l.dial().send("GET /cut HTTP/1.0\r\n\r\n").answer("GET")
		eventually(t, "there are no connections", func() bool { return s.Connections() == 0 })
	})
}

func TestServerConfiguration(t *testing.T) {
	app := wsgi.AppFunc(text("x"))
	for _, tt := range []struct {
		name  string
		s     *server.Server
		wrong string
	}{
		{"no application", &server.Server{Addr: "127.0.0.1:0"}, "App is nil"},
		{"script name ends in a slash", &server.Server{App: app, Addr: "127.0.0.1:0", ScriptName: "/x/"}, "ScriptName"},
		{"script name without a slash", &server.Server{App: app, Addr: "127.0.0.1:0", ScriptName: "x"}, "ScriptName"},
		{"no certificate", &server.Server{App: app, Addr: "127.0.0.1:0", TLSConfig: new(tls.Config)}, "no certificate"},
		{"bad address", &server.Server{App: app, Addr: "nonsense"}, "nonsense"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, err := range map[string]error{"ListenAndServe": tt.s.ListenAndServe(), "Run": tt.s.Run(t.Context())} {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("%s returned %v, expected %q", name, err, tt.wrong)
				}
			}
		})
	}
}

// TestServerRun stops a server in the middle of a response.
func TestServerRun(t *testing.T) {
	started := make(chan os.Signal, 1)
	signal.Notify(started, syscall.SIGTERM) // package signal keeps a goroutine from now on
	signal.Stop(started)
	for _, tt := range []struct {
		name   string
		limit  time.Duration
		signal bool // while responses are running
		cut    bool
	}{
		{"finishes what runs", 0, false, false},
		{"cuts what takes too long", 50 * time.Millisecond, false, true},
		{"cuts at a signal", -1, true, true},
	} {
		if tt.signal && runtime.GOOS == "windows" {
			continue // where a process cannot send itself one
		}
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			entered, gate, closed := make(chan struct{}), make(chan struct{}), make(chan struct{})
			s := &server.Server{ShutdownTimeout: tt.limit, App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", plain, nil)
				return closer{wsgi.Generator(func(yield func([]byte, error) bool) {
					if yield([]byte("one,"), nil) {
						close(entered)
						<-gate
						yield([]byte("two"), nil)
					}
				}), func() error { close(closed); return nil }}, nil
			})}
			log := new(testlog.Log)
			s.Errors = log
			ctx, stop := context.WithCancel(t.Context())
			ran := make(chan error, 1)
			go func() { ran <- s.Run(ctx, l) }()
			live := &live{t: t, server: s, addr: l.Addr(), log: log}
			c := live.dial().send("%s", get("/"))
			receive(t, "the body is iterated", entered)
			stop()
			eventually(t, "the port is free", func() bool {
				c, err := net.Dial("tcp", l.Addr().String())
				if err == nil {
					c.Close()
				}
				return err != nil
			})
			if tt.signal {
				self, err := os.FindProcess(os.Getpid())
				if err != nil {
					t.Fatal(err)
				}
				self.Signal(os.Interrupt)
			}
			if !tt.cut {
				close(gate)
			}
			a := c.answer("GET")
			if tt.cut {
				close(gate)
			}
			receive(t, "the body is closed", closed) // on every path
			if (a.err != nil) != tt.cut || !tt.cut && a.body != "one,two" {
				t.Errorf("answer is %q, %v", a.body, a.err)
			}
			if err := receive(t, "Run returns", ran); (err != nil) != tt.cut {
				t.Errorf("Run returned %v", err)
			}
		})
	}
}
