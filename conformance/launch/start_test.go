package launch

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// start starts a fake and stops it at the end of the test.
func start(t *testing.T, c Command) *Server {
	t.Helper()
	s, err := c.start(t.Context(), asked())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestStart starts servers that are good, in their ways.
func TestStart(t *testing.T) {
	for _, name := range []string{"good", "late", "prints megabytes", "prints without end", "ignores SIGTERM", "has a child"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leavesNothing(t)
			c := command(t, name, "{addr}")
			if name == "ignores SIGTERM" {
				c.Grace = 50 * time.Millisecond
			}
			s, err := c.start(t.Context(), asked())
			if err != nil {
				t.Fatal(err)
			}
			if s.Software != "fake/1.0" || s.Network != "tcp" || !strings.HasPrefix(s.Addr, loopback+":") {
				t.Errorf("got a server %q on %s %s, want fake/1.0 on a loopback port", s.Software, s.Network, s.Addr)
			}
			begin := time.Now()
			if err := s.Stop(); err != nil {
				t.Error(err)
			}
			if d := time.Since(begin); d > patience/2 {
				t.Errorf("stopping took %v", d)
			}
			select {
			case <-s.Done():
			default:
				t.Error("the server is not done after Stop")
			}
			if err := s.Stop(); err != nil {
				t.Errorf("the second Stop: %v", err)
			}
			if _, err := os.Stat(s.tmp); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder %s is still there: %v", s.tmp, err)
			}
		})
	}
}

// TestStartUnix starts a server on a Unix socket.
func TestStartUnix(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("servers for Windows take no socket")
	}
	s := start(t, command(t, "good", "{unix}"))
	if s.Network != "unix" || filepath.Dir(s.Addr) != s.tmp {
		t.Errorf("the server is on %s %s, want a socket in %s", s.Network, s.Addr, s.tmp)
	}
}

// TestStartFails starts what is no server. It ends with an error that says
// what was expected and what came, within a bound.
func TestStartFails(t *testing.T) {
	short := 3 * time.Second // on a busy machine a process takes one to come so far
	for _, test := range []struct {
		name    string
		timeout time.Duration
		want    []string
	}{
		{"exits", patience, []string{"ended with status 7 before it answered", "the end of its output:\nno such module"}},
		{"exits with 0", patience, []string{"ended with status 0 before it answered; expected a server that stays in the foreground"}},
		{"leaves a child and exits", patience, []string{"ended with status 0 before it answered"}},
		{"always finds the port in use", patience, []string{"ended with status 1", "Address already in use"}},
		{"never listens", short, []string{"expected an answer on 127.0.0.1:", "within 3s, it does not listen: ", "refused", "thinking"}},
		{"never answers", short, []string{"expected an answer on 127.0.0.1:", "accepts connections and says nothing"}},
		{"closes", short, []string{"accepts connections and ends them"}},
		{"garbage", short, []string{"expected the answer of the probe application", `got "\x00garbage\xff`}},
		{"somebody else", short, []string{"expected the answer of the probe application", "404 Not Found", "what? /gowsgi-"}},
		{"echoes", short, []string{"expected the answer of the probe application", "200 OK"}},
		{"TLS", short, []string{"HTTP request to an HTTPS server"}},
		{"TLS alert", short, []string{"as one that speaks TLS does; expected HTTP in clear"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			leavesNothing(t)
			c := command(t, test.name, "{addr}")
			c.StartTimeout = test.timeout
			c.Grace = time.Second
			_, err := c.start(t.Context(), asked())
			if err == nil {
				t.Fatal("it has started")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is\n%v\nwant %q in it", err, want)
				}
			}
			if start := (*StartError)(nil); !errors.As(err, &start) {
				t.Errorf("the error is a %T, want a *StartError", err)
			}
			if n := len(err.Error()); n > 4096 {
				t.Errorf("the error has %d bytes", n)
			}
		})
	}
}

// TestWrongAnswers tells apart who loads for a while and who will never have
// the application.
func TestWrongAnswers(t *testing.T) {
	c := command(t, "somebody else", "{addr}")
	begin := time.Now()
	_, err := c.start(t.Context(), asked())
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("the error is %v, want the answer in it", err)
	}
	if d := time.Since(begin); d < wrongTime || d > patience {
		t.Errorf("it took %v, want little more than %v", d, wrongTime)
	}
}

