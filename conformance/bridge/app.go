package bridge

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
)

// Program tells which Python application to run, and how.
type Program struct {
	// Interpreter is the Python to run: "python3" when it is empty.
	Interpreter string

	// Target names the application: "module:callable", "module:factory()" for
	// what a function of the module returns, or "path/file.py:callable", or
	// "path/file.wsgi:callable" for a file as mod_wsgi has them. A callable may be
	// an attribute of an attribute, and is "application" when there is none.
	Target string

	Dir    string    // the working folder, from which modules are imported; "" for that of this process
	Env    []string  // as for exec.Cmd; nil for that of this process
	Stderr io.Writer // takes what the process writes to its standard streams; nil for nothing

	// Threads is how many calls may run at the same time; 8 when it is zero.
	Threads int
}

const defaultThreads = 8

// App is an application of Python's, in a process of its own. It is called
// like any other, from any number of goroutines.
//
// What only Python can do wrong does not show in the calls: an object of the
// wrong type, say, that is used as if it were right. See Findings.
type App struct {
	target  string
	dir     string
	token   string
	l       net.Listener
	cmd     *exec.Cmd
	control *conn
	free    chan bool // a place for each call
	waiting chan *conn
	exited  chan struct{} // closed when the process has ended

	mu       sync.Mutex
	idle     []*conn
	conns    map[net.Conn]bool
	findings []conformance.Finding
	told     map[string]bool
	closed   bool
}

// Run starts a process and has it import the application. When that fails the
// error has Python's traceback. ctx bounds the start alone; Close ends the
// process.
func Run(ctx context.Context, p Program) (*App, error) {
	dir, err := os.MkdirTemp("", "gowsgi-bridge-")
	if err != nil {
		return nil, fmt.Errorf("bridge: %w", err)
	}
	threads := p.Threads
	if threads <= 0 {
		threads = defaultThreads
	}
	a := &App{target: p.Target, dir: dir, token: rand.Text(), free: make(chan bool, threads), waiting: make(chan *conn),
		exited: make(chan struct{}), conns: map[net.Conn]bool{}, told: map[string]bool{}}
	if err := a.start(ctx, p); err != nil {
		a.Close()
		return nil, fmt.Errorf("bridge: %s: %w", p.Target, err)
	}
	return a, nil
}

func (a *App) start(ctx context.Context, p Program) error {
	err := writeModules(a.dir)
	if err == nil {
		a.l, err = listen(a.dir)
	}
	if err == nil {
		err = publish(a.dir, a.l, a.token)
	}
	if err != nil {
		return err
	}
	interpreter := p.Interpreter
	if interpreter == "" {
		interpreter = "python3"
	}
	a.cmd = exec.Command(interpreter, filepath.Join(a.dir, "gowsgi_driver.py"), a.dir, p.Target)
	a.cmd.Dir, a.cmd.Env = p.Dir, p.Env
	a.cmd.Stdout, a.cmd.Stderr = p.Stderr, p.Stderr
	a.cmd.WaitDelay = time.Second // children may have kept the streams
	ownGroup(a.cmd)
	if err := a.cmd.Start(); err != nil {
		a.cmd = nil
		return err
	}
	go func() {
		a.cmd.Wait()
		close(a.exited)
		// What it said last may still wait to be accepted.
		time.AfterFunc(lastWords, func() { a.l.Close() })
	}()
	go a.accept()
	return a.greet(ctx)
}

// greet waits until the application is imported.
func (a *App) greet(ctx context.Context) error {
	var c *conn
	select {
	case c = <-a.waiting:
	case <-a.exited:
		select {
		case c = <-a.waiting:
		case <-time.After(2 * lastWords):
			return fmt.Errorf("the interpreter ended: %v", a.cmd.ProcessState)
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	f, err := c.receive()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("the interpreter ended while it imported the application: %w", err)
	case f.kind != frameResult:
		var trace string
		scan([]any{f.value}, &trace)
		return fmt.Errorf("the import failed:\n%s", strings.TrimSpace(trace))
	}
	a.control = c
	return nil
}

// maxFindings bounds what is kept of an application that does everything
// wrong in a new way each time.
const maxFindings = 1000

// found keeps a finding, each once for a rule and what it says.
func (a *App) found(rule, detail, request string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.told[rule+detail] || len(a.findings) >= maxFindings {
		return
	}
	a.told[rule+detail] = true
	f := conformance.Finding{Side: "application", Detail: detail, Request: request, Where: a.target}
	if i := slices.IndexFunc(rules, func(r conformance.Rule) bool { return r.ID == rule }); i >= 0 {
		f.Rule = rules[i]
	}
	f.Warning = strings.HasPrefix(f.Rule.Keyword(), "SHOULD")
	a.findings = append(a.findings, f)
}

var rules = conformance.Rules()

// Findings returns what the application has done so far that only Python can
// do wrong, in the order in which it was seen, each once. It belongs to the
// caller.
func (a *App) Findings() []conformance.Finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.findings)
}

// Close ends the process. Calls that are under way fail.
func (a *App) Close() error {
	a.mu.Lock()
	a.closed = true
	for c := range a.conns {
		c.Close() // at the end of its first connection the process ends
	}
	a.mu.Unlock()
	if a.l != nil {
		a.l.Close()
	}
	if a.cmd != nil {
		limit := time.NewTimer(2 * time.Second)
		defer limit.Stop()
		select {
		case <-a.exited:
		case <-limit.C:
			endGroup(a.cmd)
			<-a.exited
		}
	}
	return os.RemoveAll(a.dir)
}
