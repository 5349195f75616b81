package bridge

import (
	"context"
	"errors"

	"github.com/gowsgi/gowsgi/wsgi"
)

var errUnfinished = errors.New("bridge: not there yet")

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
