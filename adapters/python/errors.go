package python

import "errors"

var (
	errFull         = errors.New("python: too many requests wait for a worker")
	errQueueTimeout = errors.New("python: no worker took the request in time")
	errTimeout      = errors.New("python: the worker did not get on with the request in time")
	errClosed       = errors.New("python: the pool is closed")
	errWorkerEnded  = errors.New("python: the worker ended during the request")
)

// An Exception is the failure of a Python application in a request: what it
// raised, as a traceback.
type Exception struct {
	Traceback string
	cause     error // of Go's side: a request body that could not be read
}

// Error returns the traceback, which has several lines.
func (e *Exception) Error() string { return e.Traceback }

// Unwrap returns the error that the application met when it read the request
// body, nil when there was none.
func (e *Exception) Unwrap() error { return e.cause }
