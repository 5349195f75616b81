package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/launch"
	"github.com/gowsgi/gowsgi/conformance/report"
	"github.com/gowsgi/gowsgi/internal/lifecycle"
)

// checkConfig is what the options of check say.
type checkConfig struct {
	only      []string
	strict    bool
	json      bool
	junitFile string
	htmlFile  string
	protocol  string
	timeout   time.Duration
	python    string
	verbose   bool
}

func newCheckConfig() *checkConfig {
	return &checkConfig{protocol: "http", timeout: 5 * time.Minute}
}

// options is the table of the options of check.
func (c *checkConfig) options() []option {
	return []option{
		{"only", "IDS", "Only these rules: ids such as START-13, or groups such as START, separated\n" +
			"by commas.", list(c.addOnly)},
		{"strict", "", "A broken SHOULD counts for the exit status, as a broken MUST does, and so\n" +
			"does another reading of PEP 3333 than that of gowsgi.", boolean(&c.strict)},
		{"json", "", "Print the report as one JSON object, and nothing else on standard output.", boolean(&c.json)},
		{"junit", "FILE", "Write the report as JUnit XML too.", text(&c.junitFile)},
		{"html", "FILE", "Write the report as a page of HTML too, one file that needs no other.", text(&c.htmlFile)},
		{"protocol", "NAME", "What the server COMMAND speaks: http, h2c, fastcgi, scgi or uwsgi. http by\n" +
			"default.", choice(&c.protocol, "http", "h2c", "fastcgi", "scgi", "uwsgi")},
		{"timeout", "DURATION", "How long the whole check may take, 5m by default.",
			// GOWSGI_TIMEOUT is that of a worker of serve.
			value{set: duration(&c.timeout).set, env: "GOWSGI_CHECK_TIMEOUT"}},
		{"python", "PATH", "The interpreter to run servers and applications with, or the folder of a\n" +
			"virtual environment. By default it is one that has what they need: python3\n" +
			"on the PATH, or else /usr/bin/python3.", text(&c.python)},
		{"verbose", "", "Show the whole evidence, why rules were skipped, and, on standard error,\n" +
			"what the server prints.", boolean(&c.verbose)},
	}
}

// addOnly adds one rule or group, in any case.
func (c *checkConfig) addOnly(s string) error {
	for name := range strings.SplitSeq(s, ",") {
		name = strings.ToUpper(strings.TrimSpace(name))
		found := slices.ContainsFunc(conformance.Rules(), func(r conformance.Rule) bool {
			group, _, _ := strings.Cut(r.ID, "-")
			return r.ID == name || group == name
		})
		if !found {
			return errors.New("expected ids such as START-13 or groups such as START, separated by commas")
		}
		c.only = append(c.only, name)
	}
	return nil
}

// checkConformance checks what args name. Its exit status is 0 when the subject
// keeps every MUST, 1 when it does not, and 2 when the check could not be made.
func checkConformance(args []string, p process) error {
	c := newCheckConfig()
	subject, err := c.parse(args, p.lookupEnv)
	if errors.Is(err, errHelp) {
		checkHelp(p.stdout)
		return nil
	} else if err != nil {
		return err
	}
	r, err := c.make(subject, p)
	if err == nil {
		err = c.write(r, p)
	}
	switch {
	case err != nil && errors.As(err, new(*usageError)):
		return err
	case err != nil:
		return &exitError{exitUnchecked, err}
	case report.Failed(r, c.strict):
		return &exitError{exitFailure, nil} // the report has said it
	}
	return nil
}

// parse reads the command line and the variables.
func (c *checkConfig) parse(args []string, lookupEnv func(string) (string, bool)) (subject, error) {
	var command []string
	if i := slices.Index(args, "--"); i >= 0 {
		args, command = args[:i], args[i+1:]
		if len(command) == 0 {
			command = []string{""} // which is not none
		}
	}
	rest, err := parse(args, c.options(), lookupEnv)
	if err != nil {
		return subject{}, err
	}
	return findSubject(rest, command)
}

// make makes the check.
func (c *checkConfig) make(s subject, p process) (conformance.Report, error) {
	stop := lifecycle.Watch(context.Background())
	defer stop.End()
	ctx := stop.Gently()
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("the check took longer than %v", c.timeout))
		defer cancel()
	}
	suite := conformance.Suite{Lenient: !c.strict, Protocol: c.protocol, Only: c.only}
	o := launch.Options{Python: interpreter(c.python)}
	if c.verbose {
		o.Output = p.stderr
	}
	if !c.json {
		fmt.Fprintf(p.stderr, "gowsgi: checking %s (Ctrl-C stops)\n", s.title)
	}
	r, err := s.check(ctx, suite, o)
	if ctx.Err() != nil { // whatever that has broken in the check
		err = context.Cause(ctx)
	}
	return r, c.explain(err, p.stderr)
}

// explain puts on w what an error has beyond one line: what a command printed,
// or Python's traceback. It returns the rest.
func (c *checkConfig) explain(err error, w io.Writer) error {
	if err == nil {
		return nil
	}
	var detail string
	if start := (*launch.StartError)(nil); errors.As(err, &start) {
		err, detail = &launch.StartError{Command: start.Command, Err: start.Err}, start.Output
		if c.verbose { // it was shown as it came
			detail = ""
		}
	} else if first, rest, ok := strings.Cut(strings.TrimSpace(err.Error()), "\n"); ok {
		last := rest[strings.LastIndexByte(rest, '\n')+1:]
		err, detail = fmt.Errorf("%s: %s", strings.TrimSuffix(first, ":"), last), rest
	}
	for line := range strings.Lines(detail) {
		fmt.Fprintf(w, "  | %s\n", strings.TrimSuffix(line, "\n"))
	}
	return err
}

// write writes the report in the forms that are wanted.
func (c *checkConfig) write(r conformance.Report, p process) error {
	files := []struct {
		path  string
		write func(io.Writer, ...conformance.Report) error
	}{
		{c.junitFile, report.JUnit},
		{c.htmlFile, report.HTML},
	}
	if c.strict { // JUnit knows no warnings
		files[0].write = func(w io.Writer, all ...conformance.Report) error { return report.JUnit(w, report.Strict(all[0])) }
	}
	for _, f := range files {
		if f.path == "" {
			continue
		}
		if err := writeFile(f.path, func(w io.Writer) error { return f.write(w, r) }); err != nil {
			return err
		}
	}
	if c.json {
		return report.JSON(p.stdout, r)
	}
	return report.Text(p.stdout, r, report.TextOptions{
		Color:   colored(p),
		Width:   terminalWidth(p),
		Verbose: c.verbose,
		Strict:  c.strict,
	})
}

// writeFile makes a file of what write writes.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

// colored reports whether p's output is a terminal that shows colours.
func colored(p process) bool {
	file, ok := p.stdout.(*os.File)
	if !ok || fileWidth(file) == 0 {
		return false
	}
	none, _ := p.lookupEnv("NO_COLOR")
	terminal, _ := p.lookupEnv("TERM")
	return none == "" && terminal != "dumb"
}

// interpreter returns the interpreter of a virtual environment, and path itself when
// it is no folder: what serve takes for --python, and GOWSGI_PYTHON, works here too.
func interpreter(path string) string {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return path
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(path, "Scripts", "python.exe")
	}
	return filepath.Join(path, "bin", "python")
}
