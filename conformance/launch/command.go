package launch

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Command is a server command. It has to stay in the foreground, and to
// serve one Python application for which its arguments have placeholders.
type Command struct {
	// Args is the program and its arguments. In each of them Start replaces
	//
	//	{addr}    where to listen: host and port
	//	{host}    the host alone, a loopback address
	//	{port}    the port alone
	//	{unix}    where to listen, if it is to be a Unix socket: a path
	//	{module}  the module of the application to serve
	//	{app}     its name in the module
	//	{dir}     the folder of the module, which is on Python's path as well
	//	{python}  the interpreter, Python
	//	{tmp}     a folder for the command's own files, which is removed with
	//	          all that is in it when the command has ended; it is also TMPDIR
	//
	// {addr}, {port} or {unix} has to be there, or nobody knows where the
	// server listens. Braces around anything else are left alone.
	Args []string

	// Dir is the folder in which the command runs: the current one when it is
	// "". Env is added to the environment of this process.
	Dir string
	Env []string

	// Python is what {python} stands for: python3 when it is "".
	Python string

	// Protocol is what the server speaks, as in conformance.Suite.
	Protocol string

	// StartTimeout bounds the time until the first answer: 30 s when it is
	// zero. Grace bounds the time between SIGTERM and SIGKILL: 5 s when it is
	// zero.
	StartTimeout, Grace time.Duration

	// Output receives what the command prints, as it comes and from one
	// goroutine at a time. When it is nil, the end is kept for error messages.
	Output io.Writer

	// prepare writes what the command needs into the folder {tmp}.
	prepare func(tmp string, fill *strings.Replacer) error
}

const (
	defaultStartTimeout = 30 * time.Second
	defaultGrace        = 5 * time.Second
)

// uses reports whether one of the placeholders is in the arguments.
func (c Command) uses(placeholders ...string) bool {
	return slices.ContainsFunc(c.Args, func(arg string) bool {
		return slices.ContainsFunc(placeholders, func(p string) bool { return strings.Contains(arg, p) })
	})
}

// check says what is wrong with a command before it is tried.
func (c Command) check() error {
	switch listens := c.uses("{addr}", "{port}"); {
	case len(c.Args) == 0 || c.Args[0] == "":
		return errors.New("the command is empty")
	case !listens && !c.uses("{unix}"):
		return fmt.Errorf("the command %q does not say where to listen, expected {addr}, {port} or {unix} among its arguments", strings.Join(c.Args, " "))
	case listens && c.uses("{unix}"):
		return fmt.Errorf("the command %q has {unix} beside {addr} or {port}, expected one place to listen", strings.Join(c.Args, " "))
	}
	return nil
}

// place is where a command listens.
type place struct {
	network string // "tcp" or "unix"
	host    string
	port    int
	path    string
}

func (p place) addr() string {
	if p.network == "unix" {
		return p.path
	}
	return p.host + ":" + strconv.Itoa(p.port)
}

// served is the application that a command is told to load.
type served struct {
	module, callable string
	dir              string   // of the module
	env              []string // that the module needs
	question         question // that the application can answer
}

// filler returns what fills in the placeholders.
func (c Command) filler(at place, app served, tmp string) *strings.Replacer {
	pairs := []string{
		"{module}", app.module, "{app}", app.callable, "{dir}", app.dir,
		"{python}", cmp.Or(c.Python, "python3"), "{tmp}", tmp,
	}
	if at.network == "unix" {
		pairs = append(pairs, "{unix}", at.path)
	} else {
		pairs = append(pairs, "{addr}", at.addr(), "{host}", at.host, "{port}", strconv.Itoa(at.port))
	}
	return strings.NewReplacer(pairs...)
}
