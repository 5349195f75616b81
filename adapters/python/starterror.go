package python

import (
	"context"
	"errors"
	"fmt"
)

// A StartError says why no worker is ready.
type StartError struct {
	App       string
	Traceback string // of Python, when the application could not be imported
	Err       error  // otherwise
}

// Error returns what happened; a traceback has several lines.
func (e *StartError) Error() string {
	if e.Traceback != "" {
		return fmt.Sprintf("python: %s cannot be imported:\n%s", e.App, e.Traceback)
	}
	return fmt.Sprintf("python: %s: %v", e.App, e.Err)
}

// Unwrap returns Err.
func (e *StartError) Unwrap() error { return e.Err }

// awaitReady waits until the worker is ready or has failed to be.
func (w *worker) awaitReady(ctx context.Context) error {
	app := w.generation.pool.config.App
	select {
	case <-w.ready:
		return nil
	case <-w.exited:
		return w.startError()
	case <-ctx.Done():
	}
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		w.signal(signalDump)
		err = fmt.Errorf("a worker is not ready after %v: is the import of the application waiting for something?", w.generation.pool.config.StartTimeout)
	}
	return &StartError{App: app, Err: err}
}

// startError says why a worker that has exited was never ready.
func (w *worker) startError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &StartError{App: w.generation.pool.config.App, Traceback: w.trace}
	if e.Traceback == "" {
		e.Err = fmt.Errorf("a worker ended before it was ready: %s", w.status)
	}
	return e
}
