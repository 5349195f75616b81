package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/gowsgi/gowsgi/internal/lifecycle"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// serve serves an application until it is told to stop.
func serve(args []string, p process) (err error) {
	c, target, unused, err := configure(args, p)
	if errors.Is(err, errHelp) {
		serveHelp(p.stdout)
		return nil
	}
	if err != nil {
		return err
	}
	if c.umask >= 0 {
		if err := setUmask(c.umask); err != nil {
			return err
		}
	}
	stderr, closeLog := p.stderr, func() {}
	if !c.checkOnly {
		if stderr, closeLog, err = c.openLogFile(stderr); err != nil {
			return err
		}
	}
	defer closeLog()
	s, err := c.server(stderr)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && c.log != nil { // whoever reads the file is to know why it ends
			s.Logger.Error("serve has failed", "error", oneLine(err))
		}
	}()
	slog.SetDefault(s.Logger) // for what has no logger of its own
	if c.checkOnly {
		c.stop = lifecycle.Watch(context.Background())
		defer c.stop.End()
		return c.check(target, s, p.stdout)
	}
	c.succession = &succession{tookOver: make(chan struct{})}
	listeners, err := c.listeners()
	if err != nil {
		return err
	}
	// From here on a signal must not kill the process, though run only looks
	// for it later. SIGQUIT does not wait for anybody, as with gunicorn.
	ctx, retire := context.WithCancelCause(context.Background())
	defer retire(nil)
	c.succession.retire = retire
	c.stop = lifecycle.Watch(ctx, syscall.SIGQUIT)
	defer c.stop.End()
	c.succession.stopping = c.stop.Gently()
	c.watchSignals(upgradeSignals)

	for i := range listeners {
		listeners[i].Listener = c.succession.add(listeners[i].Listener)
	}
	endAdmin, err := c.startAdmin(s)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer endAdmin()
	app, closeApp, err := c.open(target, s)
	if err != nil {
		closeAll(listeners)
		if errors.Is(err, errToldToStop) {
			s.Logger.Info("stopping before the application was there", "reason", context.Cause(c.stop.Gently()).Error())
			return nil
		}
		return err
	}
	defer func() { err = errors.Join(err, closeApp()) }()
	s.App = app
	if len(c.pools) == 0 {
		for _, name := range unused {
			s.Logger.Warn("an option has no effect, for no Python application is served", "option", "--"+name)
		}
	}
	c.tune()
	defer c.tend(s)()
	if c.logFormat == "text" {
		c.announce(p.stderr, target, listeners)
		defer remark(c.stop.Gently(), p.stderr)()
	}
	return c.run(s, listeners)
}

// open opens the target and all that is around it. The returned function closes
// what was opened, the last first.
func (c *config) open(t target, s *server.Server) (app wsgi.Application, closeAll func() error, err error) {
	var closers []func() error
	closeAll = func() (err error) {
		for _, c := range slices.Backward(closers) {
			err = errors.Join(err, c())
		}
		return err
	}
	step := func(next wsgi.Application, closeNext func() error, stepErr error) bool {
		if err = stepErr; err != nil {
			err = errors.Join(err, closeAll())
			return false
		}
		app, closers = next, append(closers, closeNext)
		return true
	}
	if !step(t.open(c, s)) || !step(c.withMounts(app, s)) || !step(c.withAccessLog(app)) {
		return nil, nil, err
	}
	remove, err := c.writePID()
	if err != nil {
		return nil, nil, errors.Join(err, closeAll())
	}
	closers = append(closers, remove)
	s.Multiprocess = c.multiprocess || len(c.pools) > 0 && c.python.workers > 1
	return app, closeAll, nil
}

// server returns the server that the options describe.
func (c *config) server(stderr io.Writer) (*server.Server, error) {
	s := &server.Server{
		Name:            c.serverName,
		ScriptName:      strings.TrimSuffix(c.scriptName, "/"),
		Environ:         c.environ,
		ReadTimeout:     orNone(c.readTimeout),
		WriteTimeout:    orNone(c.writeTimeout),
		IdleTimeout:     orNone(c.idleTimeout),
		ShutdownTimeout: orNone(c.shutdownTimeout),
		MaxHeaderBytes:  int(orNone(c.maxHeader)),
		MaxBodyBytes:    int64(orNone(c.maxBody)),
		SingleThread:    c.singleThread,
		Debug:           c.debug,
	}
	if c.logFormat == "json" {
		s.Logger = slog.New(slog.NewJSONHandler(stderr, &slog.HandlerOptions{Level: c.logLevel}))
	} else {
		s.Logger = slog.New(newConsole(stderr, c.logLevel))
		s.Errors = stderr // as the application wrote it, stacks in lines
	}
	switch {
	case c.tlsCert == "" && c.tlsKey == "":
		return s, nil
	case c.tlsKey == "":
		return nil, usagef("--tls-cert needs --tls-key")
	case c.tlsCert == "":
		return nil, usagef("--tls-key needs --tls-cert")
	}
	c.certificate = &keyPair{certFile: c.tlsCert, keyFile: c.tlsKey}
	if err := c.certificate.load(); err != nil {
		return nil, err
	}
	c.watchSignals(certSignals)
	s.TLSConfig = c.certificate.config()
	return s, nil
}

// orNone makes a limit of 0 what the server takes for none.
func orNone[T ~int64](limit T) T {
	if limit == 0 {
		return -1
	}
	return limit
}

// url is where a person finds what l listens for.
func (c *config) url(l listener) string {
	if l.scheme != "http" {
		return lifecycle.Address(l.scheme, l.Addr())
	}
	return openURL(l.Addr(), c.scheme(l), strings.TrimSuffix(c.scriptName, "/"))
}

// announce tells a person where to look. The log has a record of each address.
func (c *config) announce(w io.Writer, t target, listeners []listener) {
	verb, where := "listening on", c.url(listeners[0])
	for _, l := range listeners {
		if l.scheme == "http" && l.Addr().Network() != "unix" {
			verb, where = "open", c.url(l)
			break
		}
	}
	fmt.Fprintf(w, "gowsgi: serving %s; %s %s (Ctrl-C stops)\n", t.title, verb, where)
}

// remark explains the silence, should stopping take long enough for a person
// to wonder. The returned function ends it.
func remark(ctx context.Context, w io.Writer) (end func()) {
	ended := make(chan struct{})
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		select {
		case <-ctx.Done():
		case <-ended:
			return
		}
		patience := time.NewTimer(time.Second)
		defer patience.Stop()
		select {
		case <-patience.C:
			fmt.Fprintln(w, "gowsgi: waiting for running responses to finish; Ctrl-C again cuts them")
		case <-ended:
		}
	}()
	return func() {
		close(ended)
		<-exited
	}
}
