package main

import (
	"fmt"
	"io"
)

// generalHelp is what gowsgi says without a command.
func generalHelp(w io.Writer) {
	io.WriteString(w, `gowsgi serves WSGI applications and checks servers and applications: PEP 3333
as a Go contract.

Usage:

  gowsgi COMMAND [ARGUMENT]...

Commands:

`)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-9s %s\n", c.name, c.summary)
	}
	io.WriteString(w, `
gowsgi help COMMAND explains a command. To see something at once, run

  gowsgi serve

and open http://127.0.0.1:8000/.
`)
}

// help explains the command that args name.
func help(args []string, p process) error {
	switch {
	case len(args) == 0:
		generalHelp(p.stdout)
		return nil
	case len(args) > 1:
		return usagef("help takes one command, not %d", len(args))
	}
	c, err := findCommand(args[0])
	if err != nil {
		return err
	}
	c.help(p.stdout)
	return nil
}

func helpHelp(w io.Writer) {
	io.WriteString(w, "Usage: gowsgi help [COMMAND]\n\nExplains a command, or says which there are.\n")
}

// serveHelp prints the page of serve, whose options are those of the table.
func serveHelp(w io.Writer) {
	io.WriteString(w, `Usage: gowsgi serve [TARGET] [OPTION]...

Serves an application until it is told to stop.

TARGET

`)
	for _, t := range targets {
		fmt.Fprintf(w, "  %-9s %s\n", t.name, t.summary)
	}
	io.WriteString(w, `
  uwsgi://BACKEND, fcgi://BACKEND, scgi://BACKEND, http://BACKEND
            let a backend answer; BACKEND is HOST:PORT or unix:PATH, or several
            of them with commas in between
  cgi:PATH  run a CGI program for each request
  dir:PATH  the files in a folder
  module:callable, module:factory(), path/file.py:callable or path/file.wsgi
            a Python application, in worker processes

Without a TARGET it is demo.

EXAMPLES

  gowsgi serve
  gowsgi serve mysite.wsgi:application --workers 4 --bind :8000
  gowsgi serve mysite.wsgi --mount /static=dir:public --admin 127.0.0.1:9090
  gowsgi serve uwsgi://127.0.0.1:3031,127.0.0.1:3032
  gowsgi serve --listen :8443 --tls-cert cert.pem --tls-key key.pem
  gowsgi serve --listen fcgi://unix:/run/demo.sock --script-name /
  GOWSGI_LISTEN=:8080 GOWSGI_LOG_FORMAT=json gowsgi serve demo

OPTIONS

Each option can also be set by the environment variable beside it, or in a file:
see --config. The command line wins over a variable, and that over the file. One
dash before an option is as good as two. As with gunicorn, -b and --bind are
--listen, -w is --workers, -t --timeout, -e --env, -p --pid, -c --config,
-u --user, -g --group and -m --umask.

`)
	writeOptions(w, newConfig().options())
	io.WriteString(w, `FOR PYTHON APPLICATIONS

`)
	writeOptions(w, newConfig().python.options())
	io.WriteString(w, `ADDR is HOST:PORT, :PORT for every interface, unix:PATH, or fd:N for a socket
that the process was started with, each optionally behind the scheme of a
protocol: http://, fcgi://, scgi:// or uwsgi://. Port 0 is a free port, which
serve then prints. systemd's sockets begin with fd:3, and spawn-fcgi's is fd:0.
Without --listen the sockets that systemd passed are served over HTTP; without
those, the variable PORT is the port, on every interface; and without that it is
127.0.0.1:8000. Without --workers, WEB_CONCURRENCY is their number.

A DURATION is a number of seconds, or one with a unit, such as 500ms, 30s or 5m;
a SIZE is a number of bytes, or one with a unit, such as 64KiB or 1GiB. 0 means
no limit.

SIGNALS

  SIGTERM, SIGINT   let running responses finish; a second one cuts them
  SIGQUIT           cut them at once
  SIGHUP            reload the Python application, and the certificate; the old
                    one stays if that fails
  SIGUSR1           open the files of --log-file and --access-logfile again
  SIGUSR2           start the program anew, with the same sockets, and end when
                    the new one serves
  SIGTTIN, SIGTTOU  one Python worker more, or less

EXIT STATUS

  0  it was told to stop, and every response was finished
  1  it could not serve, or responses had to be cut
  2  the command line was not understood
`)
}
