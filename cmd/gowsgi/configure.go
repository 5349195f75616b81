package main

import (
	"fmt"
	"io"
	"slices"

	"github.com/gowsgi/gowsgi/server"
)

// configure makes the configuration of serve, of what is set on the command line,
// then by variables, and then in the file of --config. unused are the options that
// are for Python applications and were set.
func configure(args []string, p process) (c *config, t target, unused []string, err error) {
	c = newConfig()
	options, given := noted(append(c.options(), c.python.options()...))
	rest, err := parse(args, options, p.lookupEnv)
	if err != nil {
		return nil, target{}, nil, err
	}
	if c.configFile != "" {
		name, err := readSettings(c.configFile, options, slices.Clone(*given))
		if err != nil {
			return nil, target{}, nil, err
		}
		if len(rest) == 0 && name != "" {
			rest = []string{name}
		}
	}
	for _, o := range c.python.options() {
		if slices.Contains(*given, o.name) {
			unused = append(unused, o.name)
		}
	}
	if err := c.fromPlatform(p.lookupEnv, *given); err != nil {
		return nil, target{}, nil, err
	}
	t, err = findTarget(rest)
	return c, t, unused, err
}

// fromPlatform takes the variables that platforms set for whatever they run, and that
// gunicorn understands, where no option says otherwise.
func (c *config) fromPlatform(lookupEnv func(string) (string, bool), given []string) (err error) {
	if port, _ := lookupEnv("PORT"); port != "" {
		if c.defaultAddress, err = parseAddress(":" + port); err != nil {
			return usagef("environment variable PORT is %q, %v", port, err)
		}
	}
	if n, _ := lookupEnv("WEB_CONCURRENCY"); n != "" && !slices.Contains(given, "workers") {
		if err := positive(&c.python.workers).set(n); err != nil {
			return usagef("environment variable WEB_CONCURRENCY is %q, %v", n, err)
		}
	}
	return nil
}

// check says whether serve would start. It is run beside a server that serves, and so
// it listens nowhere and writes to no file.
func (c *config) check(t target, s *server.Server, stdout io.Writer) error {
	c.python.workers, c.python.preload = 1, false
	c.accessLogfile, c.pid = "", ""
	_, closeApp, err := c.open(t, s)
	if err != nil {
		return err
	}
	if err := closeApp(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "gowsgi: %s can be served\n", t.title)
	return err
}
