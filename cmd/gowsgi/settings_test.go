package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// configured is what configure makes of a file, and of arguments and variables.
func configured(t *testing.T, file string, environ map[string]string, args ...string) (*config, target, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serve.conf")
	if err := os.WriteFile(path, []byte(file), 0o666); err != nil {
		t.Fatal(err)
	}
	if environ["GOWSGI_CONFIG"] == "" {
		args = append(args, "--config", path)
	} else {
		environ["GOWSGI_CONFIG"] = path
	}
	c, target, _, err := configure(args, process{stdout: new(bytes.Buffer), lookupEnv: func(name string) (string, bool) {
		value, ok := environ[name]
		return value, ok
	}})
	if c != nil {
		c.configFile = ""
	}
	return c, target, err
}

func TestSettings(t *testing.T) {
	for _, test := range []struct {
		name    string
		file    string
		environ map[string]string
		args    string
		target  string
		change  func(c *config)
	}{
		{"nothing", "\n  \n# a comment\n", nil, "", "demo", func(*config) {}},
		{"every kind of line", "target = shop:app\nworkers=3\n\tbind = ':1' # the port\nbind = \"unix:/a b#c\"\nname = #\nmax_requests = 7\n" +
			"Preload = true\r\nenv = A=B, C # two words\n  timeout = 5", nil, "", "shop:app", func(c *config) {
			c.listen = []address{{":1", "http"}, {"unix:/a b#c", "http"}}
			c.environ = map[string]string{"A": "B, C"}
			c.python.workers, c.python.maxRequests, c.python.preload, c.python.timeout = 3, 7, true, 5*time.Second
		}},
		{"lists, as gunicorn has them", "bind = ['[::1]:1', \"unix:/s\"] # two\nraw_env = [\n    'A=B, C', # a comma\n    \"D=]\",\n]\n" +
			"forwarded_allow_ips = ()\nworkers = 3", nil, "", "demo", func(c *config) {
			c.listen = []address{{"[::1]:1", "http"}, {"unix:/s", "http"}}
			c.environ = map[string]string{"A": "B, C", "D": "]"}
			c.python.workers = 3
		}},
		{"an address in brackets is no list", "bind = [::1]:80", nil, "", "demo", func(c *config) { c.listen = []address{{"[::1]:80", "http"}} }},
		{"the command line wins", "target = shop:app\nworkers = 3\nbind = :1\nthreads = 2", nil, "site:app -w 4 -b :2", "site:app", func(c *config) {
			c.listen, c.python.workers, c.python.threads = []address{{":2", "http"}}, 4, 2
		}},
		{"variables win", "workers = 3\nthreads = 2", map[string]string{"GOWSGI_WORKERS": "4"}, "", "demo", func(c *config) {
			c.python.workers, c.python.threads = 4, 2
		}},
		{"named by a variable", "threads = 2", map[string]string{"GOWSGI_CONFIG": "x"}, "", "demo", func(c *config) { c.python.threads = 2 }},
		{"the platform, where nothing else says so", "", map[string]string{"PORT": "5000", "WEB_CONCURRENCY": "6"}, "", "demo", func(c *config) {
			c.defaultAddress, c.python.workers = address{":5000", "http"}, 6
		}},
		{"and where something does", "workers = 3", map[string]string{"WEB_CONCURRENCY": "6"}, "", "demo", func(c *config) { c.python.workers = 3 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, target, err := configured(t, test.file, test.environ, strings.Fields(test.args)...)
			if err != nil {
				t.Fatal(err)
			}
			want := newConfig()
			test.change(want)
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{}, address{}, pythonConfig{})); diff != "" {
				t.Errorf("the options are not as wanted (-want +got):\n%s", diff)
			}
			if target.name != test.target {
				t.Errorf("TARGET is %q, want %q", target.name, test.target)
			}
		})
	}
}

