package main

import (
	"cmp"
	"errors"
	"flag"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gowsgi/gowsgi/internal/lifecycle"
)

// config is what the options of serve say. A limit of 0 is none.
type config struct {
	listen          []address
	scriptName      string
	serverName      string
	tlsCert, tlsKey string
	defaultAddress  address // without --listen
	maxBody         size
	maxHeader       size
	readTimeout     time.Duration
	writeTimeout    time.Duration
	idleTimeout     time.Duration
	shutdownTimeout time.Duration
	singleThread    bool
	multiprocess    bool
	debug           bool
	logFormat       string
	logLevel        slog.Level
	environ         map[string]string
	passEnv         []string
	peers           []netip.Prefix
	proxies         []netip.Prefix
	anyProxy        bool
	accessLogfile   string
	pid             string
	mounts          []mounted
	maxConns        int // at one backend, 0 for the default of its client
	accessFormat    string
	logFilePath     string
	umask           int // -1 to leave it
	configFile      string
	checkOnly       bool
	adminAddress    address
	shutdownDelay   time.Duration
	python          pythonConfig

	// Of a serve that runs:
	succession  *succession
	stop        *lifecycle.Stop
	pools       []*hosted
	admin       *admin // nil without --admin
	signals     chan os.Signal
	accessLog   *logFile
	log         *logFile // nil for standard error
	certificate *keyPair
}

// newConfig returns the defaults, which are those of server.Server.
func newConfig() *config {
	return &config{
		maxBody:         1 << 30,
		maxHeader:       64 << 10,
		readTimeout:     30 * time.Second,
		writeTimeout:    30 * time.Second,
		idleTimeout:     75 * time.Second,
		shutdownTimeout: 30 * time.Second,
		logFormat:       "text",
		umask:           -1,
		defaultAddress:  address{"127.0.0.1:8000", "http"},
		environ:         make(map[string]string),
		python:          newPythonConfig(),
	}
}

