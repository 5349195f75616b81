package server_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

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
			log := new(buffer)
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
	stderr := new(buffer)
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
	stderr := new(buffer)
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

// TestServerTLSListener meets what comes to a TLS port without speaking TLS.
func TestServerTLSListener(t *testing.T) {
	s := &server.Server{App: wsgi.AppFunc(text("x")), ReadHeaderTimeout: 200 * time.Millisecond, TLSConfig: tlsConfig(t)}
	l := serve(t, s)
	dial := func() *client {
		clear := l.in(t)
		clear.server = new(server.Server) // dial in clear
		return clear.dial()
	}
	t.Run("HTTP", func(t *testing.T) {
		if got := dial().send("%s", get("/")).rest(); !strings.Contains(got, "speaks TLS") {
			t.Errorf("answer is %q", got)
		}
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String(), "HTTP on a TLS port") })
	})
	t.Run("garbage", func(t *testing.T) {
		dial().send("garbage garbage garbage").rest()
		eventually(t, "a log line", func() bool { return strings.Contains(l.log.String(), "TLS handshake failed") })
	})
	t.Run("silence", func(t *testing.T) {
		if got := dial().rest(); got != "" {
			t.Errorf("answer is %q, expected the end of the connection", got)
		}
	})
	t.Run("does not hold up others", func(t *testing.T) {
		l := serve(t, &server.Server{App: wsgi.AppFunc(text("x")), ReadHeaderTimeout: -1, TLSConfig: tlsConfig(t)})
		clear := l.in(t)
		clear.server = new(server.Server)
		clear.dial() // says nothing, and for ever
		if a := l.roundTrip(get("/")); a.body != "x" {
			t.Errorf("answer is %q", a.body)
		}
	})
	t.Run("closed during a handshake", func(t *testing.T) {
		dial() // noLeaks sees to the rest
	})
}

// TestServerExtension asks for net/http's request with environs that are not
// what the server made.
func TestServerExtension(t *testing.T) {
	type extension interface {
		HTTPRequest(*wsgi.Environ) (*http.Request, bool)
		SetReadDeadline(time.Time) error
		SetWriteDeadline(time.Time) error
	}
	check := func(e *wsgi.Environ) error {
		ext, ok := e.Get("gowsgi.http").(extension)
		if !ok {
			return errors.New("there is no extension")
		}
		if r, ok := ext.HTTPRequest(e); !ok || r.URL.Path != "/" {
			return errors.New("the original environ is refused")
		}
		copied := e.Clone()
		copied.Set("myapp.user", "somebody")
		if _, ok := ext.HTTPRequest(copied); !ok {
			return errors.New("a copy with a variable of its own is refused")
		}
		altered := e.Clone()
		altered.Set("HTTP_COOKIE", "forged")
		if _, ok := ext.HTTPRequest(altered); ok {
			return errors.New("EXT-04: an altered environ is served")
		}
		if _, ok := ext.HTTPRequest(wsgi.NewEnviron(e.Context(), foreign{})); ok {
			return errors.New("EXT-04: an environ of somebody else is served")
		}
		if _, ok := ext.(interface{ Block([]byte) error }); ok {
			return errors.New("EXT-02: the extension is a way around start_response")
		}
		return errors.Join(ext.SetReadDeadline(time.Now().Add(time.Minute)), ext.SetWriteDeadline(time.Now().Add(time.Minute)))
	}
	l := serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if err := check(e); err != nil {
			return text(err.Error())(e, start)
		}
		return text("fine")(e, start)
	})})
	t.Run("EXT-03/EXT-04/EXT-02", func(t *testing.T) {
		if a := l.roundTrip(get("/")); a.body != "fine" {
			t.Error(a.body)
		}
	})
	// net/http's request knows nothing of the mount point.
	t.Run("EXT-04/mounted", func(t *testing.T) {
		l := serve(t, &server.Server{ScriptName: "/shop", App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, ok := e.Get("gowsgi.http").(extension).HTTPRequest(e)
			return text(strconv.FormatBool(ok))(e, start)
		})})
		if a := l.roundTrip(get("/shop/cart")); a.body != "false" {
			t.Errorf("the request is served: %s", a.body)
		}
	})
}

// foreign is a source that describes another request.
type foreign struct{}

func (foreign) Lookup(key string) (string, bool)   { return "/foreign", key == "PATH_INFO" }
func (foreign) All(yield func(key, v string) bool) { yield("PATH_INFO", "/foreign") }
