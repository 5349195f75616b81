package main

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestMain lets the test binary play the command, so that tests can run it as
// the process that it is.
func TestMain(m *testing.M) {
	if os.Getenv("BE_GOWSGI") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// runWith runs the command in this process, which is for calls that serve
// nothing.
func runWith(environ map[string]string, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	lookup := func(name string) (string, bool) {
		value, ok := environ[name]
		return value, ok
	}
	status = run(args, process{lookupEnv: lookup, stdout: &out, stderr: &err})
	return status, out.String(), err.String()
}

// TestMisunderstood makes calls that are not understood: each is answered with
// one line and status 2.
func TestMisunderstood(t *testing.T) {
	for _, test := range []struct {
		name    string
		args    string
		environ map[string]string
		want    string
	}{
		{"unknown command", "frobnicate", nil, `unknown command "frobnicate", expected one of serve, check, rules, version, help; see gowsgi -h`},
		{"unknown option before a command", "-x", nil, `unknown command "-x", expected one of serve, check, rules, version, help; to serve it: gowsgi serve -x; see gowsgi -h`},
		{"an application as gunicorn takes it", "shop:app", nil, `unknown command "shop:app", expected one of serve, check, rules, version, help; to serve it: gowsgi serve shop:app; see gowsgi -h`},
		{"help of an unknown command", "help frobnicate", nil, `unknown command "frobnicate", expected one of serve, check, rules, version, help; see gowsgi help -h`},
		{"help of two", "help serve version", nil, `help takes one command, not 2; see gowsgi help -h`},
		{"version with an argument", "version x", nil, `version takes no argument, not "x"; see gowsgi version -h`},

		{"rule that is none", "rules START-99", nil, `there is no rule "START-99", expected an id such as START-13 or a group such as START; see gowsgi rules -h`},
		{"level that is none", "rules --level OUGHT", nil, `--level is "OUGHT", expected MUST or SHOULD or MAY; see gowsgi rules -h`},
		{"party that is none", "rules --binds client", nil, `--binds is "client", expected server or app or mw; see gowsgi rules -h`},
		{"check that is none", "rules HDR --check luck", nil, `--check is "luck", expected server or application or middleware or lint or compiler or document; see gowsgi rules -h`},
		{"option of another command", "rules --listen :1", nil, "unknown option --listen; see gowsgi rules -h"},

		{"check of nothing", "check", nil, "check needs a SUBJECT, or -- and a server command; see gowsgi check -h"},
		{"check of two", "check gunicorn uwsgi", nil, "check takes one SUBJECT, not 2; a server command stands behind --; see gowsgi check -h"},
		{"check of both", "check gunicorn -- uwsgi", nil, `check takes "gunicorn" or the command after --, not both; see gowsgi check -h`},
		{"check of no command", "check --", nil, "the command is empty; see gowsgi check -h"},
		{"command without an address", "check -- gunicorn -b :80", nil, `the command "gunicorn -b :80" does not say where to listen, expected {addr}, {port} or {unix} among its arguments; see gowsgi check -h`},
		{"unknown server", "check nginx", nil, `SUBJECT is "nginx", expected MODULE:CALLABLE, FILE.py:CALLABLE, FILE.wsgi, a URL, or one of gowsgi, gunicorn, gthread, uwsgi, waitress, cheroot, wsgiref, werkzeug, mod_wsgi, uwsgi:uwsgi, uwsgi:fastcgi, uwsgi:scgi; see gowsgi check -h`},
		{"URL of another scheme", "check ftp://x/", nil, `SUBJECT is "ftp://x/", expected http://HOST:PORT/PATH or https://HOST:PORT/PATH; see gowsgi check -h`},
		{"URL without a host", "check http:///x", nil, `SUBJECT is "http:///x", expected http://HOST:PORT/PATH or https://HOST:PORT/PATH; see gowsgi check -h`},
		{"rule to check that is none", "check gowsgi --only START,FOO", nil, `--only is "START,FOO", expected ids such as START-13 or groups such as START, separated by commas; see gowsgi check -h`},
		{"protocol to check", "check gowsgi --protocol gopher", nil, `--protocol is "gopher", expected http or h2c or fastcgi or scgi or uwsgi; see gowsgi check -h`},
		{"variable of a check", "check gowsgi", map[string]string{"GOWSGI_CHECK_TIMEOUT": "soon"},
			`environment variable GOWSGI_CHECK_TIMEOUT is "soon", expected a duration such as 30, 30s or 5m, or 0 for no limit; see gowsgi check -h`},

		{"unknown option", "serve --frob", nil, "unknown option --frob; see gowsgi serve -h"},
		{"unknown option after TARGET", "serve demo --frob=1", nil, "unknown option --frob; see gowsgi serve -h"},
		{"misspelt option", "serve --wrokers 3", nil, "unknown option --wrokers, perhaps --workers; see gowsgi serve -h"},
		{"misspelt option of check", "check --jsno", nil, "unknown option --jsno, perhaps --json; see gowsgi check -h"},
		{"gunicorn's option", "serve m:app --keep-alive=5", nil, "unknown option --keep-alive: it is --idle-timeout here; see gowsgi serve -h"},
		{"gunicorn's short option", "serve -k gevent m:app", nil, "unknown option -k: there is one kind of worker, with --threads; slow clients keep none of them; see gowsgi serve -h"},
		{"uWSGI's option", "serve --processes 3", nil, "unknown option --processes: it is --workers here; see gowsgi serve -h"},
		{"short option without its value", "serve m:app -w", nil, "-w needs a value; see gowsgi serve -h"},
		{"joined value that is none", "serve m:app -wx", nil, `--workers is "x", expected a number from 1 on; see gowsgi serve -h`},
		{"permissions", "serve --umask 8", nil, `--umask is "8", expected permissions in octal, such as 007; see gowsgi serve -h`},
		{"more permissions than there are", "serve --umask 1000", nil, `--umask is "1000", expected permissions in octal, such as 007; see gowsgi serve -h`},
		{"port of the platform", "serve", map[string]string{"PORT": "web"}, `environment variable PORT is "web", expected a port from 0 to 65535; see gowsgi serve -h`},
		{"workers of the platform", "serve", map[string]string{"WEB_CONCURRENCY": "many"}, `environment variable WEB_CONCURRENCY is "many", expected a number from 1 on; see gowsgi serve -h`},
		{"option without its value", "serve --listen", nil, "--listen needs a value; see gowsgi serve -h"},
		{"malformed option", "serve ---x", nil, "bad flag syntax: ---x; see gowsgi serve -h"},
		{"two targets", "serve demo --debug demo", nil, "serve takes one TARGET, not 2; see gowsgi serve -h"},
		{"folder without a path", "serve dir:", nil, `TARGET is "dir:", expected demo, a Python application such as module:app, dir:PATH for files, or a backend such as uwsgi://HOST:PORT or cgi:PATH; see gowsgi serve -h`},
		{"number of workers", "serve m:app --workers 0", nil, `--workers is "0", expected a number from 1 on; see gowsgi serve -h`},
		{"timeout", "serve m:app -t never", nil, `--timeout is "never", expected a duration such as 30, 30s or 5m, or 0 for no limit; see gowsgi serve -h`},
		{"max requests", "serve m:app --max-requests=-1", nil, `--max-requests is "-1", expected a number, or 0 for no limit; see gowsgi serve -h`},
		{"mount at the root", "serve --mount /=demo", nil, `--mount is "/=demo", expected PATH=TARGET, where PATH begins with a slash and does not end in one; see gowsgi serve -h`},
		{"two at one path", "serve --mount /a=demo --mount /a=dir:.", nil, `--mount is "/a=dir:.", but something is mounted at /a already; see gowsgi serve -h`},
		{"mount of nothing known", "serve --mount /a=b", nil, `--mount is "/a=b", TARGET is "b", expected demo, a Python application such as module:app, dir:PATH for files, or a backend such as uwsgi://HOST:PORT or cgi:PATH; see gowsgi serve -h`},

		{"address without a port", "serve --listen localhost", nil, `--listen is "localhost", expected HOST:PORT, :PORT or unix:PATH; see gowsgi serve -h`},
		{"address with a path", "serve --listen http://localhost:1/x", nil, `--listen is "http://localhost:1/x", expected a port from 0 to 65535; see gowsgi serve -h`},
		{"port too large", "serve --listen :65536", nil, `--listen is ":65536", expected a port from 0 to 65535; see gowsgi serve -h`},
		{"port by name", "serve --listen :http", nil, `--listen is ":http", expected a port from 0 to 65535; see gowsgi serve -h`},
		{"socket without a path", "serve --listen unix:", nil, `--listen is "unix:", expected a path after unix:; see gowsgi serve -h`},
		{"https", "serve --listen https://:1", nil, `--listen is "https://:1", expected http://: it is --tls-cert and --tls-key that make it https; see gowsgi serve -h`},
		{"no port", "serve --listen fcgi://h", nil, `--listen is "fcgi://h", expected HOST:PORT, :PORT or unix:PATH; see gowsgi serve -h`},
		{"descriptor", "serve --listen fcgi://fd:x", nil, `--listen is "fcgi://fd:x", expected the number of a descriptor after fd:; see gowsgi serve -h`},
		{"address of another protocol", "serve --admin scgi://:1", nil, `--admin is "scgi://:1", expected HOST:PORT, :PORT or unix:PATH: it speaks HTTP; see gowsgi serve -h`},
		{"peer", "serve --allow-peer here", nil, `--allow-peer is "here", expected an address or a network such as 10.0.0.0/8; see gowsgi serve -h`},
		{"proxy", "serve --forwarded-allow-ips 127.0.0.1,here", nil, `--forwarded-allow-ips is "127.0.0.1,here", expected an address or a network such as 10.0.0.0/8; see gowsgi serve -h`},
		{"no program", "serve cgi:", nil, `TARGET is "cgi:", expected the path of a program after cgi:; see gowsgi serve -h`},
		{"unknown backend", "serve ftp://h:1", nil, `TARGET is "ftp://h:1", but ftp:// is unknown, expected http://, fcgi://, scgi:// or uwsgi://; see gowsgi serve -h`},
		{"backend without a port", "serve uwsgi://h", nil, `TARGET is "uwsgi://h", expected HOST:PORT or unix:PATH behind the scheme, and no path; see gowsgi serve -h`},
		{"backend with a path", "serve http://h:1/x", nil, `TARGET is "http://h:1/x", expected HOST:PORT or unix:PATH behind the scheme, and no path; see gowsgi serve -h`},
		{"backends of two kinds", "serve uwsgi://h:1,unix:/s", nil, `TARGET is "uwsgi://h:1,unix:/s", expected HOST:PORT or unix:PATH behind the scheme, and several to be of one kind; see gowsgi serve -h`},
		{"another protocol", "serve --listen gopher://:70", nil, `--listen is "gopher://:70", but gopher:// is unknown, expected HOST:PORT or unix:PATH, optionally behind http://, fcgi://, scgi:// or uwsgi://; see gowsgi serve -h`},

		{"duration", "serve --read-timeout 5x", nil, `--read-timeout is "5x", expected a duration such as 30, 30s or 5m, or 0 for no limit; see gowsgi serve -h`},
		{"negative duration", "serve --idle-timeout=-1s", nil, `--idle-timeout is "-1s", expected a duration such as 30, 30s or 5m, or 0 for no limit; see gowsgi serve -h`},
		{"size", "serve --max-body lots", nil, `--max-body is "lots", expected a size such as 65536, 64KiB or 1GiB, or 0 for no limit; see gowsgi serve -h`},
		{"size too large", "serve --max-body 9999999TiB", nil, `--max-body is "9999999TiB", expected a size such as 65536, 64KiB or 1GiB, or 0 for no limit; see gowsgi serve -h`},
		{"switch", "serve --debug=perhaps", nil, `--debug is "perhaps", expected true or false; see gowsgi serve -h`},
		{"mount point", "serve --script-name shop", nil, `--script-name is "shop", expected a path that begins with a slash and does not end in one; see gowsgi serve -h`},
		{"log format", "serve --log-format xml", nil, `--log-format is "xml", expected text or json; see gowsgi serve -h`},
		{"log level", "serve --log-level loud", nil, `--log-level is "loud", expected debug, info, warn or error; see gowsgi serve -h`},
		{"environ", "serve --env =x", nil, `--env is "=x", expected KEY=VALUE; see gowsgi serve -h`},
		{"certificate without a key", "serve --tls-cert c.pem", nil, "--tls-cert needs --tls-key; see gowsgi serve -h"},
		{"key without a certificate", "serve --tls-key k.pem", nil, "--tls-key needs --tls-cert; see gowsgi serve -h"},

		{"variable", "serve", map[string]string{"GOWSGI_READ_TIMEOUT": "soon"},
			`environment variable GOWSGI_READ_TIMEOUT is "soon", expected a duration such as 30, 30s or 5m, or 0 for no limit; see gowsgi serve -h`},
		{"variable that is a list", "serve", map[string]string{"GOWSGI_LISTEN": ":0,nowhere"},
			`environment variable GOWSGI_LISTEN is ":0,nowhere", expected HOST:PORT, :PORT or unix:PATH; see gowsgi serve -h`},
		{"variable of a switch", "serve", map[string]string{"GOWSGI_DEBUG": "perhaps"},
			`environment variable GOWSGI_DEBUG is "perhaps", expected true or false; see gowsgi serve -h`},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, stdout, stderr := runWith(test.environ, strings.Fields(test.args)...)
			if want := "gowsgi: " + test.want + "\n"; status != exitUsage || stdout != "" || stderr != want {
				t.Errorf("gowsgi %s: status %d, said\n%swant status 2 and\n%s", test.args, status, stdout+stderr, want)
			}
		})
	}
}

