package main

import "strings"

// elsewhere says what there is in the place of options of gunicorn and uWSGI that
// serve does not have: somebody who comes from there tries them first.
var elsewhere = map[string]string{
	"k":                        "there is one kind of worker, with --threads; slow clients keep none of them",
	"worker-class":             "there is one kind of worker, with --threads; slow clients keep none of them",
	"worker-connections":       "connections are not bounded; --queue bounds the requests that wait",
	"backlog":                  "requests that wait are bounded by --queue",
	"D":                        "it stays in the foreground: let systemd or a container run it",
	"daemon":                   "it stays in the foreground: let systemd or a container run it",
	"daemonize":                "it stays in the foreground: let systemd or a container run it",
	"keep-alive":               "it is --idle-timeout here",
	"keepalive":                "it is --idle-timeout here",
	"proc-name":                "processes have no name of their own",
	"sendfile":                 "it is so without an option",
	"limit-request-line":       "the whole head is bounded by --max-header",
	"limit-request-fields":     "the whole head is bounded by --max-header",
	"limit-request-field-size": "the whole head is bounded by --max-header",
	"secure-scheme-headers":    "X-Forwarded-Proto says it, and no other header",
	"worker-tmp-dir":           "workers need none",
	"reload-extra-file":        "SIGHUP reloads, whatever has changed",
	"statsd-host":              "--admin has metrics for Prometheus",
	"capture-output":           "what workers print is in the log anyway",
	"n":                        "processes have no name of their own",
	"proxy-protocol":           "a proxy says who the client is by X-Forwarded-For: see --forwarded-allow-ips",
	"ca-certs":                 "certificates of clients are not asked for",

	"http":               "it is --listen ADDR here",
	"http-socket":        "it is --listen ADDR here",
	"socket":             "it is --listen uwsgi://ADDR here",
	"uwsgi-socket":       "it is --listen uwsgi://ADDR here",
	"module":             "it is the TARGET here, as in gowsgi serve mysite.wsgi:application",
	"wsgi-file":          "it is the TARGET here, as in gowsgi serve mysite/wsgi.py:application",
	"callable":           "it is behind the colon of TARGET here",
	"processes":          "it is --workers here",
	"harakiri":           "it is --timeout here",
	"virtualenv":         "it is --python here",
	"home":               "it is --python here",
	"uid":                "it is --user here",
	"gid":                "it is --group here",
	"ini":                "it is --config here, with a format of its own",
	"logto":              "it is --log-file here",
	"pidfile":            "it is --pid here",
	"stats":              "it is --admin here",
	"py-autoreload":      "it is --reload here",
	"master":             "it is so without an option",
	"enable-threads":     "it is so without an option",
	"single-interpreter": "it is so without an option",
	"lazy-apps":          "it is so unless there is --preload",
	"die-on-term":        "it is so without an option",
	"vacuum":             "it is so without an option",
}

// unknownOption is the error of an option that does not exist, with what is known of
// it, or what it may have been meant to be.
func unknownOption(name string, options []option) error {
	if text, ok := elsewhere[name]; ok {
		return usagef("unknown option %s: %s", dashed(name), text)
	}
	best, nearest := 3, ""
	if len(name) < 4 {
		best = 1 // every short name is like another
	}
	for _, o := range options {
		if d := distance(name, o.name); d < best {
			best, nearest = d, o.name
		}
	}
	if nearest != "" {
		return usagef("unknown option %s, perhaps --%s", dashed(name), nearest)
	}
	return usagef("unknown option %s", dashed(name))
}

// dashed is an option as it is written.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// distance is how many letters have to be put in, taken out or exchanged to make b
// of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// commandAdvice says what to do with a word that is no command and seems to be for
// serve.
func commandAdvice(word string) string {
	if strings.HasPrefix(word, "-") || namesPython(word) || strings.HasPrefix(word, "dir:") || strings.Contains(word, "://") {
		return "; to serve it: gowsgi serve " + word
	}
	return ""
}

// importAdvice says what to do about the mistakes that are made most often, by
// the traceback.
func importAdvice(traceback string) string {
	switch last := lastLine(traceback); {
	case strings.HasPrefix(last, "ModuleNotFoundError: "):
		return "; modules are looked for in --chdir, in --pythonpath, and in the environment of --python"
	case strings.HasPrefix(last, "AttributeError: module "):
		return "; TARGET is module:callable, and without a callable it is application"
	case strings.Contains(traceback, "environ"), strings.Contains(traceback, "ImproperlyConfigured"):
		return "; workers see of the environment what --pass-env NAME and --env KEY=VALUE give them"
	}
	return ""
}

// lastLine is the line of a traceback that names the exception, unless its text has
// several.
func lastLine(traceback string) string {
	traceback = strings.TrimSpace(traceback)
	return traceback[strings.LastIndexByte(traceback, '\n')+1:]
}
