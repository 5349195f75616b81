package middleware_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// slow is an application that waits before it starts, and before each block.
func slow(atFirst, each time.Duration, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		time.Sleep(atFirst)
		if _, err := start("200 OK", headers("Content-Type", "text/x"), nil); err != nil {
			return nil, err
		}
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for _, block := range list {
				time.Sleep(each)
				if !yield([]byte(block), nil) {
					return
				}
			}
			time.Sleep(each)
		}), nil
	})
}

func TestTimeout(t *testing.T) {
	m := middleware.Timeout(10 * time.Second)
	waits := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		<-environ.Context().Done()
		if cause := context.Cause(environ.Context()); cause != middleware.ErrTimeout {
			t.Errorf("the cause is %v", cause)
		}
		return nil, environ.Context().Err()
	})
	block := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		time.Sleep(20 * time.Second)
		_, err := start("200 OK", nil, nil)
		return wsgi.Strings("late"), err
	})
	writesLate := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", nil, nil)
		if err != nil {
			return nil, err
		}
		time.Sleep(20 * time.Second)
		if _, err := write([]byte("late")); !errors.Is(err, middleware.ErrTimeout) {
			t.Errorf("write has the error %v", err)
		}
		return wsgi.Empty(), nil
	})
	writesFirst := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", nil, nil)
		write([]byte("begun"))
		time.Sleep(20 * time.Second)
		return wsgi.Strings("late"), err
	})
	writesInTime := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", nil, nil)
		write([]byte("whole"))
		return wsgi.Generator(func(func([]byte, error) bool) { time.Sleep(20 * time.Second) }), err
	})
	const sorry = "503 Service Unavailable: The request took too long.\n"
	tests := []struct {
		name string
		app  wsgi.Application
		want string
		cut  bool
		took time.Duration
	}{
		{"in time", slow(time.Second, time.Second, "a", "b"), "200 OK: ab", false, 4 * time.Second},
		{"waits for its context", waits, sorry, false, 10 * time.Second},
		{"chi: ignores its context", block, sorry, false, 20 * time.Second},
		{"late in Call", slow(20*time.Second, 0, "a"), sorry, false, 20 * time.Second},
		{"late before the first block", slow(0, 15*time.Second, "a", "b"), sorry, false, 15 * time.Second},
		{"chi: late after the first block", slow(0, 6*time.Second, "a", "b", "c"), "200 OK: a", true, 12 * time.Second},
		{"late, and no block", slow(0, 15*time.Second), sorry, false, 15 * time.Second},
		{"the last block was in time", slow(0, 6*time.Second, "a"), "200 OK: a", false, 12 * time.Second},
		{"the last write was in time", writesInTime, "200 OK: whole", false, 20 * time.Second},
		{"write", writesLate, sorry, false, 20 * time.Second},
		{"chi: late after a write", writesFirst, "200 OK: begun", true, 20 * time.Second},
		{"empty blocks send nothing", slow(0, 4*time.Second, "", "", "a"), sorry, false, 12 * time.Second},
		{"another failure", streams(errApp), "500 Internal Server Error: 500 Internal Server Error\n", false, 0},
		{"a deadline of its own", streams(context.DeadlineExceeded), "500 Internal Server Error: 500 Internal Server Error\n", false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				res := wsgitest.Do(t, m(tt.app), &wsgitest.Request{ExpectErrors: true})
				if got := res.Status + ": " + res.Text(); got != tt.want || errors.Is(res.Err, gateway.ErrCut) != tt.cut {
					t.Errorf("got %q, error %v; expected %q, cut %v", got, res.Err, tt.want, tt.cut)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("it took %v, expected %v", took, tt.took)
				}
				if res.Code == 503 && (res.Headers.Get("Retry-After") == "" || res.Headers.Get("Content-Type") == "text/x") {
					t.Errorf("headers of the 503: %v", res.Headers)
				}
			})
		})
	}
	t.Run("the context ends with the request", func(t *testing.T) {
		var ctx context.Context
		body := bodyOf(t, m(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			ctx = environ.Context()
			return streams(nil, "x").Call(environ, start)
		})))
		if ctx.Err() != nil {
			t.Error("the context has ended before the body")
		}
		body.Close()
		if ctx.Err() == nil {
			t.Error("the context lives on, and its timer with it")
		}
	})
	t.Run("a client that has left is no time-out", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			res := wsgitest.Do(t, m(waitsFor()), &wsgitest.Request{Context: ctx, ExpectErrors: true})
			if res.Code == 503 {
				t.Errorf("got %s", res.Status)
			}
			// Of whom has left nothing is seen there: so ask once more by hand.
			environ := wsgitest.NewRequest("GET", "/").Environ().WithContext(ctx)
			body, err := m(waitsFor()).Call(environ, func(status string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
				t.Errorf("it is answered with %s", status)
				return nil, nil
			})
			if body != nil || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, middleware.ErrTimeout) {
				t.Errorf("got a body %v and the error %v, expected that of the client alone", body, err)
			}
		})
	})
	for _, d := range []time.Duration{0, -1} {
		panics(t, func() { middleware.Timeout(d) }, "Timeout", d.String())
	}
	keeps(t, middleware.Timeout(time.Hour))
}

// waitsFor is an application that waits for the end of its context.
func waitsFor() wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		<-environ.Context().Done()
		return nil, environ.Context().Err()
	})
}
