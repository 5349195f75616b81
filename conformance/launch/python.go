package launch

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// lookTime bounds how long a program may take to say which version it is.
const lookTime = 30 * time.Second

// debianPython is where Debian and its like have the interpreter that their
// packages of Python modules belong to. The python3 that is first on the PATH
// may be another one.
const debianPython = "/usr/bin/python3"

// interpreters returns the interpreters to look at.
func interpreters(given string) (paths []string, err error) {
	names := []string{"python3", "python", debianPython}
	if given != "" {
		names = []string{given}
	}
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err == nil && !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	switch {
	case len(paths) > 0:
		return paths, nil
	case given != "":
		return nil, fmt.Errorf("expected a Python interpreter, there is no program %s", given)
	}
	return nil, errors.New("expected a Python interpreter, there is no python3 on the PATH; install Python 3.8 or later")
}

// tellVersion prints the version of the interpreter, and then that of the
// distribution that is its argument, or else of the module of that name.
const tellVersion = `
import importlib, platform, sys
name = sys.argv[1]
module = importlib.import_module(name)
try:
    from importlib.metadata import version
    text = version(name)
except Exception:
    text = getattr(module, "__version__", "")
print(platform.python_implementation(), platform.python_version())
print(text if isinstance(text, str) else "")
`

// findModule returns an interpreter that can import module, and what it says
// of their versions. install says how the module is installed.
func findModule(ctx context.Context, given, module, install string) (interpreter, version string, err error) {
	paths, err := interpreters(given)
	if err != nil {
		return "", "", err
	}
	for _, path := range paths {
		out, err := say(ctx, path, "-c", tellVersion, module)
		if err != nil {
			continue
		}
		python, own, _ := strings.Cut(out, "\n")
		if own == "" {
			return path, python, nil // a module of the interpreter's own
		}
		return path, own + " (" + python + ")", nil
	}
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	return "", "", fmt.Errorf("expected a Python interpreter that can import %s, looked at %s; install it: %s",
		module, strings.Join(paths, ", "), install)
}

// say runs a program that ends by itself, and returns what it printed on its
// standard output, without blanks around it.
func say(ctx context.Context, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}