// TestModuleAlone names a module as gunicorn lets one do.
func TestModuleAlone(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("shop.py", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := runWith(nil, "serve", "shop")
	want := `gowsgi: TARGET is "shop", expected module:callable, as in shop:application for shop.py; see gowsgi serve -h` + "\n"
	if status != exitUsage || stderr != want {
		t.Errorf("status %d, said\n%swant status 2 and\n%s", status, stderr, want)
	}
}

func TestHelp(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"-h", "gowsgi COMMAND"},
		{"--help", "gowsgi COMMAND"},
		{"help", "gowsgi COMMAND"},
		{"help serve", "Usage: gowsgi serve [TARGET] [OPTION]..."},
		{"serve -h", "Usage: gowsgi serve [TARGET] [OPTION]..."},
		{"serve demo --debug --help", "Usage: gowsgi serve [TARGET] [OPTION]..."},
		{"check -h", "Usage: gowsgi check SUBJECT [OPTION]..."},
		{"check gunicorn --help", "Usage: gowsgi check SUBJECT [OPTION]..."},
		{"help check", "EXIT STATUS"},
		{"rules -h", "Usage: gowsgi rules [ID | GROUP]... [OPTION]..."},
		{"help rules", "  --check HOW"},
		{"rules HDR --json -h", "Usage: gowsgi rules"},
		{"help help", "Usage: gowsgi help"},
		{"version -h", "Usage: gowsgi version"},
		{"version", "gowsgi "},
		{"--version", "gowsgi "},
	} {
		status, stdout, stderr := runWith(nil, strings.Fields(test.args)...)
		if status != exitOK || stderr != "" || !strings.Contains(stdout, test.want) {
			t.Errorf("gowsgi %s: status %d, said %q and %q, want status 0 and %q", test.args, status, stdout, stderr, test.want)
		}
		for line := range strings.Lines(stdout) {
			if len(line) > 81 || strings.TrimRight(line, " \t\n") != strings.TrimSuffix(line, "\n") {
				t.Errorf("gowsgi %s: the line %q is too long, or ends in a blank", test.args, line)
			}
		}
	}
	if status, stdout, stderr := runWith(nil); status != exitUsage || stdout != "" || !strings.Contains(stderr, "gowsgi COMMAND") {
		t.Errorf("gowsgi: status %d, said %q and %q, want status 2 and the help", status, stdout, stderr)
	}
}

