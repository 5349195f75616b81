package python

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Config says which application a Pool hosts, and how. Only App is required:
// the zero value of every other field is a default that is safe. In a limit of
// time or number, a negative value means none.
type Config struct {
	// App names the application: "module:callable", "module:factory()", whose
	// arguments may be literals, or "path/file.py:callable", or, for a file of
	// mod_wsgi, "./file.wsgi", with a slash somewhere. Without a callable it is
	// named application.
	App string

	// Python is the interpreter. When it is "", it is that of the virtual
	// environment: in VIRTUAL_ENV of this process, or in the folders .venv or
	// venv of Dir; and without one, python3 of the PATH.
	Python string

	// Dir is the folder that workers run in, and the first in which they look
	// for modules: the current one when it is "". Path are folders that come
	// before it.
	Dir  string
	Path []string

	// Env is the environment of the workers, as KEY=VALUE, besides what any
	// program needs (PATH, HOME, the locale, the time zone, and variables that
	// begin with PYTHON). Workers see nothing else of the environment of this
	// process: what is a secret there is none of theirs. Use os.Environ() to give
	// them all of it.
	Env []string

	// Processes is the number of workers, and Threads that of requests which
	// each of them runs at a time, 1 when it is 0. Under CPython's lock more
	// threads make an application faster only where it waits for something.
	// When Processes is 0 there are as many as runtime.GOMAXPROCS says: the
	// CPUs, or as many as the quota of a container is worth.
	Processes, Threads int

	// Multiprocess says that the application runs elsewhere too: wsgi.multiprocess
	// is true with one worker as well.
	Multiprocess bool

	// Preload imports the application once, in a process that then forks the
	// workers: they start at once and share memory. What the application opens
	// as it is imported, such as connections and threads, is shared or lost.
	Preload bool

	// User and Group are whom the workers run as, by name or number; it takes
	// privileges to choose.
	User, Group string

	// StartTimeout bounds how long a worker may take to import the
	// application: 60 s when it is 0.
	StartTimeout time.Duration

	// Timeout bounds how long a worker may be silent in a request: 30 s when it
	// is 0. It is then told to write the stacks of its threads to the log, and
	// killed; the client gets 504. Waiting for the client does not count.
	Timeout time.Duration

	// GracefulTimeout bounds how long a worker that is to end may be busy with
	// the requests that it has: 30 s when it is 0.
	GracefulTimeout time.Duration

	// Queue is the number of requests that may wait for a worker, 2048 when it
	// is 0, and QueueTimeout how long each may, 30 s when it is 0. Beyond that
	// the answer is 503, with Retry-After.
	Queue        int
	QueueTimeout time.Duration

	// MaxRequests replaces a worker after so many requests; a random number of
	// up to MaxRequestsJitter is added, so that not all are replaced at once.
	// MaxLifetime replaces it after that time, of which up to a tenth is added.
	// The new worker is ready before the old one ends. 0 means no limit.
	MaxRequests, MaxRequestsJitter int
	MaxLifetime                    time.Duration

	// MaxMemory replaces a worker that has more memory than this, in bytes, in
	// the same way; one that has twice as much is killed. 0 means no limit.
	MaxMemory int64

	// A request body of a declared length up to BufferBody bytes, 64 KiB when
	// it is 0, is received before a worker gets the request; one up to
	// SpoolBody bytes, none when it is 0, is received into a file. Other bodies
	// the worker reads while they come.
	BufferBody, SpoolBody int64

	// ReadAhead is how many bytes of a response are taken from the worker
	// before the client takes them: 1 MiB when it is 0.
	ReadAhead int

	// Logger gets a record of what happens to workers; slog.Default() when it
	// is nil. Output gets what a worker with that process id writes to its
	// standard output and standard error, line by line and from several
	// goroutines; when it is nil, Logger gets it.
	Logger *slog.Logger
	Output func(pid int, line string)
}

const (
	defaultTimeout      = 30 * time.Second
	defaultStartTimeout = 60 * time.Second
	defaultQueue        = 2048
	defaultBufferBody   = 64 << 10
	defaultReadAhead    = 1 << 20
	mostThreads         = 128 // descriptors that pass in one message
)

// settle returns c with its defaults, or says what is wrong with it.
func (c Config) settle() (Config, error) {
	if c.App == "" {
		return c, fmt.Errorf("python: App is empty, expected module:callable or path/file.py:callable")
	}
	if strings.ContainsAny(c.App, "\x00\n") {
		return c, fmt.Errorf("python: App is %q, expected module:callable or path/file.py:callable", c.App)
	}
	if c.Processes < 0 || c.Threads < 0 || c.Threads > mostThreads || c.Processes > 1000 {
		return c, fmt.Errorf("python: %d processes with %d threads, expected up to 1000 with up to %d", c.Processes, c.Threads, mostThreads)
	}
	if c.Dir == "" {
		c.Dir = "."
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, err
	}
	if info, err := os.Stat(dir); err != nil {
		return c, fmt.Errorf("python: Dir: %w", err)
	} else if !info.IsDir() {
		return c, fmt.Errorf("python: Dir is %s, expected a folder", dir)
	}
	c.Dir = dir
	if c.Python, err = findInterpreter(c.Python, c.Dir); err != nil {
		return c, err
	}
	c.Env = environment(c.Env)
	c.Processes = cmp.Or(c.Processes, runtime.GOMAXPROCS(0)) // which knows a container's share
	c.Threads = cmp.Or(c.Threads, 1)
	c.StartTimeout = cmp.Or(c.StartTimeout, defaultStartTimeout)
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	c.GracefulTimeout = cmp.Or(c.GracefulTimeout, defaultTimeout)
	c.QueueTimeout = cmp.Or(c.QueueTimeout, defaultTimeout)
	c.Queue = cmp.Or(c.Queue, defaultQueue)
	c.BufferBody = cmp.Or(c.BufferBody, defaultBufferBody)
	if c.ReadAhead = cmp.Or(c.ReadAhead, defaultReadAhead); c.ReadAhead < 0 {
		c.ReadAhead = math.MaxInt
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

// needed are the variables that every program may have of its parent.
var needed = []string{"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "VIRTUAL_ENV", "LD_LIBRARY_PATH"}

// environment is the environment of a worker: given, and what is needed.
func environment(given []string) []string {
	var env []string
	for _, pair := range os.Environ() {
		key, _, _ := strings.Cut(pair, "=")
		if slices.Contains(needed, key) || strings.HasPrefix(key, "LC_") || strings.HasPrefix(key, "PYTHON") {
			env = append(env, pair)
		}
	}
	return append(env, given...) // of two of one name, exec takes the last
}