// TestMegabytes prints more than is kept.
func TestMegabytes(t *testing.T) {
	s := start(t, command(t, "prints megabytes", "{addr}"))
	out := s.Output()
	if lines := strings.Split(out, "\n"); len(lines) != tailLines || !strings.HasPrefix(out, "line 99980 of") || strings.ContainsAny(out, "\x1b\a") {
		t.Errorf("the output that is kept is\n%q\nwant the last %d lines", out, tailLines)
	}
}

// TestSecondTry starts a server whose first port is taken.
func TestSecondTry(t *testing.T) {
	tries := filepath.Join(t.TempDir(), "tries")
	s := start(t, command(t, "needs two tries", "{addr}", "FAKE_TRIES="+tries))
	all, err := os.ReadFile(tries)
	if err != nil {
		t.Fatal(err)
	}
	addrs := strings.Fields(string(all))
	if len(addrs) != 2 || addrs[0] == addrs[1] || addrs[1] != s.Addr {
		t.Errorf("it was started on %q and listens on %s, want two ports, and the second", addrs, s.Addr)
	}
}

// TestTakenPort starts a server on a port on which somebody listens.
func TestTakenPort(t *testing.T) {
	port, release, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if !bindable(port) {
		t.Errorf("the port %d is not free", port)
	}
	other := fake{addr: place{network: "tcp", host: loopback, port: port}.addr()}.listen()
	defer other.Close()
	if bindable(port) {
		t.Errorf("the port %d is free, though somebody listens", port)
	}
}

// TestContext ends the context of a server while it starts, and while it runs.
func TestContext(t *testing.T) {
	t.Run("starting", func(t *testing.T) {
		leavesNothing(t)
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(100*time.Millisecond, func() { cancel(errors.New("enough")) })
		_, err := command(t, "never listens", "{addr}").start(ctx, asked())
		if err == nil || !strings.Contains(err.Error(), "enough") {
			t.Errorf("the error is %v, want the cause in it", err)
		}
	})
	t.Run("running", func(t *testing.T) {
		leavesNothing(t)
		ctx, cancel := context.WithCancel(context.Background())
		s, err := command(t, "good", "{addr}").start(ctx, asked())
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		select {
		case <-s.Done():
		case <-time.After(patience):
			t.Error("the server does not end with its context")
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// TestCommand makes commands that cannot be.
func TestCommand(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"empty", nil, "the command is empty"},
		{"no placeholder", []string{"server", "--port", "80"}, `the command "server --port 80" does not say where to listen, expected {addr}, {port} or {unix} among its arguments`},
		{"two places", []string{"server", "{unix}", "{addr}"}, "expected one place to listen"},
		{"no such program", []string{"gowsgi-no-such-program", "{addr}"}, "gowsgi-no-such-program: expected the program on the PATH, it is not there"},
		{"a folder", []string{os.TempDir(), "{addr}"}, "expected a program that can be run"},
	} {
		t.Run(test.name, func(t *testing.T) {
			leavesNothing(t)
			_, err := Command{Args: test.args}.start(t.Context(), asked())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("the error is %v, want %q", err, test.want)
			}
		})
	}
	if _, err := Start(t.Context(), Command{}, nil); err == nil {
		t.Error("an empty command starts")
	}
}

// TestPlaceholders fills in what a command has.
func TestPlaceholders(t *testing.T) {
	app := served{module: "m", callable: "a", dir: "/d"}
	tcp := place{network: "tcp", host: "127.0.0.1", port: 8000}
	for _, test := range []struct{ arg, want string }{
		{"{module}:{app}", "m:a"},
		{"http://{addr}/ {host} {port}", "http://127.0.0.1:8000/ 127.0.0.1 8000"},
		{"{dir}/x {tmp}/y {python}", "/d/x /t/y python3"},
		{"${x} {} {unknown} {unix}", "${x} {} {unknown} {unix}"},
	} {
		if got := (Command{}).filler(tcp, app, "/t").Replace(test.arg); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.arg, got, test.want)
		}
	}
	unix := place{network: "unix", path: "/t/socket"}
	if got := (Command{}).filler(unix, app, "/t").Replace("unix:{unix} {addr}"); got != "unix:/t/socket {addr}" {
		t.Errorf("{unix} becomes %q", got)
	}
}
