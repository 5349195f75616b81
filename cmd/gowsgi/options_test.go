package main

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
)

var cmpPrefixes = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })

func TestParse(t *testing.T) {
	for _, test := range []struct {
		name    string
		args    string
		environ map[string]string
		rest    []string
		change  func(c *config) // of the defaults
	}{
		{"nothing", "", nil, nil, func(*config) {}},
		{"everything", "--listen :1 --listen=http://unix:/s --listen fcgi://fd:0 --allow-peer 10.0.0.0/8 --allow-peer ::1 -script-name /shop --name h --tls-cert c --tls-key k " +
			"--max-body 2MiB --max-header 0 --read-timeout 1s --write-timeout 2m --idle-timeout 3h --shutdown-timeout 0 " +
			"--admin 127.0.0.1:2 --shutdown-delay 4 --access-logfile a --access-logformat common --log-file l --umask 027 --config f --check-config --pid p " +
			"-single-thread --multiprocess --debug=true --log-format json --log-level debug --env A=1 --env B=x=y", nil, nil,
			func(c *config) {
				*c = config{
					listen: []address{{":1", "http"}, {"unix:/s", "http"}, {"fd:0", "fcgi"}}, scriptName: "/shop", serverName: "h", tlsCert: "c", tlsKey: "k",
					maxBody: 2 << 20, readTimeout: time.Second, writeTimeout: 2 * time.Minute, idleTimeout: 3 * time.Hour,
					singleThread: true, multiprocess: true, debug: true, logFormat: "json", logLevel: slog.LevelDebug,
					environ: map[string]string{"A": "1", "B": "x=y"}, python: newPythonConfig(),
					adminAddress: address{"127.0.0.1:2", "http"}, shutdownDelay: 4 * time.Second, defaultAddress: address{"127.0.0.1:8000", "http"},
					accessLogfile: "a", accessFormat: middleware.CommonLog, logFilePath: "l", umask: 0o027, configFile: "f", checkOnly: true, pid: "p",
					peers: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
				}
			}},
		{"mixed with arguments", "one --debug two --name h three", nil, []string{"one", "two", "three"},
			func(c *config) { c.debug, c.serverName = true, "h" }},
		{"gunicorn's short options", "-b:1 -w4 -eA=B=C -t 5 -c f -m 7 -ppid -u me -gus --certfile c --keyfile k --error-logfile=l", nil, nil, func(c *config) {
			c.listen, c.configFile, c.umask, c.pid, c.tlsCert, c.tlsKey, c.logFilePath = []address{{":1", "http"}}, "f", 7, "pid", "c", "k", "l"
			c.environ = map[string]string{"A": "B=C"}
			c.python.workers, c.python.timeout, c.python.user, c.python.group = 4, 5*time.Second, "me", "us"
		}},
		{"levels of Python", "--log-level warning", nil, nil, func(c *config) { c.logLevel = slog.LevelWarn }},
		{"the most of them", "--log-level critical", nil, nil, func(c *config) { c.logLevel = slog.LevelError }},
		{"after two dashes", "--debug -- -x", nil, []string{"-x"}, func(c *config) { c.debug = true }},
		{"variables", "", map[string]string{
			"GOWSGI_LISTEN": ":1, http://[::1]:2/", "GOWSGI_SCRIPT_NAME": "/", "GOWSGI_MAX_BODY": "10kB",
			"GOWSGI_SINGLE_THREAD": "1", "GOWSGI_ENV": "A=1,B=2", "GOWSGI_NAME": "",
		}, nil, func(c *config) {
			c.listen, c.maxBody, c.singleThread = []address{{":1", "http"}, {"[::1]:2", "http"}}, 10_000, true
			c.scriptName = "/"
			c.environ = map[string]string{"A": "1", "B": "2"}
		}},
		{"the command line wins", "--listen :3 --debug=false", map[string]string{
			"GOWSGI_LISTEN": ":1,:2", "GOWSGI_DEBUG": "true", "GOWSGI_NAME": "h",
		}, nil, func(c *config) { c.listen, c.serverName = []address{{":3", "http"}}, "h" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, want := newConfig(), newConfig()
			test.change(want)
			rest, err := parse(strings.Fields(test.args), append(got.options(), got.python.options()...), func(name string) (string, bool) {
				value, ok := test.environ[name]
				return value, ok
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(config{}, address{}, pythonConfig{}), cmpPrefixes); diff != "" {
				t.Errorf("the options are not as wanted (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.rest, rest); diff != "" {
				t.Errorf("the arguments are not as wanted (-want +got):\n%s", diff)
			}
		})
	}
}

// TestDefaults compares the defaults that the help states with those that are
// in force.
func TestDefaults(t *testing.T) {
	stated := map[string]string{
		"max-body": "1GiB", "max-header": "64KiB", "read-timeout": "30s", "write-timeout": "30s",
		"idle-timeout": "75s", "shutdown-timeout": "30s", "log-format": "text", "log-level": "info",
	}
	c := newConfig()
	for _, o := range c.options() {
		value, ok := stated[o.name]
		if !ok {
			continue
		}
		if text := strings.Join(strings.Fields(o.usage), " "); !strings.Contains(text, value+" by default") {
			t.Errorf("--%s: the help is %q, want it to state %s", o.name, text, value)
		}
		if err := o.value.set(value); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff(newConfig(), c, cmp.AllowUnexported(config{}, address{}, pythonConfig{}), cmpPrefixes); diff != "" {
		t.Errorf("the stated defaults are others than those in force (-in force +stated):\n%s", diff)
	}
}

func TestServerOptions(t *testing.T) {
	c := newConfig()
	c.readTimeout, c.maxBody, c.maxHeader = 0, 0, 5
	s, err := c.server(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.ReadTimeout != -1 || s.MaxBodyBytes != -1 || s.MaxHeaderBytes != 5 || s.WriteTimeout != 30*time.Second {
		t.Errorf("limits are %v, %d, %d and %v, want 0 to be none", s.ReadTimeout, s.MaxBodyBytes, s.MaxHeaderBytes, s.WriteTimeout)
	}
}
