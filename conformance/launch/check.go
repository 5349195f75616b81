package launch

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
)

// Options say how a check is made. The zero value is fit for most.
type Options struct {
	// Python is the interpreter that servers and applications run under. When
	// it is "", Check looks for one that has what it needs: python3 and python
	// on the PATH, and then /usr/bin/python3.
	Python string

	// StartTimeout bounds the time from the start of a command to its first
	// answer: 30 s when it is zero.
	StartTimeout time.Duration

	// Output receives what the command prints, as it comes. When it is nil the
	// end of it is kept for error messages, and the rest is lost.
	Output io.Writer
}

// Check starts the server of that name (see Presets) with the probes of
// conformance.Suite.CheckServer as its application, checks it, and stops it.
// The report has its Subject and Version.
func Check(ctx context.Context, suite conformance.Suite, preset string, o Options) (conformance.Report, error) {
	return conformance.Report{}, errors.ErrUnsupported
}

// CheckCommand is Check for any server command.
func CheckCommand(ctx context.Context, suite conformance.Suite, args []string, o Options) (conformance.Report, error) {
	return conformance.Report{}, errors.ErrUnsupported
}

// CheckApplication checks a Python application, "module:callable" or
// "path/file.py:callable", in a process of its own.
func CheckApplication(ctx context.Context, suite conformance.Suite, target string, o Options) (conformance.Report, error) {
	return conformance.Report{}, errors.ErrUnsupported
}

// A Preset is a server that Check knows how to start.
type Preset struct {
	Name    string // such as "gunicorn" or "uwsgi:scgi"
	Summary string // one line, for a list
}

// Presets returns the servers that Check knows, in the order in which they
// are shown. The result belongs to the caller.
func Presets() []Preset { return nil }
