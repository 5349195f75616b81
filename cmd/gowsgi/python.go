package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// pythonConfig is what the options say that are for Python applications. Their
// names are those of gunicorn.
type pythonConfig struct {
	interpreter     string
	chdir           string
	paths           []string
	user, group     string
	workers         int
	threads         int
	preload         bool
	timeout         time.Duration
	gracefulTimeout time.Duration
	maxRequests     int
	jitter          int
	maxLifetime     time.Duration
	maxMemory       size
	queue           int
	bufferBody      size
	spoolBody       size
	reload          bool
}

func newPythonConfig() pythonConfig {
	return pythonConfig{
		workers: runtime.GOMAXPROCS(0), threads: 1, timeout: 30 * time.Second, gracefulTimeout: 30 * time.Second,
		queue: 2048, bufferBody: 64 << 10,
	}
}

// options is the part of the table of options that is for Python applications.
func (c *pythonConfig) options() []option {
	return []option{
		{"python", "PATH", "The interpreter, or the folder of a virtual environment. By default that\n" +
			"of VIRTUAL_ENV, of .venv or of venv, or else python3.", text(&c.interpreter)},
		{"chdir", "DIR", "The folder that workers run in and look for modules in.", text(&c.chdir)},
		{"pythonpath", "DIR", "A folder to look for modules in before that. May be given several times.", list(c.addPath)},
		{"workers", "N", "How many worker processes there are: by default as many as CPUs,\n" +
			"or as the quota of a container is worth.", positive(&c.workers)},
		{"threads", "N", "How many requests a worker runs at a time, 1 by default.", positive(&c.threads)},
		{"preload", "", "Import the application once and fork the workers from there.", boolean(&c.preload)},
		{"timeout", "DURATION", "Kill a worker that is silent in a request for so long, 30s by default.", duration(&c.timeout)},
		{"graceful-timeout", "DURATION", "How long a worker that is to end may finish what it has, 30s by default.", duration(&c.gracefulTimeout)},
		{"max-requests", "N", "Replace a worker after so many requests.", number(&c.maxRequests)},
		{"max-requests-jitter", "N", "Add a random number up to this to max-requests.", number(&c.jitter)},
		{"max-lifetime", "DURATION", "Replace a worker after this time.", duration(&c.maxLifetime)},
		{"max-memory", "SIZE", "Replace a worker that has more memory than this, and kill one that has\n" +
			"twice as much.", byteSize(&c.maxMemory)},
		{"queue", "N", "How many requests may wait for a worker, 2048 by default. Beyond that the\n" +
			"answer is 503.", positive(&c.queue)},
		{"buffer-body", "SIZE", "Receive request bodies up to this size before a worker gets the request,\n" +
			"64KiB by default.", byteSize(&c.bufferBody)},
		{"spool-body", "SIZE", "Receive larger ones, up to this size, into a file. Other bodies a worker\n" +
			"reads as they come.", byteSize(&c.spoolBody)},
		{"user", "NAME", "Run the workers as this user, and give Unix sockets to it, which takes\n" +
			"privileges.", text(&c.user)},
		{"group", "NAME", "The same, for the group.", text(&c.group)},
		{"reload", "", "Reload the application when a file changes that it has imported.", boolean(&c.reload)},
	}
}

func (c *pythonConfig) addPath(s string) error {
	c.paths = append(c.paths, s)
	return nil
}

// number is a number that may be 0, which then means none.
func number(p *int) value {
	return value{set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return errors.New("expected a number, or 0 for no limit")
		}
		*p = n
		return nil
	}}
}

func positive(p *int) value {
	return value{set: func(s string) error {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return errors.New("expected a number from 1 on")
		}
		*p = n
		return nil
	}}
}

// namesPython reports whether a TARGET is a Python application.
func namesPython(target string) bool {
	before, after, colon := strings.Cut(target, ":")
	if strings.HasSuffix(target, ".py") || strings.Contains(target, ".py:") {
		return true
	}
	if strings.Contains(target, "/") && (strings.HasSuffix(target, ".wsgi") || strings.Contains(target, ".wsgi:")) {
		return true // a file of mod_wsgi; without a slash it is a module of Django
	}
	if !colon && strings.Contains(target, ".") && !strings.ContainsAny(target, "/\\ ") {
		return true // a module of a package; its callable is named application
	}
	switch before {
	case "dir", "cgi", "unix", "http", "https", "fcgi", "scgi", "uwsgi":
		return false
	}
	return colon && before != "" && after != "" && !strings.ContainsAny(before, "/\\ ") && !strings.HasPrefix(after, "/")
}

