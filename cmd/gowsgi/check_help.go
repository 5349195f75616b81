package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/conformance/launch"
)

// checkHelp prints the page of check.
func checkHelp(w io.Writer) {
	io.WriteString(w, `Usage: gowsgi check SUBJECT [OPTION]...
       gowsgi check [OPTION]... -- COMMAND [ARGUMENT]...

Checks whether a server or an application keeps the rules of the contract, which
gowsgi rules prints, and reports what it found, rule by rule. Each rule that is
broken comes with what was sent, what was expected and what came.

COMMAND is any server command for a Python application. It runs with an
application in it that plays the part of many, is looked at from both sides, and
is stopped. For the rules of logs, what it prints is looked at.
Its arguments have placeholders:

  {addr}    where to listen, HOST:PORT; or {host} and {port}
  {unix}    where to listen, the path of a Unix socket
  {module}  the module of the application, which is on Python's path
  {app}     the name of the application in the module
  {dir}     the folder of the module
  {python}  the interpreter of --python
  {tmp}     a folder for files of its own, which is removed afterwards

SUBJECT

A server by its name:

`)
	for _, p := range launch.Presets() {
		fmt.Fprintf(w, "  %-14s %s\n", p.Name, p.Summary)
	}
	io.WriteString(w, `
or one of these:

  MODULE:CALLABLE, FILE.py:CALLABLE, FILE.wsgi
      a Python application, checked by what servers do to it
  http://HOST:PORT/PATH, https://HOST:PORT/PATH
      a server that is running, checked by what can be seen from outside; it is
      sent requests that only read, and malformed ones

OPTIONS

Each option can also be set by the environment variable beside it. The command
line wins. One dash before an option is as good as two.

`)
	writeOptions(w, newCheckConfig().options())
	io.WriteString(w, `A DURATION is a number of seconds, or one with a unit, such as 90s or 5m. 0
means no limit.

EXIT STATUS

  0  every MUST holds, and with --strict every SHOULD
  1  one does not
  2  the check could not be made: what it takes is not there, the server does
     not start, the command line was not understood

EXAMPLES

  gowsgi check gunicorn
  gowsgi check shop.wsgi:application --html report.html
  gowsgi check -- gunicorn -b {addr} -k gthread --threads 8 {module}:{app}
  gowsgi check --strict --junit report.xml -- uwsgi --http-socket {addr} \
      --pythonpath {dir} --module {module} --callable {app}
  gowsgi check http://localhost:8000/ --only HTTP,EXP
`)
}

// writeOptions lists options, each with its variable.
func writeOptions(w io.Writer, options []option) {
	for _, o := range options {
		spelling := strings.TrimRight("--"+o.name+" "+o.placeholder, " ")
		fmt.Fprintf(w, "  %-28s %s\n", spelling, o.env())
		for line := range strings.Lines(o.usage) {
			fmt.Fprintf(w, "      %s", line)
		}
		io.WriteString(w, "\n\n")
	}
}
