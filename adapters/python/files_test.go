//go:build unix

package python_test

import (
	"context"
	"testing"
)

// TestFilesOfReplaced asks for the files all the time, as --reload does, while a
// worker is replaced. The new one is left alone until it is ready: asked earlier, it
// took the question for a part of what it is to run, and each that followed died too.
func TestFilesOfReplaced(t *testing.T) {
	c := config(t)
	c.Processes = 2
	s := open(t, c)
	ctx, stop := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		for ctx.Err() == nil {
			s.pool.Files(ctx)
		}
	}()
	if a := s.get("/raw/os_exit"); a.status != 502 {
		t.Errorf("got %d, want 502", a.status)
	}
	eventually(t, "the worker is replaced", func() bool {
		stats := s.pool.Stats()
		return stats.Workers == 2 && stats.Restarts > 0
	})
	stop()
	<-asked
	if n := s.pool.Stats().Restarts; n != 1 {
		t.Errorf("%d workers ended unexpectedly, want 1", n)
	}
}
