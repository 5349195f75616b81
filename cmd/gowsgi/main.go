// Command gowsgi serves WSGI applications, and checks servers and applications.
//
//	gowsgi serve             the built-in demo application on http://127.0.0.1:8000/
//	gowsgi serve -h          the options of serve
//	gowsgi check gunicorn    does a server keep the contract?
//	gowsgi check -h          what else can be checked, and how
//	gowsgi rules             the rules of the contract
//	gowsgi version           which version this is
//
// It exits with status 0 after it was told to stop and every response was
// finished, with 2 when it was called in a way that it does not understand,
// and with 1 when anything else went wrong. What went wrong is one line on
// standard error. The statuses of check are its own; see its help.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	os.Exit(run(os.Args[1:], process{lookupEnv: os.LookupEnv, stdout: os.Stdout, stderr: os.Stderr}))
}

// process is what a command uses of the process that it runs in.
type process struct {
	lookupEnv      func(name string) (string, bool)
	stdout, stderr io.Writer
}

// The exit statuses.
const (
	exitOK = iota
	exitFailure
	exitUsage

	exitUnchecked = exitUsage // of check: it could not be made
)

// command is a word after gowsgi.
type command struct {
	name    string
	summary string
	run     func(args []string, p process) error
	help    func(w io.Writer)
}

// commands returns the table of commands. It is a function because help, one
// of them, reads it.
func commands() []command {
	return []command{
		{"serve", "serve an application", serve, serveHelp},
		{"check", "check a server or an application against the rules", checkConformance, checkHelp},
		{"rules", "print the rules of the contract", rules, rulesHelp},
		{"version", "print the version", version, versionHelp},
		{"help", "explain a command", help, helpHelp},
	}
}

func findCommand(name string) (command, error) {
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c, nil
		}
		names = append(names, c.name)
	}
	return command{}, usagef("unknown command %q, expected one of %s%s", name, strings.Join(names, ", "), commandAdvice(name))
}

// usageError is a call that is not understood.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

// exitError ends the command with a status of its own. Without an err there is
// nothing left to say.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// run runs the command that args begin with and returns the exit status.
func run(args []string, p process) int {
	if len(args) == 0 {
		generalHelp(p.stderr)
		return exitUsage
	}
	name, args := args[0], args[1:]
	switch {
	case wantsHelp(name):
		name = "help"
	case name == "-version" || name == "--version":
		name = "version"
	}
	c, err := findCommand(name)
	if err == nil && len(args) > 0 && wantsHelp(args[0]) {
		c.help(p.stdout)
		return exitOK
	}
	if err == nil {
		err = c.run(args, p)
	}
	if err == nil {
		return exitOK
	}
	hint := ""
	status := exitFailure
	if usage := (*usageError)(nil); errors.As(err, &usage) {
		status = exitUsage
		hint = "; see gowsgi -h"
		if c.name != "" {
			hint = "; see gowsgi " + c.name + " -h"
		}
	}
	if exit := (*exitError)(nil); errors.As(err, &exit) {
		status = exit.status
		if exit.err == nil {
			return status
		}
	}
	fmt.Fprintf(p.stderr, "gowsgi: %s%s\n", oneLine(err), hint)
	return status
}

func wantsHelp(arg string) bool { return arg == "-h" || arg == "-help" || arg == "--help" }

// oneLine returns the text of err in one line: errors that were joined have
// several.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
