package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
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
// conformance.Suite.CheckServer as its application, checks it, and stops it. What
// the command prints is the suite's Output, unless the suite has an Output or a
// Log already.
// The report has its Subject and Version. The protocol is that of the preset,
// whatever suite says.
//
// The error is that of a server which is not installed or does not start, or
// ctx's when it ended before the suite did; the report then has what was found
// by then.
func Check(ctx context.Context, suite conformance.Suite, preset string, o Options) (conformance.Report, error) {
	p, err := findPreset(preset)
	if err != nil {
		return conformance.Report{}, err
	}
	suite.Protocol = p.Protocol
	if p.find == nil {
		return checkOwn(ctx, suite)
	}
	c, version, err := p.find(ctx, o.Python)
	if err != nil {
		return conformance.Report{}, fmt.Errorf("%s: %w", p.Name, err)
	}
	report, software, err := o.check(ctx, suite, c)
	report.Subject, report.Version = p.Name, version
	if version == "" {
		report.Version = software
	}
	return report, err
}

// CheckCommand is Check for any server command, which has placeholders as the
// Args of a Command have. The Subject of the report is the command, and its
// Version what the server says it is.
func CheckCommand(ctx context.Context, suite conformance.Suite, args []string, o Options) (conformance.Report, error) {
	c := Command{Args: args, Python: o.Python}
	if c.Python == "" && c.uses("{python}") {
		paths, err := interpreters("")
		if err != nil {
			return conformance.Report{}, err
		}
		c.Python = paths[0]
	}
	report, software, err := o.check(ctx, suite, c)
	report.Subject, report.Version = strings.Join(args, " "), software
	return report, err
}

// check makes a check of a server command.
func (o Options) check(ctx context.Context, suite conformance.Suite, c Command) (report conformance.Report, software string, err error) {
	suite.Python = true
	c.Protocol, c.StartTimeout, c.Output = suite.Protocol, o.StartTimeout, o.Output
	if suite.Log == nil && suite.Output == nil {
		out := new(printed)
		suite.Output, c.Output = out.all, out
		if o.Output != nil {
			c.Output = io.MultiWriter(out, o.Output)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var s *Server
	defer func() {
		if s != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	w := watch{lenient: suite.Lenient, progress: suite.Progress, cancel: cancel}
	suite.Progress = func(rule, name string) { w.next(ctx, s, rule+" "+name) }
	report, err = suite.CheckServer(ctx, func(app wsgi.Application) (network, addr string, err error) {
		if s, err = Start(ctx, c, app); err != nil {
			return "", "", err
		}
		software = s.Software
		return s.Network, s.Addr, nil
	})
	if s == nil {
		return report, "", err
	}
	if w.next(ctx, s, ""); context.Cause(ctx) == errTooOften {
		err = nil // the report says so
	}
	return w.tell(report), software, err
}

// ValidateArgs returns an error for the arguments of a command that has no place
// to listen, or two of them. CheckCommand returns it too.
func ValidateArgs(args []string) error { return Command{Args: args}.check() }