// options is the table of the options of serve: the command line, the
// environment variables and the help are made from it.
func (c *config) options() []option {
	return []option{
		{"listen", "ADDR", "Where to listen: 127.0.0.1:8000 by default. May be given several times;\n" +
			"in the variable, the addresses are separated by commas.", list(c.addListen)},
		{"script-name", "PATH", "Mount the application below this path, such as /shop. Over fcgi, scgi and\n" +
			"uwsgi the path is then divided there, or with / not at all, whatever the\n" +
			"web server sends.", mount(&c.scriptName)},
		{"name", "HOST", "The value of SERVER_NAME. The address of the connection by default.", text(&c.serverName)},
		{"tls-cert", "FILE", "Speak TLS, with the certificate in this PEM file, its chain after it.", text(&c.tlsCert)},
		{"tls-key", "FILE", "The private key of the certificate, a PEM file.", text(&c.tlsKey)},
		{"max-body", "SIZE", "The largest request body, 1GiB by default. Beyond it the answer is 413.", byteSize(&c.maxBody)},
		{"max-header", "SIZE", "The largest request head, 64KiB by default. Beyond it the answer is 431.", byteSize(&c.maxHeader)},
		{"read-timeout", "DURATION", "How long each 64 KiB of a request body may take, 30s by default.", duration(&c.readTimeout)},
		{"write-timeout", "DURATION", "How long a client may take to accept each 64 KiB of a response, 30s by\n" +
			"default.", duration(&c.writeTimeout)},
		{"idle-timeout", "DURATION", "How long a connection may wait for its next request, 75s by default.", duration(&c.idleTimeout)},
		{"shutdown-timeout", "DURATION", "How long running responses may take once serve was told to stop, 30s by\n" +
			"default.", duration(&c.shutdownTimeout)},
		{"shutdown-delay", "DURATION", "How long to go on accepting requests once serve was told to stop, while\n" +
			"/readyz says 503: for a load balancer to notice. 0 by default.", duration(&c.shutdownDelay)},
		{"allow-peer", "NETWORK", "From where web servers may connect over fcgi, scgi and uwsgi: an address,\n" +
			"or a network such as 10.0.0.0/8. From everywhere by default. May be given\n" +
			"several times; in the variable, they are separated by commas.", list(c.addPeer)},
		{"forwarded-allow-ips", "NETWORK", "Believe what a proxy at this address, or in this network, says over HTTP\n" +
			"of the client: X-Forwarded-For is REMOTE_ADDR, X-Forwarded-Proto the\n" +
			"scheme. Whoever connects to a Unix socket is believed too, once this is\n" +
			"given. * is everybody. Nobody is by default. May be given several times,\n" +
			"or with commas.", list(c.addProxies)},
		{"single-thread", "", "Never run two requests in the application at the same time.", boolean(&c.singleThread)},
		{"multiprocess", "", "Say in wsgi.multiprocess that other processes serve the application too,\n" +
			"as where mod_fcgid starts them. Python workers say so of themselves.", boolean(&c.multiprocess)},
		{"debug", "", "Show errors and stacks to the client. Never do this where strangers are\n" +
			"served.", boolean(&c.debug)},
		{"log-format", "FORMAT", "text, for people, or json. text by default.", choice(&c.logFormat, "text", "json")},
		{"log-level", "LEVEL", "The least level that is logged: debug, info, warn or error. info by\n" +
			"default.", level(&c.logLevel)},
		{"env", "KEY=VALUE", "Add a variable to the environ of every request, and to the environment of\n" +
			"Python workers and of CGI programs. May be given several times; in the\n" +
			"variable, the pairs are separated by commas.", list(c.addEnviron)},
		{"pass-env", "NAME", "Let Python workers and CGI programs see this variable of the environment\n" +
			"of serve, or all of them with *. May be given several times.", list(c.addPassEnv)},
		{"mount", "PATH=TARGET", "Serve this TARGET below PATH, beside the other one. May be given several\n" +
			"times; the longest PATH wins.", list(c.addMount)},
		{"max-conns", "N", "How many requests may be under way at one backend, 100 by default; more\n" +
			"wait. PHP and programs over libfcgi serve as many as they have processes,\n" +
			"and keep the others waiting.", positive(&c.maxConns)},
		{"access-logfile", "FILE", "Write a line for each request to this file, - for standard output.", text(&c.accessLogfile)},
		{"access-logformat", "FORMAT", "What the line has, in the notation of Apache or of gunicorn: combined,\n" +
			"common, or atoms such as %h, %>s and %(D)s. combined by default.", value{set: c.setAccessFormat}},
		{"log-file", "FILE", "Write all else that there is to log to this file, and not to standard\n" +
			"error.", text(&c.logFilePath)},
		{"admin", "ADDR", "Answer /healthz, /readyz and, for Prometheus, /metrics on this address,\n" +
			"over HTTP: for machines, and not for the public.", value{set: c.setAdmin}},
		{"umask", "MODE", "The permissions that new files and sockets are not given, in octal: 007\n" +
			"lets the group connect to a Unix socket. That of the parent by default.", octal(&c.umask)},
		{"config", "FILE", "Read options from this file, where neither the command line nor a variable\n" +
			"has them: lines such as workers = 4, and target = TARGET.", text(&c.configFile)},
		{"check-config", "", "Say whether serve would start: import the application and read the\n" +
			"certificate, but listen nowhere.", boolean(&c.checkOnly)},
		{"pid", "FILE", "Write the process id to this file, and remove it in the end.", text(&c.pid)},
	}
}

// aliases are other names of options: those that gunicorn has for them.
var aliases = map[string]string{
	"bind": "listen", "b": "listen", "w": "workers", "t": "timeout", "e": "env", "p": "pid", "c": "config",
	"u": "user", "g": "group", "m": "umask", "error-logfile": "log-file", "certfile": "tls-cert", "keyfile": "tls-key",
}

