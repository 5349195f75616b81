package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/bridge"
)

// CheckApplication checks a Python application in a process of its own that
// runs in the current folder: "module:callable" or "path/file.py:callable", as
// bridge.Program has it. What only Python can do wrong is in the report as
// well.
func CheckApplication(ctx context.Context, suite conformance.Suite, target string, o Options) (report conformance.Report, err error) {
	app, python, err := o.run(ctx, target)
	if err != nil {
		return conformance.Report{}, err
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	report, err = suite.CheckApplication(ctx, app)
	report.Subject = target
	report.Version, _ = say(ctx, python, "-c", "import platform; print(platform.python_implementation(), platform.python_version())")
	return report, err
}

// run runs an application with the first interpreter that has all that it
// imports.
func (o Options) run(ctx context.Context, target string) (app *bridge.App, python string, err error) {
	paths, err := interpreters(o.Python)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, cmp.Or(o.StartTimeout, defaultStartTimeout), errors.New("it was not imported in time"))
	defer cancel()
	var failed error
	for _, python = range paths {
		app, err = bridge.Run(ctx, bridge.Program{Interpreter: python, Target: target, Stderr: o.Output})
		switch {
		case err == nil:
			return app, python, nil
		case ctx.Err() != nil:
			return nil, "", fmt.Errorf("%s: %w", target, context.Cause(ctx))
		case failed == nil:
			failed = err
		}
		if !strings.Contains(err.Error(), "ModuleNotFoundError") {
			break // another one would say the same
		}
	}
	return nil, "", failed
}