// pythonTarget is the target of a Python application.
func pythonTarget(name string) target {
	return target{name: name, title: name, open: func(c *config, s *server.Server) (wsgi.Application, func() error, error) {
		if dir := c.python.chdir; dir != "" {
			if info, err := os.Stat(dir); err != nil || !info.IsDir() {
				return nil, nil, fmt.Errorf("--chdir is %q, expected a folder that exists", dir)
			}
		}
		c.watchSignals(poolSignals) // before the workers, which may ask for one
		pool, err := c.startPool(name, s)
		if failed := (*python.StartError)(nil); errors.As(err, &failed) && failed.Traceback != "" && s.Errors != nil {
			fmt.Fprint(s.Errors, failed.Traceback) // as Python shows it
			return nil, nil, fmt.Errorf("%s cannot be imported; the traceback is above%s", name, importAdvice(failed.Traceback))
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%w%s", err, c.python.interpreterAdvice(err))
		}
		c.pools = append(c.pools, &hosted{app: name, pool: pool})
		return pool, func() error { return c.closePool(pool) }, nil
	}}
}

// errToldToStop is the failure of a start that nobody wants any more.
var errToldToStop = errors.New("told to stop")

// startPool starts the workers, which may take as long as the application takes to
// be imported. A signal to stop ends that; later it is for the server to obey, and
// the pool has to be there while running responses finish.
func (c *config) startPool(name string, s *server.Server) (*python.Pool, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	started := context.AfterFunc(c.stop.Gently(), func() { cancel(errToldToStop) })
	pool, err := python.Start(ctx, c.poolConfig(name, s))
	if err == nil && !started() { // just now
		pool.Close()
		err = errToldToStop
	}
	return pool, err
}

// moment is what a worker that has nothing to do takes to end.
const moment = time.Second

// closePool ends the workers. What a worker does that no client waits for any more
// may take --graceful-timeout, and no longer than the running responses may.
func (c *config) closePool(pool *python.Pool) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if c.python.gracefulTimeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.python.gracefulTimeout)
		defer cancel()
	}
	defer context.AfterFunc(c.stop.Now(), func() { time.AfterFunc(moment, cancel) })()
	return pool.Shutdown(ctx)
}

// interpreterAdvice says what to do where there is no interpreter.
func (c *pythonConfig) interpreterAdvice(err error) string {
	switch {
	case !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist):
		return ""
	case c.interpreter == "":
		return "; install Python 3.8 or later, or name an interpreter by --python"
	}
	return "; --python expects an interpreter, or the folder of a virtual environment"
}

// poolConfig is what the options say about a pool.
func (c *config) poolConfig(app string, s *server.Server) python.Config {
	p := &c.python
	env := []string{}
	for key, val := range c.programEnviron() {
		env = append(env, key+"="+val)
	}
	config := python.Config{
		App: app, Python: p.interpreter, Dir: p.chdir, Path: p.paths, Env: env,
		Processes: p.workers, Threads: p.threads, Multiprocess: c.multiprocess, Preload: p.preload, User: p.user, Group: p.group,
		Timeout: orNone(p.timeout), GracefulTimeout: orNone(p.gracefulTimeout),
		MaxRequests: p.maxRequests, MaxRequestsJitter: p.jitter, MaxLifetime: p.maxLifetime, MaxMemory: int64(p.maxMemory),
		Queue: p.queue, BufferBody: int64(orNone(p.bufferBody)), SpoolBody: int64(p.spoolBody),
		Logger: s.Logger,
	}
	if s.Errors != nil {
		var mu sync.Mutex
		config.Output = func(pid int, line string) {
			mu.Lock()
			defer mu.Unlock()
			fmt.Fprintf(s.Errors, "[%d] %s\n", pid, line)
		}
	}
	return config
}
