package forward

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Failure is why a backend has not answered.
type Failure struct {
	Status  string // of the answer in its place; "" for what Err says
	Doing   string // in which phase, such as "connecting"
	Backend string // its address, "" when none was chosen
	Err     error
}

func (f *Failure) Error() string {
	if f.Backend == "" {
		return f.Doing + ": " + f.Err.Error()
	}
	return "backend " + f.Backend + ": " + f.Doing + ": " + f.Err.Error()
}

// Unwrap returns Err.
func (f *Failure) Unwrap() error { return f.Err }

// status is the status of the answer: that the backend took too long, that it
// cannot take more, or that it did not keep to the protocol (RFC 9110, 15.6.3
// to 15.6.5).
func (f *Failure) status() string {
	var timeout net.Error
	switch {
	case f.Status != "":
		return f.Status
	case errors.Is(f.Err, ErrBusy) || errors.Is(f.Err, ErrOverloaded):
		return "503 Service Unavailable"
	case errors.Is(f.Err, os.ErrDeadlineExceeded), errors.Is(f.Err, context.DeadlineExceeded),
		errors.As(f.Err, &timeout) && timeout.Timeout():
		return "504 Gateway Timeout"
	}
	return "502 Bad Gateway"
}

// ErrOverloaded is a backend's answer that it takes no more requests.
var ErrOverloaded = errors.New("the backend says that it is overloaded")

// Fail answers in the place of the backend, and tells the operator why. What
// is not a Failure is passed on to the gateway.
func Fail(logger *slog.Logger, environ *wsgi.Environ, start wsgi.StartResponse, err error) (wsgi.Iterable, error) {
	f := (*Failure)(nil)
	if !errors.As(err, &f) {
		return nil, err
	}
	status := f.status()
	logger.LogAttrs(context.WithoutCancel(environ.Context()), slog.LevelError, "backend did not answer",
		slog.String("status", status), slog.String("backend", f.Backend), slog.String("phase", f.Doing), slog.Any("error", f.Err),
		slog.String("method", environ.Var("REQUEST_METHOD")), slog.String("path", environ.Var("SCRIPT_NAME")+environ.Var("PATH_INFO")))
	text := status + "\n"
	if _, err := start(status, wsgi.Headers{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.Itoa(len(text))},
	}, nil); err != nil {
		return nil, err
	}
	return wsgi.Strings(text), nil
}