// TestVariablesAreOfOneKind sees that no variable is understood in two ways: an
// environment is made for one command and seen by all.
func TestVariablesAreOfOneKind(t *testing.T) {
	kinds := map[string]string{}
	for _, o := range slices.Concat(newConfig().options(), newConfig().python.options(), newCheckConfig().options()) {
		if o.name == "python" {
			continue // the same for both
		}
		if kind, ok := kinds[o.env()]; ok {
			t.Errorf("%s is %s of one command and %s of another", o.env(), kind, o.placeholder)
		}
		kinds[o.env()] = o.placeholder
	}
}

// TestHelpIsComplete looks for each option and its variable.
func TestHelpIsComplete(t *testing.T) {
	for command, options := range map[string][]option{
		"serve": append(newConfig().options(), newConfig().python.options()...),
		"check": newCheckConfig().options(),
	} {
		_, stdout, _ := runWith(nil, command, "-h")
		for _, o := range options {
			if !strings.Contains(stdout, "  --"+o.name+" ") || !strings.Contains(stdout, " "+o.env()+"\n") {
				t.Errorf("the help of %s does not name --%s and %s", command, o.name, o.env())
			}
			if o.usage == "" || !strings.HasSuffix(o.usage, ".") {
				t.Errorf("the help of %s --%s is %q, want sentences", command, o.name, o.usage)
			}
		}
	}
}
