package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/server"
)

// watchSignals takes these signals too, from now on: one that came before
// somebody looks must not end the process.
func (c *config) watchSignals(some []os.Signal) {
	if len(some) == 0 {
		return // Notify would take it for all of them
	}
	if c.signals == nil {
		c.signals = make(chan os.Signal, 16)
	}
	signal.Notify(c.signals, some...)
}

// tend does what signals ask for while c serves, and looks for files that have
// changed. The returned function ends it.
func (c *config) tend(s *server.Server) (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var tasks sync.WaitGroup
	tasks.Go(func() {
		processes := c.python.workers
		for {
			select {
			case sig := <-c.signals:
				switch asked(sig) {
				case actionReload:
					c.reloadCertificate(s)
					c.reloadPools(ctx, s)
				case actionUpgrade:
					c.succession.upgrade(s)
				case actionReopen:
					c.reopenLogs(s)
				case actionMore:
					processes++
					c.setProcesses(s, processes)
				case actionFewer:
					processes = max(1, processes-1)
					c.setProcesses(s, processes)
				}
			case <-ctx.Done():
				signal.Stop(c.signals)
				return
			}
		}
	})
	if c.python.reload && len(c.pools) > 0 {
		tasks.Go(func() { c.watchFiles(ctx, s) })
	}
	return func() {
		cancel()
		tasks.Wait()
	}
}

// What a signal asks for.
const (
	actionNone = iota
	actionReload
	actionUpgrade
	actionReopen
	actionMore
	actionFewer
)

func (c *config) setProcesses(s *server.Server, n int) {
	for _, h := range c.pools {
		h.pool.SetProcesses(n)
	}
	s.Logger.Info("number of workers changed", "workers", n)
}

func (c *config) reloadPools(ctx context.Context, s *server.Server) {
	for _, h := range c.pools {
		err := h.pool.Reload(ctx)
		if err == nil {
			s.Logger.Info("application reloaded", "app", h.app, "generation", h.pool.Stats().Generation)
			continue
		}
		h.failures.Add(1)
		reason := oneLine(err) // with the traceback, where a record is all there is
		if failed := (*python.StartError)(nil); errors.As(err, &failed) && failed.Traceback != "" && s.Errors != nil {
			fmt.Fprint(s.Errors, failed.Traceback) // as Python shows it
			reason = lastLine(failed.Traceback)
		}
		s.Logger.Error("the application was not reloaded; the one that was there goes on", "app", h.app, "error", reason)
	}
}

const watchEvery = 500 * time.Millisecond

// watchFiles reloads the pools when a file changes that was imported.
func (c *config) watchFiles(ctx context.Context, s *server.Server) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	seen := map[string]time.Time{}
	for {
		changed := ""
		for _, h := range c.pools {
			for _, file := range h.pool.Files(ctx) {
				info, err := os.Stat(file)
				if err != nil {
					continue // it is being written just now, or is no file
				}
				before, known := seen[file]
				seen[file] = info.ModTime()
				if known && !info.ModTime().Equal(before) {
					changed = file
				}
			}
		}
		if changed != "" {
			s.Logger.Info("a file has changed", "file", changed)
			c.reloadPools(ctx, s)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
