package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayGone is about clients that leave, which is no fault of the
// application.
func TestGatewayGone(t *testing.T) {
	left := []string{"DEBUG client left"}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	one := func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return p.steps("a", "b"), nil
	}
	endless := func(block string) call {
		return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				for n := 0; yield([]byte(block), nil); n++ {
					if n == 1000 {
						t.Error("the body was not stopped")
						return
					}
				}
			}), nil
		}
	}
	runExchanges(t, []exchange{
		{
			name:    "ERR-15/at-the-head",
			request: request{failAt: 1},
			call:    one,
			want:    []string{"ask 1", "head 200 OK: failed", "stopped", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-second-block",
			request: request{failAt: 3},
			call:    one,
			want:    []string{"ask 1", "head 200 OK", "block a", "ask 2", "block b: failed", "stopped", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-end",
			request: request{failAt: 4},
			call:    one,
			want:    []string{"ask 1", "head 200 OK", "block a", "ask 2", "block b", "end: failed", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-head-of-nothing",
			request: request{failAt: 1},
			call:    answer(nil),
			want:    []string{"head 200 OK; Content-Length: 0: failed", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-500",
			request: request{failAt: 1},
			call:    raise(func() error { return errBoom }),
			want:    []string{failed[0] + ": failed"},
			reports: []string{"ERROR application failed", "DEBUG client left"},
		}, {
			name:    "ERR-15/at-the-500's-block",
			request: request{failAt: 2},
			call:    raise(func() error { return errBoom }),
			want:    []string{failed[0], "block 500 Internal Server Error\n: failed"},
			reports: []string{"ERROR application failed", "DEBUG client left"},
		}, {
			// What the application does about it, it does to nobody.
			name:    "ERR-15/application-fails-because-of-it",
			request: request{failAt: 2},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				_, err := write([]byte("a"))
				p.note("knows why: %t", errors.Is(err, errWire))
				return nil, fmt.Errorf("writing: %w", err)
			},
			want:    []string{"head 200 OK", "block a: failed", "knows why: true"},
			reports: left,
		}, {
			name:    "ERR-15/context-passed-on",
			request: request{ctx: cancelled},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, fmt.Errorf("query: %w", p.environ.Context().Err())
			},
			reports: left,
		}, {
			// The same error is the application's own while the client is
			// there.
			name: "ERR-15/own-cancellation",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, context.Canceled
			},
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			name: "ERR-15/own-connection-reset",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, errWire
			},
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			// An ended context is only a hint: the transport decides.
			name:    "ERR-15/context-ended-transport-fine",
			request: request{ctx: cancelled},
			call:    answer(nil, "a"),
			want:    []string{"head 200 OK", "block a", "end", "close"},
		}, {
			// Nothing is sent that could fail, so somebody has to ask.
			name:    "BODY-10/endless-empties",
			request: request{ctx: cancelled},
			call:    endless(""),
			want:    []string{"close"},
			reports: left,
		}, {
			name:    "BODY-10/endless-discarded",
			request: request{ctx: cancelled, method: "HEAD"},
			call:    endless("a"),
			want:    []string{"head 200 OK", "block ", "end", "close"},
		}, {
			name:    "WRITE-11/endless-discarded",
			request: request{ctx: cancelled, method: "HEAD"},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				for range 1000 {
					if _, err := write([]byte("a")); err != nil {
						return p.body(), nil
					}
				}
				t.Error("write did not fail")
				return p.body(), nil
			},
			want: []string{"head 200 OK", "block ", "end", "close"},
		},
	})
	// The client of a HEAD has all that it will get.
	t.Run("BODY-10/empties-after-the-head", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		got := request{ctx: ctx, method: "HEAD"}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				yield([]byte("a"), nil)
				cancel()
				p.note("more: %t", yield(nil, nil))
			}), nil
		})
		if diff := cmp.Diff([]string{"head 200 OK", "block ", "more: false", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("ERR-15/cause", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errWire)
		for _, why := range []error{context.Cause(ctx), ctx.Err()} { // whichever the application asks for
			got := request{ctx: ctx}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, why
			})
			if !errors.Is(got.err, errWire) {
				t.Errorf("after %v Serve returned %v, expected the cause", why, got.err)
			}
			if diff := cmp.Diff(left, got.reports); diff != "" {
				t.Error(diff)
			}
		}
	})
}
