package launch

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// A Preset is a server that Check knows how to start.
type Preset struct {
	Name     string // such as "gunicorn" or "uwsgi:scgi"
	Summary  string // how it is started, in one line
	Protocol string // what it speaks, as in conformance.Suite

	find finder // nil for the server of this module
}

// A finder looks for a server's program, and returns the command that starts
// it and its version. A version of "" is what the server itself says with its
// first answer.
type finder func(ctx context.Context, python string) (c Command, version string, err error)

// Presets returns the servers that Check knows, in the order in which they are
// shown. Each is started as a person would who has read the first page of its
// manual: with its defaults, and with threads where it has a choice.
func Presets() []Preset {
	return []Preset{
		{"gowsgi", "package server of this module, in this process", "http", nil},
		{"gunicorn", "one sync worker, the default", "http",
			module("gunicorn", "gunicorn", "-m", "gunicorn", "--bind", "{addr}", "{module}:{app}")},
		{"gthread", "gunicorn with one worker of 4 threads and keep-alive", "http",
			module("gunicorn", "gunicorn", "-m", "gunicorn", "--bind", "{addr}", "--worker-class", "gthread",
				"--threads", "4", "--keep-alive", "5", "{module}:{app}")},
		{"uwsgi", "uWSGI with --http-socket and 4 threads", "http", uwsgi("--http-socket")},
		{"waitress", "its command line, with the defaults", "http",
			module("waitress", "python3-waitress", "-m", "waitress", "--listen={addr}", "{module}:{app}")},
		{"cheroot", "its command line, with the defaults", "http",
			module("cheroot", "python3-cheroot", "-m", "cheroot", "--bind", "{addr}", "{module}:{app}")},
		{"wsgiref", "make_server of Python's own wsgiref.simple_server", "http",
			module("wsgiref", "python3", "-c", runWsgiref, "{host}", "{port}", "{module}", "{app}")},
		{"werkzeug", "run_simple, threaded, as flask run does", "http",
			module("werkzeug", "python3-werkzeug", "-c", runWerkzeug, "{host}", "{port}", "{module}", "{app}")},
		{"mod_wsgi", "embedded in Apache httpd, in one process", "http", modWSGI},
		{"uwsgi:uwsgi", "uWSGI with --uwsgi-socket and 4 threads", "uwsgi", uwsgi("--uwsgi-socket")},
		{"uwsgi:fastcgi", "uWSGI with --fastcgi-socket and 4 threads", "fastcgi", uwsgi("--fastcgi-socket")},
		{"uwsgi:scgi", "uWSGI with --scgi-socket and 4 threads", "scgi", uwsgi("--scgi-socket")},
	}
}

// findPreset returns the preset of that name.
func findPreset(name string) (Preset, error) {
	var names []string
	for _, p := range Presets() {
		if p.Name == name {
			return p, nil
		}
		names = append(names, p.Name)
	}
	return Preset{}, fmt.Errorf("there is no server %q, expected one of %s", name, strings.Join(names, ", "))
}

const runWsgiref = `
import importlib, sys
from wsgiref.simple_server import make_server
host, port, module, name = sys.argv[1:]
make_server(host, int(port), getattr(importlib.import_module(module), name)).serve_forever()
`

const runWerkzeug = `
import importlib, sys
from werkzeug.serving import run_simple
host, port, module, name = sys.argv[1:]
run_simple(host, int(port), getattr(importlib.import_module(module), name), threaded=True)
`

// module is the finder of a server that is a Python module. args are those of
// the interpreter.
func module(name, debian string, args ...string) finder {
	install := "pip install " + name + ", or the package " + debian + " of Debian"
	if name == "wsgiref" {
		install = "it is a part of Python"
	}
	return func(ctx context.Context, given string) (Command, string, error) {
		python, version, err := findModule(ctx, given, name, install)
		return Command{Args: append([]string{"{python}"}, args...), Dir: "{tmp}", Python: python}, version, err
	}
}

// uwsgi is the finder of uWSGI with an option for what it is to speak. Without
// --die-on-term it would start anew at SIGTERM, and without --need-app it
// would serve error pages in place of an application that it cannot load.
func uwsgi(socket string) finder {
	return func(ctx context.Context, _ string) (Command, string, error) {
		path, err := exec.LookPath("uwsgi")
		if err != nil {
			return Command{}, "", errors.New("expected the program uwsgi on the PATH, it is not there; install it: pip install uwsgi, or the packages uwsgi-core and uwsgi-plugin-python3 of Debian")
		}
		version, err := say(ctx, path, "--version")
		if err != nil {
			return Command{}, "", fmt.Errorf("uwsgi --version: %w", err)
		}
		// Python is compiled in, or it is a plugin with one of these names.
		for _, plugin := range [][]string{nil, {"--plugin", "python3"}, {"--plugin", "python"}} {
			python, err := say(ctx, path, append(slices.Clone(plugin), "--python-version")...)
			if err != nil || python == "" {
				continue
			}
			args := slices.Concat([]string{path}, plugin, []string{
				socket, "{addr}", "--threads", "4", "--die-on-term", "--need-app",
				"--pythonpath", "{dir}", "--module", "{module}", "--callable", "{app}",
			})
			return Command{Args: args, Dir: "{tmp}"}, version + " (Python " + python + ")", nil
		}
		if err := ctx.Err(); err != nil {
			return Command{}, "", err
		}
		return Command{}, "", errors.New("expected a uwsgi that can run Python, it has no such plugin; install the package uwsgi-plugin-python3 of Debian")
	}
}
