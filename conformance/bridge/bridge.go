// Package bridge lets the probes of package conformance, which are written in
// Go, act as an application inside of any Python WSGI server, and makes an
// application of Python's a wsgi.Application.
//
// [Listen] is for servers. It puts a Python module into a folder; a server is
// told to load the application of that module, and runs in processes and
// threads of its own, as many as it likes. For each call the module connects
// to this process and does what the application here does: it calls
// start_response and write, reads wsgi.input, makes changes to the environ,
// returns a body, and makes its blocks one by one when it is asked for them.
// So a probe is written once, and what the server does to a Python application
// it does to the probe.
//
// [Run] is for applications. It starts a process that has imported one, and
// passes calls on to it. What only Python can do wrong is looked at there, on
// the objects themselves.
//
// Both need Python 3.8 or later and its standard library, and nothing else.
package bridge

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Module and Callable are what a Python server is told to load.
const (
	Module   = "gowsgi_probe"
	Callable = "application"
)

// Callables returns the application of the module in all shapes that PEP 3333 has
// for one: a function, a class whose instances are the body, an instance that
// can be called, and a method of one. A server must treat them alike (CALL-01).
// To see whether it does, run it once with each.
func Callables() []string {
	return []string{Callable, "application_class", "application_instance", "application_method"}
}

//go:embed python/*.py
var modules embed.FS

// Bridge serves an application to Python servers.
type Bridge struct {
	app    wsgi.Application
	dir    string
	token  string
	l      net.Listener
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]bool
	strands map[*strand]bool
	running sync.WaitGroup
}

// Listen makes app the application behind the module in a folder of its own.
// Any number of processes and threads may call it at the same time; app is
// called from as many goroutines.
//
// The folder and what listens in it can be used by the same user alone, unless
// that user is root: servers that root starts go on as somebody else, so that
// everybody is let in.
func Listen(app wsgi.Application) (*Bridge, error) {
	dir, err := os.MkdirTemp("", "gowsgi-bridge-")
	if err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	b := &Bridge{app: app, dir: dir, token: rand.Text(), conns: map[net.Conn]bool{}, strands: map[*strand]bool{}}
	if err := b.open(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("bridge: %w", err)
	}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.running.Go(b.accept)
	return b, nil
}

// open writes the modules, and listens.
func (b *Bridge) open() error {
	if err := writeModules(b.dir); err != nil {
		return err
	}
	var err error
	if b.l, err = listen(b.dir); err != nil {
		return err
	}
	return publish(b.dir, b.l, b.token)
}

// writeModules copies the Python files into a folder.
func writeModules(dir string) error {
	files, err := fs.Sub(modules, "python")
	if err != nil {
		return err
	}
	return os.CopyFS(dir, files)
}

// listen listens on a Unix socket in dir, and where that cannot be, on a port
// of the loopback device.
func listen(dir string) (net.Listener, error) {
	if runtime.GOOS != "windows" { // whose Python has no Unix sockets
		if l, err := net.Listen("unix", filepath.Join(dir, "socket")); err == nil {
			return l, nil // a path may be too long for a socket
		}
	}
	return net.Listen("tcp", "127.0.0.1:0")
}

// publish writes down where l listens, and what a peer must know.
func publish(dir string, l net.Listener, token string) error {
	text := fmt.Sprintf("%s\n%s\n%s\n", l.Addr().Network(), l.Addr(), token)
	if err := os.WriteFile(filepath.Join(dir, "address"), []byte(text), 0o600); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return nil
	}
	for name, mode := range map[string]os.FileMode{".": 0o755, "address": 0o644, "socket": 0o666} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Dir returns the folder that holds the module. It is a fit working folder for
// a server, or belongs on its PYTHONPATH; a server that loads a file by its
// name loads gowsgi_probe.py in it. The module finds everything else by itself.
func (b *Bridge) Dir() string { return b.dir }

// Env returns variables for the environment of a server, as for exec.Cmd: the
// PYTHONPATH, with what this process has in it, and one that keeps Python from
// writing into the folder.
func (b *Bridge) Env() []string {
	path := b.dir
	if more := os.Getenv("PYTHONPATH"); more != "" {
		path += string(os.PathListSeparator) + more
	}
	return []string{"PYTHONPATH=" + path, "PYTHONDONTWRITEBYTECODE=1"}
}

// closePatience is how long Close waits for applications that do not return.
const closePatience = 5 * time.Second

// Close ends what is running and removes the folder. Calls that are under way
// end with an error on both sides. Close waits until the application has
// returned from all of them, five seconds at most.
func (b *Bridge) Close() error {
	b.mu.Lock()
	b.closed = true
	err := b.l.Close()
	for c := range b.conns {
		c.Close()
	}
	b.cancel() // last: who waits for it must not reach a server any more
	b.mu.Unlock()
	done := make(chan struct{})
	go func() {
		b.running.Wait()
		close(done)
	}()
	limit := time.NewTimer(closePatience)
	defer limit.Stop()
	select {
	case <-done:
	case <-limit.C:
	}
	if errors.Is(err, net.ErrClosed) {
		err = nil // closed before
	}
	return errors.Join(err, os.RemoveAll(b.dir))
}

func (b *Bridge) accept() {
	for {
		c, err := b.l.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		if b.closed {
			c.Close()
		} else {
			b.conns[c] = true
			b.running.Go(func() { b.serve(c) })
		}
		b.mu.Unlock()
	}
}

// greeting is how long a peer may take to say what it wants.
const greeting = 10 * time.Second

// serve plays the application for one call.
func (b *Bridge) serve(c net.Conn) {
	s := &strand{bridge: b, c: newConn(c)}
	defer func() {
		c.Close()
		b.mu.Lock()
		delete(b.conns, c)
		delete(b.strands, s)
		b.mu.Unlock()
	}()
	c.SetReadDeadline(time.Now().Add(greeting))
	f, err := s.c.receive()
	if err != nil || f.kind != frameApp {
		return
	}
	c.SetReadDeadline(time.Time{})
	var token string
	var how map[string]any
	var pairs []any
	args, _ := f.value.([]any)
	if !scan(args, &token, &s.id, &s.pid, &how, &pairs) || subtle.ConstantTimeCompare([]byte(token), []byte(b.token)) != 1 {
		return
	}
	vars := make(map[string]any, len(pairs))
	for _, pair := range pairs {
		var key string
		if pair, ok := pair.(Tuple); ok && len(pair) == 2 && scan(pair[:1], &key) {
			vars[key] = pair[1]
		}
	}
	b.mu.Lock()
	b.strands[s] = true
	b.mu.Unlock()
	s.run(b.app, vars, how)
}

// late has a callable of s used when it is not s's turn to speak: from within
// another call of the same process, as an application would that had kept it.
func (b *Bridge) late(s *strand, name string, args []any) (any, error) {
	b.mu.Lock()
	var others []*strand
	for t := range b.strands {
		if t != s && t.pid == s.pid {
			others = append(others, t)
		}
	}
	b.mu.Unlock()
	for _, t := range others {
		result, err, ok := t.lend("late", append([]any{s.id, name}, args...)...)
		if !ok {
			continue
		}
		var e *Exception
		if errors.As(err, &e) && e.Class == Module+".Elsewhere" {
			return nil, errOver
		}
		return result, err
	}
	return nil, errOver
}
