package main

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/launch"
)

// subject is what is checked, and how.
type subject struct {
	title string // in "checking ..."
	check func(ctx context.Context, suite conformance.Suite, o launch.Options) (conformance.Report, error)
}

// findSubject returns the subject that the arguments of check name. command
// is what followed two dashes, nil if there were none.
func findSubject(args, command []string) (subject, error) {
	switch {
	case command != nil && len(args) > 0:
		return subject{}, usagef("check takes %q or the command after --, not both", args[0])
	case command != nil:
		if err := launch.ValidateArgs(command); err != nil {
			return subject{}, usagef("%v", err)
		}
		return subject{strings.Join(command, " "), func(ctx context.Context, suite conformance.Suite, o launch.Options) (conformance.Report, error) {
			return launch.CheckCommand(ctx, suite, command, o)
		}}, nil
	case len(args) == 0:
		return subject{}, usagef("check needs a SUBJECT, or -- and a server command")
	case len(args) > 1:
		return subject{}, usagef("check takes one SUBJECT, not %d; a server command stands behind --", len(args))
	}
	return namedSubject(args[0])
}

// namedSubject understands a SUBJECT.
func namedSubject(name string) (subject, error) {
	if scheme, _, ok := strings.Cut(name, "://"); ok {
		u, err := url.Parse(name)
		if err != nil || u.Host == "" || scheme != "http" && scheme != "https" {
			return subject{}, usagef("SUBJECT is %q, expected http://HOST:PORT/PATH or https://HOST:PORT/PATH", name)
		}
		return subject{name, func(ctx context.Context, suite conformance.Suite, _ launch.Options) (conformance.Report, error) {
			return suite.CheckURL(ctx, name)
		}}, nil
	}
	var names []string
	for _, p := range launch.Presets() {
		names = append(names, p.Name)
	}
	if slices.Contains(names, name) {
		return subject{name, func(ctx context.Context, suite conformance.Suite, o launch.Options) (conformance.Report, error) {
			return launch.Check(ctx, suite, name, o)
		}}, nil
	}
	// No name of a server has a dot or a slash in it: mysite.wsgi is an application.
	if i := strings.LastIndexByte(name, ':'); i > 0 && i < len(name)-1 || i < 0 && strings.ContainsAny(name, "./") {
		return subject{name, func(ctx context.Context, suite conformance.Suite, o launch.Options) (conformance.Report, error) {
			return launch.CheckApplication(ctx, suite, name, o)
		}}, nil
	}
	return subject{}, usagef("SUBJECT is %q, expected MODULE:CALLABLE, FILE.py:CALLABLE, FILE.wsgi, a URL, or one of %s", name, strings.Join(names, ", "))
}
