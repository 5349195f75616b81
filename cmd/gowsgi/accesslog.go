package main

import (
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// logFile is a file that can be opened again under its name, when somebody has
// renamed it to have a new one begun.
type logFile struct {
	path string
	mu   sync.Mutex
	file *os.File
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path}
	return l, l.reopen()
}

func (l *logFile) reopen() error {
	if l.path == "-" {
		if l.file == nil {
			l.file = os.Stdout
		}
		return nil
	}
	file, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file != nil {
		l.file.Close()
	}
	l.file = file
	return nil
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(p)
}

func (l *logFile) Close() error {
	if l.path == "-" {
		return nil
	}
	return l.file.Close()
}

// withAccessLog puts the log of --access-logfile around app.
func (c *config) withAccessLog(app wsgi.Application) (wsgi.Application, func() error, error) {
	if c.accessLogfile == "" {
		return app, func() error { return nil }, nil
	}
	l, err := openLog(c.accessLogfile)
	if err != nil {
		return nil, nil, fmt.Errorf("access log: %w", err)
	}
	c.accessLog = l
	c.watchSignals(logSignals)
	return middleware.AccessLog(middleware.AccessLogConfig{Output: l, Format: c.accessFormat})(app), l.Close, nil
}

// openLogFile opens the file of --log-file, if there is one, for what would
// otherwise go to stderr.
func (c *config) openLogFile(stderr io.Writer) (w io.Writer, closeLog func(), err error) {
	if c.logFilePath == "" || c.logFilePath == "-" {
		return stderr, func() {}, nil
	}
	if c.log, err = openLog(c.logFilePath); err != nil {
		return nil, nil, fmt.Errorf("log: %w", err)
	}
	c.watchSignals(logSignals)
	return c.log, func() { c.log.Close() }, nil
}

func (c *config) reopenLogs(s *server.Server) {
	for _, l := range []struct {
		name string
		file *logFile
	}{{"log", c.log}, {"access log", c.accessLog}} {
		if l.file == nil {
			continue
		}
		if err := l.file.reopen(); err != nil {
			s.Logger.Error("the "+l.name+" could not be opened again", "error", err.Error())
			continue
		}
		s.Logger.Info(l.name+" opened again", "file", l.file.path)
	}
}

// writePID writes the number of this process into the file of --pid. The
// returned function removes it.
func (c *config) writePID() (remove func() error, err error) {
	if c.pid == "" {
		return func() error { return nil }, nil
	}
	number := fmt.Appendln(nil, os.Getpid())
	if err := os.WriteFile(c.pid, number, 0o644); err != nil {
		return nil, fmt.Errorf("pid file: %w", err)
	}
	return func() error {
		if text, err := os.ReadFile(c.pid); err == nil && string(text) != string(number) {
			return nil // another process has written its own
		}
		return os.Remove(c.pid)
	}, nil
}
