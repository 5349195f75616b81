package main

import (
	"fmt"
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
	return middleware.AccessLog(middleware.AccessLogConfig{Output: l})(app), l.Close, nil
}

func (c *config) reopenLogs(s *server.Server) {
	if c.accessLog == nil {
		return
	}
	if err := c.accessLog.reopen(); err != nil {
		s.Logger.Error("the access log could not be opened again", "error", err.Error())
		return
	}
	s.Logger.Info("access log opened again", "file", c.accessLogfile)
}

// writePID writes the number of this process into the file of --pid. The
// returned function removes it.
func (c *config) writePID() (remove func() error, err error) {
	if c.pid == "" {
		return func() error { return nil }, nil
	}
	if err := os.WriteFile(c.pid, fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
		return nil, fmt.Errorf("pid file: %w", err)
	}
	return func() error { return os.Remove(c.pid) }, nil
}