// TestPythonTargets tells Python applications from what else TARGET may be.
func TestPythonTargets(t *testing.T) {
	for target, want := range map[string]bool{
		"shop:app": true, "shop.wsgi": true, "shop.wsgi:application": true, "shop:make(debug=True)": true, "shop.py": true, "/srv/shop.py:app": true,
		"./shop.wsgi": true, "/srv/shop.wsgi:application": true,
		"shop": false, "dir:public": false, "cgi:/x": false, "/srv/shop": false, "http://h:1": false, "unix:/s": false,
	} {
		if got := namesPython(target); got != want {
			t.Errorf("%s is taken for a Python application: %t, want %t", target, got, want)
		}
	}
}

func TestWrongSettings(t *testing.T) {
	for file, want := range map[string]string{
		"import os\n":                            `serve.conf:1: expected NAME = VALUE, such as workers = 4, and not "import os"`,
		"\nconf['x'] = 1":                        `serve.conf:2: expected NAME = VALUE, such as workers = 4, and not "conf['x'] = 1"`,
		"[uwsgi]\n":                              `serve.conf:1: expected NAME = VALUE, such as workers = 4, and not "[uwsgi]"`,
		"= 4\n":                                  `serve.conf:1: expected NAME = VALUE, such as workers = 4, and not "= 4"`,
		"workers = 2 * 4\n":                      `serve.conf:1: workers is "2 * 4", expected a number from 1 on`,
		"bind = ':1\n":                           `serve.conf:1: bind has a quote that does not end, or something behind it: ':1`,
		"bind = ':1', ':2'\n":                    `serve.conf:1: bind has a quote that does not end, or something behind it: ':1', ':2'`,
		"# x\nworker_class = 'gevent'\n":         `serve.conf:2: unknown option --worker-class: there is one kind of worker, with --threads; slow clients keep none of them`,
		"raw_env = ['A=1'\nworkers = 2\nx = 1\n": `serve.conf:1: raw_env is a list that does not end, or has something other than quoted texts in it or behind it: ['A=1'`,
		"raw_env = ['A=' + x]\n":                 `serve.conf:1: raw_env is a list that does not end, or has something`,
		"\n\nraw_env = [\n'A=1',\n]\n\ny = 1\n":  `serve.conf:7: unknown option -y`,
		"bind = ['nowhere',\n':1']\n":            `serve.conf:1: listen is "nowhere", expected HOST:PORT`,
		"keepalive = 5\n":                        `serve.conf:1: unknown option --keepalive: it is --idle-timeout here`,
		"wrokers = 2\n":                          `serve.conf:1: unknown option --wrokers, perhaps --workers`,
		"config = other.conf\n":                  `serve.conf:1: a file cannot name another`,
		"target = shop\n":                        `TARGET is "shop", expected demo, a Python application such as module:app, dir:PATH for files, or a backend such as uwsgi://HOST:PORT or cgi:PATH`,
		"access_logformat = '%(nonesuch)s'\n":    `serve.conf:1: access-logformat is "%(nonesuch)s", middleware: AccessLog: `,
		"preload\n":                              `serve.conf:1: expected NAME = VALUE, such as workers = 4, and not "preload"`,
		"accesslog = '-'\nworkers = 1\nx = 1\n":  `serve.conf:3: unknown option -x`,
	} {
		if _, _, err := configured(t, file, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", file, err, want)
		}
	}
	python := filepath.Join(t.TempDir(), "gunicorn.conf.py")
	if err := os.WriteFile(python, []byte("import os\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, _, stderr := runWith(nil, "serve", "--config", python); !strings.Contains(stderr, `not "import os"; nothing in the file is run as Python`) {
		t.Errorf("got %q, want that nothing is run", stderr)
	}
	status, _, stderr := runWith(nil, "serve", "--config", filepath.Join(t.TempDir(), "none"))
	if status != exitFailure || !strings.HasPrefix(stderr, "gowsgi: --config: open ") {
		t.Errorf("status %d after %q, want 1 and the file", status, stderr)
	}
}
