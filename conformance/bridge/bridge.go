// Package bridge lets the probes of package conformance, which are written in
// Go, act as an application inside of any Python WSGI server, and makes an
// application of Python's a wsgi.Application.
package bridge

import (
	"context"
	"errors"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Module and Callable are what a Python server is told to load.
const (
	Module   = "gowsgi_probe"
	Callable = "application"
)

var errUnfinished = errors.New("bridge: not there yet")

// Bridge serves an application to Python servers.
type Bridge struct{ dir string }

// Listen makes app the application behind the Python module.
func Listen(app wsgi.Application) (*Bridge, error) { return nil, errUnfinished }

// Dir returns the folder that holds the module.
func (b *Bridge) Dir() string { return b.dir }

// Env returns variables for the environment of a server, as for exec.Cmd.
func (b *Bridge) Env() []string { return []string{"PYTHONPATH=" + b.dir} }

// Close ends what is running and removes the folder.
func (b *Bridge) Close() error { return nil }

// Program tells which Python application to run, and how.
type Program struct {
	Interpreter string   // "python3" when it is empty
	Target      string   // "module:callable", "module:factory()" or "path/file.py:callable"
	Dir         string   // the working folder; "" for that of this process
	Env         []string // as for exec.Cmd; nil for that of this process
}

// App is a Python application.
type App struct{}

// Run starts a process that has imported the application.
func Run(ctx context.Context, p Program) (*App, error) { return nil, errUnfinished }

// Call calls the application.
func (a *App) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return nil, errUnfinished
}

// Close ends the process.
func (a *App) Close() error { return nil }
