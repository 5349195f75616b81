package python_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// patience bounds what a test waits for. Nothing takes that long.
const patience = 60 * time.Second

// interpreter returns a Python that can be tested with.
func interpreter(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("GOWSGI_PYTHON"), "python3", "python"} {
		if name != "" && runtime.GOOS == "linux" && exec.Command(name, "-c", "import sys; sys.exit(sys.version_info < (3, 8))").Run() == nil {
			return name
		}
	}
	if os.Getenv("GOWSGI_PEERS") == "require" {
		t.Fatal("no Python 3.8 or later on Linux, and GOWSGI_PEERS=require")
	}
	t.Skip("no Python 3.8 or later on Linux")
	return ""
}

// site is a pool behind a server.
type site struct {
	t    testing.TB
	pool *python.Pool
	log  *logged
	addr string
	url  string
}

// logged is a log that can be waited for.
type logged struct {
	mu    sync.Mutex
	text  bytes.Buffer
	grown chan struct{}
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Write(p)
	close(l.grown)
	l.grown = make(chan struct{})
	return len(p), nil
}

// has reports whether the log has text.
func (l *logged) has(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}

// wait waits until the log has all of the texts.
func (l *logged) wait(t testing.TB, texts ...string) {
	t.Helper()
	late := time.After(patience)
	for {
		l.mu.Lock()
		text, grown := l.text.String(), l.grown
		l.mu.Unlock()
		missing := ""
		for _, want := range texts {
			if !strings.Contains(text, want) {
				missing = want
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("the log has no %q:\n%s", missing, text)
		}
	}
}

// config is that of the applications of testdata/apps.py.
func config(t testing.TB) python.Config {
	return python.Config{App: "testdata/apps.py:app", Python: interpreter(t), Processes: 1}
}

// open starts a pool and a server before it, until the end of the test.
func open(t testing.TB, c python.Config) *site {
	t.Helper()
	adaptertest.Leaks(t)
	s := &site{t: t, log: &logged{grown: make(chan struct{})}}
	c.Logger = slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	pool, err := python.Start(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.pool = pool
	s.serve(pool)
	return s
}

func (s *site) serve(app wsgi.Application) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	srv := &server.Server{App: app, Errors: s.log, Logger: slog.New(slog.NewTextHandler(s.log, nil))}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	s.addr = l.Addr().String()
	s.url = "http://" + s.addr
	s.t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		srv.Close()
		<-served
		s.pool.Close()
	})
}

// answer is what a client gets.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // that broke the body off
}

func (s *site) do(method, path string, body io.Reader) answer {
	s.t.Helper()
	r, err := http.NewRequest(method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	a := answer{status: response.StatusCode, header: response.Header}
	content, err := io.ReadAll(response.Body)
	a.body, a.err = string(content), err
	return a
}

func (s *site) get(path string) answer { s.t.Helper(); return s.do("GET", path, nil) }

// want gets a path and compares what comes.
func (s *site) want(path string, status int, body string) {
	s.t.Helper()
	if a := s.get(path); a.status != status || a.body != body || a.err != nil {
		s.t.Errorf("%s: got %d, %.200q, %v, want %d, %q", path, a.status, a.body, a.err, status, body)
	}
}

// eventually waits until f is true.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
