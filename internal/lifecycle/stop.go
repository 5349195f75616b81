// Package lifecycle is how a server runs in a process of its own: where it
// listens, until when, and what becomes of the responses that are running then.
// It is the same for every protocol.
package lifecycle

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Stop is how a process is told to stop: gently first, and then at once.
type Stop struct {
	gently, now context.Context
	cutNow      context.CancelCauseFunc

	mu    sync.Mutex
	timer *time.Timer // of Within

	end    context.CancelFunc
	exited chan struct{}
}

// Watch takes SIGINT and SIGTERM, and the signals hard, from now on, until End. The
// first one, or the end of ctx, ends Gently. The second, or one of hard, ends Now too.
func Watch(ctx context.Context, hard ...os.Signal) *Stop {
	s := &Stop{exited: make(chan struct{})}
	var stopGently context.CancelCauseFunc
	s.gently, stopGently = context.WithCancelCause(context.Background())
	s.now, s.cutNow = context.WithCancelCause(context.Background())
	ended, end := context.WithCancel(context.Background())
	s.end = end
	signals, rude := notify(os.Interrupt, syscall.SIGTERM), notify(hard...)
	go func() {
		defer close(s.exited)
		defer func() {
			signal.Stop(signals)
			signal.Stop(rude)
		}()
		at := func(sig os.Signal) {
			err := errors.New(sig.String())
			stopGently(err)
			s.cutNow(err)
		}
		select {
		case <-ctx.Done():
			// It may have been a signal that ended ctx (signal.NotifyContext): that
			// one is not the second. Once Stop has returned, none that came before
			// is still on its way to the old channel.
			old := signals
			signals = notify(os.Interrupt, syscall.SIGTERM)
			signal.Stop(old)
			stopGently(context.Cause(ctx))
		case sig := <-signals:
			stopGently(errors.New(sig.String()))
		case sig := <-rude:
			at(sig)
		case <-ended.Done():
			return
		}
		select {
		case sig := <-signals:
			at(sig)
		case sig := <-rude:
			at(sig)
		case <-ended.Done():
		}
	}()
	return s
}

// notify returns a channel of the signals.
func notify(some ...os.Signal) chan os.Signal {
	signals := make(chan os.Signal, 2)
	if len(some) > 0 { // Notify would take none for all of them
		signal.Notify(signals, some...)
	}
	return signals
}

// Gently ends when nothing new is to be accepted. Its cause says why.
func (s *Stop) Gently() context.Context { return s.gently }

// Now ends when what still runs is to be cut.
func (s *Stop) Now() context.Context { return s.now }

// Within ends Now after d, if not before. 0 is no limit. The first call counts.
func (s *Stop) Within(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d > 0 && s.timer == nil {
		s.timer = time.AfterFunc(d, func() { s.cutNow(context.DeadlineExceeded) })
	}
}

// End gives the signals back, to whom they belonged before.
func (s *Stop) End() {
	s.mu.Lock()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.end()
	<-s.exited
}
