package python

import (
	"context"
	"log/slog"
	"time"
)

// arrivals notes who has become ready, and lets those go who were only kept
// until then.
func (g *generation) arrivals() {
	g.mu.Lock()
	defer g.mu.Unlock()
	ready := 0
	for _, w := range g.workers {
		if !w.isReady {
			select {
			case <-w.ready:
				w.isReady = true
				g.pool.log(slog.LevelDebug, "worker ready", "pid", w.pid)
			default:
			}
			if !w.isReady && g.pool.config.StartTimeout > 0 && time.Since(w.born) > g.pool.config.StartTimeout {
				w.kill("it was not ready in time")
			}
		}
		if w.isReady && !w.full && !w.retiring {
			ready++
		}
	}
	nudge := false
	for _, w := range g.workers {
		if w.retiring {
			continue
		}
		spare := w.full && ready >= g.want && !g.draining || w.isReady && ready > g.want
		if spare && w.dumped.IsZero() {
			if !w.full {
				ready--
			}
			w.retiring = true
			w.deadline = time.Now().Add(orLong(g.pool.config.GracefulTimeout))
			for _, l := range w.lanes {
				g.board.retire(l.number)
			}
			if w.full {
				g.pool.recycled.Add(1)
			}
			nudge = true
		}
	}
	if nudge {
		go g.nudge()
	}
}

// ensure starts the workers that are missing.
func (g *generation) ensure() {
	g.mu.Lock()
	defer g.mu.Unlock()
	want := g.want
	if g.draining {
		// Requests may be left in the queue when workers end for another reason.
		want = 0
		if taken, _ := g.slots.used(); taken > 0 && len(g.workers) == 0 {
			want = 1
		}
	}
	have := g.starting
	for _, w := range g.workers {
		if !w.full && !w.retiring {
			have++
		}
	}
	if have >= want || time.Now().Before(g.patience) {
		return
	}
	for ; have < want; have++ {
		g.starting++
		g.spawns.Add(1)
		go g.spawn()
	}
}

func (g *generation) spawn() {
	defer g.spawns.Done()
	err := g.reviveZygote()
	var w *worker
	if err == nil {
		w, err = g.start(false)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.starting--
	if err != nil {
		g.failures++
		g.patience = time.Now().Add(time.Second)
		g.pool.log(slog.LevelError, "a worker cannot be started", "error", err.Error())
		return
	}
	g.workers = append(g.workers, w)
}

// reviveZygote makes a new one when the one that there was has ended.
func (g *generation) reviveZygote() error {
	g.mu.Lock()
	zygote := g.zygote
	g.mu.Unlock()
	if zygote == nil {
		return nil
	}
	select {
	case <-zygote.gone:
	default:
		return nil
	}
	g.reviving.Lock()
	defer g.reviving.Unlock()
	g.mu.Lock()
	again := g.zygote != zygote
	g.mu.Unlock()
	if again {
		return nil // somebody else was faster
	}
	g.pool.log(slog.LevelError, "the process that forks workers has ended; another one is started")
	zygote, err := g.start(true)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), orLong(g.pool.config.StartTimeout))
	defer cancel()
	err = zygote.awaitReady(ctx)
	if err != nil {
		zygote.kill("it was not ready")
		return err
	}
	g.mu.Lock()
	g.zygote = zygote
	g.mu.Unlock()
	return nil
}

// childExited notes the status of a worker that a zygote has forked.
func (g *generation) childExited(pid int, status string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.workers {
		if w.pid == pid {
			w.setStatus(status)
		}
	}
}

// exitedWorkers takes those out of the list that have ended, and logs each.
func (g *generation) exitedWorkers() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	rest := g.workers[:0]
	for _, w := range g.workers {
		select {
		case <-w.exited:
			n++
			g.noteExit(w)
		default:
			rest = append(rest, w)
		}
	}
	clear(g.workers[len(rest):])
	g.workers = rest
	return n
}

// noteExit logs the end of a worker, and slows the next start down when it was
// none that anybody wanted. The caller holds g.mu.
func (g *generation) noteExit(w *worker) {
	w.mu.Lock()
	status, reason, trace := w.status, w.reason, w.trace
	w.mu.Unlock()
	if w.retiring && w.deadline.After(time.Now()) {
		g.pool.log(slog.LevelDebug, "worker ended", "pid", w.pid, "reason", reason)
		return
	}
	if status == "" {
		status = "unknown: its parent is the process that forked it"
	}
	g.pool.restarts.Add(1)
	attrs := []any{"pid", w.pid, "status", status}
	if reason != "" {
		attrs = append(attrs, "reason", reason)
	}
	if !w.isReady && trace == "" {
		attrs = append(attrs, "remark", "it was not ready yet")
	}
	g.pool.log(slog.LevelError, "worker ended unexpectedly", attrs...)
	if trace != "" {
		g.pool.log(slog.LevelError, "the application cannot be imported", "traceback", trace)
	}
	if w.isReady && time.Since(w.born) > 10*time.Second {
		g.failures = 0
		return
	}
	g.failures++
	// The first few come back at once: the requests that wait are not theirs.
	if g.failures > 3 {
		wait := min(10*time.Second, 100*time.Millisecond<<min(g.failures-4, 10))
		g.patience = time.Now().Add(wait)
		if g.failures == 8 {
			g.pool.log(slog.LevelError, "workers end again and again; the application, or what it loads, has to be mended; the next start is slower each time",
				"in a row", g.failures, "wait", wait.String())
		}
	}
}