// option is one line of the table.
type option struct {
	name        string
	placeholder string // of its value in the help; "" for a switch
	usage       string
	value       value
}

// env is the environment variable of the option.
func (o option) env() string {
	if o.value.env != "" {
		return o.value.env
	}
	return "GOWSGI_" + strings.ToUpper(strings.ReplaceAll(o.name, "-", "_"))
}

// noted returns options that note in given which of them were set.
func noted(options []option) (_ []option, given *[]string) {
	given = new([]string)
	for i, o := range options {
		set := o.value.set
		options[i].value.set = func(s string) error {
			if !slices.Contains(*given, o.name) {
				*given = append(*given, o.name)
			}
			return set(s)
		}
	}
	return options, given
}

// value stores what an option is set to. Its errors say what was expected.
type value struct {
	set    func(s string) error
	isBool bool
	isList bool
	env    string // the variable, where the name of the option is taken by another command
}

// flagValue is an option in a flag.FlagSet. It keeps the error of Set, which
// FlagSet would only pass on as a part of its own text.
type flagValue struct {
	option
	err *error
}

func (v flagValue) String() string   { return "" }
func (v flagValue) IsBoolFlag() bool { return v.value.isBool }

func (v flagValue) Set(s string) error {
	if err := v.value.set(s); err != nil {
		*v.err = usagef("--%s is %q, %v", v.name, s, err)
		return err
	}
	return nil
}

// errHelp says that the command line asks for help.
var errHelp = flag.ErrHelp

// parse reads the command line, where options and other arguments may be
// mixed, and then the environment variables of the options that are not on it.
// It returns the other arguments.
func parse(args []string, options []option, lookupEnv func(string) (string, bool)) (rest []string, err error) {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Usage = func() {}
	var setErr error
	for _, o := range options {
		flags.Var(flagValue{o, &setErr}, o.name, o.usage)
		for alias, name := range aliases {
			if name == o.name {
				flags.Var(flagValue{o, &setErr}, alias, o.usage)
			}
		}
	}
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, errHelp
		case setErr != nil:
			return nil, setErr
		case err != nil:
			name, undefined := strings.CutPrefix(err.Error(), undefinedFlag)
			if !undefined {
				return nil, plain(err)
			}
			left := flags.Args()
			if option, value, ok := joined(args[len(args)-len(left)-1], flags); ok {
				args = append([]string{option, value}, left...)
				continue
			}
			return nil, unknownOption(name, options)
		}
		if flags.NArg() == 0 {
			break
		}
		rest = append(rest, flags.Arg(0)) // FlagSet stops at what is no option
		args = flags.Args()[1:]
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[cmp.Or(aliases[f.Name], f.Name)] = true })
	for _, o := range options {
		if given[o.name] {
			continue
		}
		if err := o.setFromEnv(lookupEnv); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// joined takes -w4 for -w 4.
func joined(arg string, flags *flag.FlagSet) (option, value string, ok bool) {
	if len(arg) < 3 || arg[0] != '-' || flags.Lookup(arg[1:2]) == nil {
		return "", "", false
	}
	return arg[:2], arg[2:], true
}

// undefinedFlag begins what FlagSet says of an option that does not exist.
const undefinedFlag = "flag provided but not defined: -"

// plain says in the words of the help what else FlagSet found.
func plain(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
		return usagef("%s needs a value", dashed(name))
	}
	return usagef("%v", err)
}

// setFromEnv sets the option from its variable. An empty one is as good as
// none: that is how a variable is taken back where it cannot be removed.
func (o option) setFromEnv(lookupEnv func(string) (string, bool)) error {
	text, _ := lookupEnv(o.env())
	if text == "" {
		return nil
	}
	items := []string{text}
	if o.value.isList {
		items = strings.Split(text, ",")
	}
	for _, item := range items {
		if err := o.value.set(strings.TrimSpace(item)); err != nil {
			return usagef("environment variable %s is %q, %v", o.env(), text, err)
		}
	}
	return nil
}
