package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// scripted is a server that ends by itself after so long, and when it is told to stop
// needs a time for it.
type scripted struct {
	after time.Duration // of Serve; 0 for never
	err   error         // that Serve ends in then
	needs time.Duration // from Shutdown on
	late  error         // of Serve, after Shutdown

	stopped chan struct{}
	closed  chan struct{}
}

func (s *scripted) Serve(net.Listener) error {
	var ends <-chan time.Time
	if s.after > 0 {
		ends = time.After(s.after)
	}
	select {
	case <-ends:
		return s.err
	case <-s.stopped:
		return s.late
	}
}

func (s *scripted) Shutdown(ctx context.Context) error {
	close(s.stopped)
	if s.needs == 0 {
		return nil
	}
	select {
	case <-time.After(s.needs):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *scripted) Close() error { close(s.closed); return nil }

// nowhere is a listener of which only the address counts.
type nowhere struct{ net.Listener }

func (nowhere) Addr() net.Addr { return &net.UnixAddr{Name: "nowhere", Net: "unix"} }

func TestAddress(t *testing.T) {
	tcp, unix := &net.TCPAddr{IP: net.IPv6loopback, Port: 80}, &net.UnixAddr{Name: "/run/s", Net: "unix"}
	for _, tt := range []struct {
		scheme string
		addr   net.Addr
		want   string
	}{
		{"http", tcp, "http://[::1]:80/"},
		{"https", tcp, "https://[::1]:80/"},
		{"http", unix, "unix:/run/s"},
		{"https", unix, "unix:/run/s"},
		{"scgi", tcp, "scgi://[::1]:80"},
		{"scgi", unix, "scgi://unix:/run/s"},
	} {
		if got := Address(tt.scheme, tt.addr); got != tt.want {
			t.Errorf("of %s at %v: %q, expected %q", tt.scheme, tt.addr, got, tt.want)
		}
	}
}

func TestRun(t *testing.T) {
	broken := errors.New("the listener is broken")
	const never = time.Hour
	for _, tt := range []struct {
		name    string
		servers []scripted
		stop    time.Duration // after so long it is told to stop
		cut     time.Duration // and to cut what runs
		o       Options
		want    string // the error
		takes   time.Duration
	}{
		{"stops", []scripted{{}, {needs: time.Second}}, time.Second, never, Options{Timeout: time.Minute}, "", 2 * time.Second},
		{"cuts in the end", []scripted{{}, {needs: never}}, time.Second, never, Options{Timeout: time.Minute},
			"shop: responses that did not finish in time were cut", 61 * time.Second},
		{"cuts at once", []scripted{{needs: never}}, time.Second, 3 * time.Second, Options{},
			"shop: responses that did not finish in time were cut", 3 * time.Second},
		{"waits before it stops", []scripted{{}}, time.Second, never, Options{Delay: 5 * time.Second}, "", 6 * time.Second},
		{"waits no longer when it is to cut", []scripted{{}}, time.Second, 3 * time.Second, Options{Delay: 5 * time.Second}, "", 3 * time.Second},
		{"fails", []scripted{{}, {after: time.Second, err: broken}}, never, never, Options{}, broken.Error(), time.Second},
		{"fails while it waits", []scripted{{after: 2 * time.Second, err: broken}, {}}, time.Second, never, Options{Delay: 5 * time.Second}, broken.Error(), 2 * time.Second},
		{"fails as it stops", []scripted{{}, {late: broken}}, time.Second, never, Options{}, broken.Error(), time.Second},
		{"fails after another was closed", []scripted{{after: time.Second, err: http.ErrServerClosed}, {late: broken}}, never, never, Options{}, broken.Error(), time.Second},
		{"is closed by somebody else", []scripted{{after: time.Second, err: http.ErrServerClosed}, {}}, never, never, Options{}, "", time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop := &Stop{}
				gently, stopGently := context.WithCancelCause(t.Context())
				now, cutNow := context.WithCancelCause(t.Context())
				stop.gently, stop.now, stop.cutNow = gently, now, cutNow
				defer time.AfterFunc(tt.stop, func() { stopGently(errors.New("told")) }).Stop()
				defer time.AfterFunc(tt.cut, func() { cutNow(errors.New("told again")) }).Stop()
				var listeners []Listener
				for i := range tt.servers {
					s := &tt.servers[i]
					s.stopped, s.closed = make(chan struct{}), make(chan struct{})
					if s.late == nil {
						s.late = http.ErrServerClosed
					}
					listeners = append(listeners, Listener{nowhere{}, s, "http"})
				}
				tt.o.Package, tt.o.Logger = "shop", slog.New(slog.DiscardHandler)
				begin := time.Now()
				got := ""
				if err := Run(stop, tt.o, listeners); err != nil {
					got = err.Error()
				}
				if passed := time.Since(begin); got != tt.want || passed != tt.takes {
					t.Errorf("ended in %q after %v, expected %q after %v", got, passed, tt.want, tt.takes)
				}
				for i := range tt.servers {
					closed := false
					select {
					case <-tt.servers[i].closed:
						closed = true
					default:
					}
					if want := tt.servers[i].needs == never; closed != want {
						t.Errorf("server %d is closed: %t, expected %t", i, closed, want)
					}
				}
				if stop.timer != nil {
					stop.timer.Stop()
				}
			})
		})
	}
}
