//go:build unix

package lifecycle

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"
)

// send has this process signal itself.
func send(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		t.Fatal(err)
	}
}

// over waits for the end of ctx.
func over(t *testing.T, what string, ctx context.Context) {
	t.Helper()
	select {
	case <-ctx.Done():
	case <-time.After(10 * time.Second):
		t.Fatalf("%s has not ended", what)
	}
}

func TestStop(t *testing.T) {
	s := Watch(t.Context(), syscall.SIGUSR2)
	defer s.End()
	if s.Gently().Err() != nil || s.Now().Err() != nil {
		t.Fatal("it has ended before anybody has said so")
	}
	send(t, syscall.SIGTERM)
	over(t, "Gently", s.Gently())
	if cause := context.Cause(s.Gently()); cause.Error() != "terminated" {
		t.Errorf("the cause is %v", cause)
	}
	if s.Now().Err() != nil {
		t.Error("the first signal has ended Now too")
	}
	send(t, syscall.SIGINT)
	over(t, "Now", s.Now())
}

func TestStopHard(t *testing.T) {
	s := Watch(t.Context(), syscall.SIGUSR2)
	defer s.End()
	send(t, syscall.SIGUSR2)
	over(t, "Gently", s.Gently())
	over(t, "Now", s.Now())
}

func TestStopWithin(t *testing.T) {
	s := Watch(t.Context())
	defer s.End()
	s.Within(0)
	s.Within(time.Millisecond)
	s.Within(time.Hour) // is too late
	over(t, "Now", s.Now())
	if s.Gently().Err() != nil {
		t.Error("a limit of time has ended Gently")
	}
}

// TestOneSignal: one that has ended the context as well is not the second.
func TestOneSignal(t *testing.T) {
	for range 50 {
		ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
		s := Watch(ctx)
		send(t, syscall.SIGTERM)
		over(t, "the context", ctx)
		over(t, "Gently", s.Gently())
		s.End()
		stop()
		if s.Now().Err() != nil {
			t.Fatal("one signal has counted for two")
		}
	}
}
