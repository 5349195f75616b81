package main

import (
	"os"
	"strings"

	"github.com/gowsgi/gowsgi/internal/demo"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// target is something that serve can serve.
type target struct {
	name    string
	summary string
	title   string // in "serving ..."
	open    func(c *config, s *server.Server) (app wsgi.Application, closeApp func() error, err error)
}

var targets = []target{
	{"demo", "the built-in demo application", "the demo application", openDemo},
}

func openDemo(*config, *server.Server) (wsgi.Application, func() error, error) {
	d, err := demo.Open()
	if err != nil {
		return nil, nil, err
	}
	return d, d.Close, nil
}

// filesTarget is the target of the files in a folder.
func filesTarget(name, folder string) target {
	return target{name: name, title: "the files in " + folder, open: func(*config, *server.Server) (wsgi.Application, func() error, error) {
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, nil, err
		}
		return static.Application(static.Config{Files: root.FS()}), root.Close, nil
	}}
}

// findTarget returns the target that the arguments of serve name.
func findTarget(args []string) (target, error) {
	switch len(args) {
	case 0:
		return targets[0], nil
	case 1:
		for _, t := range targets {
			if t.name == args[0] {
				return t, nil
			}
		}
		if folder, ok := strings.CutPrefix(args[0], "dir:"); ok && folder != "" {
			return filesTarget(args[0], folder), nil
		}
		if t, ok, err := backendTarget(args[0]); ok {
			return t, err
		}
		if namesPython(args[0]) {
			return pythonTarget(args[0]), nil
		}
		if _, err := os.Stat(args[0] + ".py"); err == nil {
			return target{}, usagef("TARGET is %q, expected module:callable, as in %[1]s:application for %[1]s.py", args[0])
		}
		return target{}, usagef("TARGET is %q, expected demo, a Python application such as module:app, dir:PATH for files, or a backend such as uwsgi://HOST:PORT or cgi:PATH", args[0])
	}
	return target{}, usagef("serve takes one TARGET, not %d", len(args))
}
