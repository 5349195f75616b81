package backend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/internal/testlog"
	"github.com/gowsgi/gowsgi/wsgi"
)

// script is a listener whose Accept returns one error after the other.
type script struct {
	net.Listener
	errs []error
}

func (s *script) Accept() (net.Conn, error) {
	err := s.errs[0]
	s.errs = s.errs[1:]
	return nil, err
}

func (*script) Close() error { return nil }

func newTestServer(t *testing.T, log io.Writer) *Server {
	t.Helper()
	s, err := New(Options{App: wsgi.Response{Status: "200 OK"}, Logger: slog.New(slog.NewTextHandler(log, nil))}, func(*Conn) {})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestAcceptGoesOn: for want of descriptors nothing is accepted for a while, and
// then again.
func TestAcceptGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := &net.OpError{Op: "accept", Err: os.NewSyscallError("accept", syscall.EMFILE)}
		broken := errors.New("the listener is broken")
		var log testlog.Log
		begin := time.Now()
		if err := newTestServer(t, &log).Serve(&script{errs: []error{full, full, full, broken}}); err != broken {
			t.Errorf("Serve returned %v, expected %v", err, broken)
		}
		if passed, want := time.Since(begin), 35*time.Millisecond; passed != want {
			t.Errorf("three times %v were waited for, expected 5, 10 and 20 ms", passed)
		}
		if n := strings.Count(string(log.Bytes()), "accepting a connection failed"); n != 3 {
			t.Errorf("the log has %d lines of it, expected 3:\n%s", n, log.Bytes())
		}
	})
}

// TestShutdownOfNothing: where no request is under way none is cut, however little time
// there is.
func TestShutdownOfNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newTestServer(t, io.Discard)
	for range 100 { // of two that are ready, select takes either
		if err := s.Shutdown(ctx); err != nil {
			t.Fatalf("Shutdown returned %v, expected nil", err)
		}
	}
}

// TestBeginWhileStopping: who has shown that there is a request is served, and who
// only waited for the next is not.
func TestBeginWhileStopping(t *testing.T) {
	for _, tt := range []struct {
		name     string
		state    state
		stopping bool
		want     bool
	}{
		{"fresh", fresh, false, true},
		{"idle", idle, false, true},
		{"fresh, stopping", fresh, true, true},
		{"idle, stopping", idle, true, false},
	} {
		s := newTestServer(t, io.Discard)
		s.stopping = tt.stopping
		if got := (&Conn{Server: s, state: tt.state}).Begin(); got != tt.want {
			t.Errorf("%s: a request may begin: %t, expected %t", tt.name, got, tt.want)
		}
	}
}
