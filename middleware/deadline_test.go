package middleware_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

type contextKey struct{}

// The context of Timeout is one as package context makes it, however late it is
// asked for.
func TestTimeoutContext(t *testing.T) {
	const limit = 10 * time.Second
	tests := []struct {
		name  string
		outer time.Duration // when the outer context is cancelled, 0 for never
		use   func(t *testing.T, ctx context.Context)
	}{
		{"never asked", 0, func(*testing.T, context.Context) {}},
		{"not asked before", 0, func(t *testing.T, ctx context.Context) {
			time.Sleep(limit)
			if ctx.Err() != context.DeadlineExceeded || context.Cause(ctx) != middleware.ErrTimeout {
				t.Errorf("Err is %v, the cause is %v", ctx.Err(), context.Cause(ctx))
			}
			<-ctx.Done()
		}},
		{"waited for", 0, func(t *testing.T, ctx context.Context) {
			began := time.Now()
			<-ctx.Done()
			if ctx.Err() != context.DeadlineExceeded || time.Since(began) != limit {
				t.Errorf("Err is %v after %v", ctx.Err(), time.Since(began))
			}
		}},
		{"one below", 0, func(t *testing.T, ctx context.Context) {
			below, cancel := context.WithCancel(ctx)
			defer cancel()
			<-below.Done()
			if below.Err() != context.DeadlineExceeded || context.Cause(below) != middleware.ErrTimeout {
				t.Errorf("Err is %v, the cause is %v", below.Err(), context.Cause(below))
			}
		}},
		{"the outer one first", time.Second, func(t *testing.T, ctx context.Context) {
			time.Sleep(2 * time.Second)
			if ctx.Err() != context.Canceled {
				t.Errorf("Err is %v", ctx.Err())
			}
			<-ctx.Done()
			time.Sleep(limit)
			if ctx.Err() != context.Canceled {
				t.Errorf("Err is %v when it was Canceled before", ctx.Err())
			}
		}},
		{"the outer one afterwards", 11 * time.Second, func(t *testing.T, ctx context.Context) {
			time.Sleep(limit)
			first := ctx.Err()
			time.Sleep(2 * time.Second)
			if first != context.DeadlineExceeded || ctx.Err() != first {
				t.Errorf("Err is %v and then %v", first, ctx.Err())
			}
			<-ctx.Done()
		}},
		{"deadline and values", 0, func(t *testing.T, ctx context.Context) {
			at, ok := ctx.Deadline()
			if !ok || time.Until(at) != limit || ctx.Value(contextKey{}) != "outer" || ctx.Err() != nil {
				t.Errorf("deadline %v, %v; value %v; Err %v", at, ok, ctx.Value(contextKey{}), ctx.Err())
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outer, cancel := context.WithCancel(context.WithValue(context.Background(), contextKey{}, "outer"))
				defer cancel()
				if tt.outer > 0 {
					defer time.AfterFunc(tt.outer, cancel).Stop()
				}
				var kept context.Context
				app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					kept = environ.Context()
					tt.use(t, kept)
					_, err := start("200 OK", nil, nil)
					return wsgi.Empty(), err
				})
				environ := wsgitest.NewRequest("GET", "/").Environ().WithContext(outer)
				body, err := middleware.Timeout(limit)(app).Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
				if err == nil {
					body.Close()
				}
				if kept.Err() == nil {
					t.Error("the context has not ended with the request")
				}
				select {
				case <-kept.Done():
				default:
					t.Error("the context has ended, and its channel waits on")
				}
			})
		})
	}
}

// A list of one block that another middleware only waits for is still one block
// outside of Recover, and gets its Content-Length.
func TestBlockStaysBlock(t *testing.T) {
	stack := middleware.Chain(
		middleware.Recover(middleware.RecoverConfig{}),
		middleware.Timeout(time.Minute),
		middleware.Throttle(middleware.ThrottleConfig{}),
		middleware.OnClose(func(*wsgi.Environ) error { return nil }),
	)
	res := wsgitest.Do(t, stack(text("hello")), wsgitest.NewRequest("GET", "/"))
	if got := res.Headers.Get("Content-Length"); got != "5" {
		t.Errorf("Content-Length is %q, expected 5", got)
	}
}
