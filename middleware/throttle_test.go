package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestThrottle(t *testing.T) {
	tests := []struct {
		name   string
		config middleware.ThrottleConfig
		apps   int           // requests at the same time, each of which takes 1 s in its body
		served int           // how many of them get a 200
		took   time.Duration // until the last has an answer
	}{
		{"one after another", middleware.ThrottleConfig{Requests: 1, Backlog: 9}, 5, 5, 5 * time.Second},
		{"two at a time", middleware.ThrottleConfig{Requests: 2, Backlog: 9}, 5, 5, 3 * time.Second},
		{"as many may wait", middleware.ThrottleConfig{Requests: 2}, 5, 4, 2 * time.Second},
		{"nobody waits", middleware.ThrottleConfig{Requests: 2, Backlog: -1}, 5, 2, time.Second},
		{"nobody waits for long", middleware.ThrottleConfig{Requests: 1, Backlog: 9, Wait: 2500 * time.Millisecond}, 5, 3, 3 * time.Second},
		{"by default", middleware.ThrottleConfig{}, 200, 128, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var inside, most, served, refused atomic.Int32
				app := middleware.Throttle(tt.config)(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					most.Store(max(most.Load(), inside.Add(1)))
					_, err := start("200 OK", nil, nil)
					return tracked{func(yield func([]byte, error) bool) {
						time.Sleep(time.Second) // the turn lasts longer than the call
						yield([]byte("x"), nil)
						inside.Add(-1)
					}, new(atomic.Int32), nil}, err
				}))
				began := time.Now()
				var all sync.WaitGroup
				for range tt.apps {
					all.Go(func() {
						switch res := wsgitest.Do(t, app, &wsgitest.Request{}); {
						case res.Code == 200:
							served.Add(1)
						case res.Code == 503 && res.Headers.Get("Retry-After") != "":
							refused.Add(1)
						default:
							t.Errorf("got %s", res.Status)
						}
					})
				}
				all.Wait()
				limit := tt.config.Requests
				if limit == 0 {
					limit = 64
				}
				if int(most.Load()) > limit || int(served.Load()) != tt.served || int(served.Load()+refused.Load()) != tt.apps {
					t.Errorf("%d at the same time, %d served, %d refused; expected %d and %d", most.Load(), served.Load(), refused.Load(), limit, tt.served)
				}
				if took := time.Since(began); took != tt.took {
					t.Errorf("it took %v, expected %v", took, tt.took)
				}
			})
		})
	}
	t.Run("turns come back on every path", func(t *testing.T) {
		m := middleware.Throttle(middleware.ThrottleConfig{Requests: 1, Backlog: -1})
		var current wsgi.Application
		app := m(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return current.Call(environ, start)
		}))
		for kind, inner := range kinds(t) {
			for visit, req := range visits() {
				req.ExpectErrors = true
				current = inner
				if res := wsgitest.Do(t, app, req); res.Code == 503 && kind != "recovers" {
					t.Fatalf("%s, %s: somebody before has kept the turn", visit, kind)
				}
			}
		}
	})
	t.Run("a client that has left does not wait", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			app := middleware.Throttle(middleware.ThrottleConfig{Requests: 1})(slow(0, time.Hour, "x"))
			var all sync.WaitGroup
			all.Go(func() { wsgitest.Do(t, app, &wsgitest.Request{}) })
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			began := time.Now()
			res := wsgitest.Do(t, app, &wsgitest.Request{Context: ctx, ExpectErrors: true})
			if time.Since(began) != time.Second || res.Code != 0 {
				t.Errorf("it waited %v and got %s", time.Since(began), res.Status)
			}
			all.Wait()
		})
	})
	panics(t, func() { middleware.Throttle(middleware.ThrottleConfig{Requests: -1}) }, "Throttle", "-1")
	panics(t, func() { middleware.Throttle(middleware.ThrottleConfig{Wait: -1}) }, "Throttle", "-1ns")
	keeps(t, middleware.Throttle(middleware.ThrottleConfig{}))
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := middleware.RateLimit(middleware.RateLimitConfig{Every: time.Second, Burst: 3})(text("x"))
		ask := func(peer string) string {
			res := wsgitest.Do(t, app, &wsgitest.Request{RemoteAddr: peer})
			return fmt.Sprint(res.Code, res.Headers.Get("Retry-After"))
		}
		steps := []struct {
			wait time.Duration
			peer string
			want string
		}{
			{0, "192.0.2.1:1", "200"}, {0, "192.0.2.1:2", "200"}, {0, "192.0.2.1:3", "200"},
			{0, "192.0.2.1:4", "4291"}, {0, "192.0.2.1:4", "4291"}, // what is refused does not count
			{0, "192.0.2.2:1", "200"}, // another client
			{999 * time.Millisecond, "192.0.2.1:1", "4291"},
			{time.Millisecond, "192.0.2.1:1", "200"}, {0, "192.0.2.1:1", "4291"},
			{time.Hour, "192.0.2.1:1", "200"}, {0, "192.0.2.1:1", "200"}, {0, "192.0.2.1:1", "200"}, {0, "192.0.2.1:1", "4291"}, // no more than the burst
			{0, "[2001:db8::1]:1", "200"}, {0, "[2001:db8::2]:1", "200"}, {0, "[2001:db8::ffff:0:1]:1", "200"}, {0, "[2001:db8::4]:1", "4291"}, // one network
			{0, "[2001:db8:0:1::1]:1", "200"},                                                   // another
			{0, "@", "200"}, {0, "@", "200"}, {0, "@", "200"}, {0, "@", "200"}, {0, "@", "200"}, // a Unix socket
		}
		for i, s := range steps {
			time.Sleep(s.wait)
			if got := ask(s.peer); got != s.want {
				t.Errorf("step %d, %s: got %s, expected %s", i, s.peer, got, s.want)
			}
		}
	})
	t.Run("Retry-After is rounded up", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			app := middleware.RateLimit(middleware.RateLimitConfig{Every: 2500 * time.Millisecond, Burst: 1})(text("x"))
			wsgitest.Do(t, app, &wsgitest.Request{})
			if got := wsgitest.Do(t, app, &wsgitest.Request{}).Headers.Get("Retry-After"); got != "3" {
				t.Errorf("got %q, expected 3", got)
			}
		})
	})
	t.Run("long keys", func(t *testing.T) {
		store := &recordingStore{}
		app := middleware.RateLimit(middleware.RateLimitConfig{
			Key: func(environ *wsgi.Environ) string { return environ.Header("X-Key") }, Store: store,
		})(text("x"))
		seen := map[string]bool{}
		for _, key := range []string{strings.Repeat("k", 64), strings.Repeat("k", 65), strings.Repeat("k", 66), strings.Repeat("k", 100_000)} {
			wsgitest.Do(t, app, &wsgitest.Request{Headers: headers("X-Key", key)})
			if told, _, _ := strings.Cut(store.asked, " "); len(told) != 64 || seen[told] {
				t.Errorf("a key of %d bytes is %q in the store, expected 64 bytes, and none that was there before", len(key), told)
			} else {
				seen[told] = true
			}
		}
	})
	t.Run("key and store", func(t *testing.T) {
		store := &recordingStore{err: errors.New("no\nstore")}
		app := middleware.RateLimit(middleware.RateLimitConfig{
			Key: func(environ *wsgi.Environ) string { return environ.Header("X-Key") }, Store: store,
		})(text("x"))
		res := wsgitest.Do(t, app, &wsgitest.Request{Headers: headers("X-Key", "k"), ExpectErrors: true})
		if res.Code != 200 || res.Errors != "middleware: RateLimit: no\\nstore\n" || store.asked != "k 100ms 50" {
			t.Errorf("got %s, errors %q, asked %q", res.Status, res.Errors, store.asked)
		}
	})
	for _, c := range []middleware.RateLimitConfig{{Every: -1}, {Burst: -1}, {Every: 1 << 62, Burst: 4}} {
		panics(t, func() { middleware.RateLimit(c) }, "RateLimit")
	}
	panics(t, func() { middleware.NewMemoryStore(-1) }, "NewMemoryStore", "-1")
	keeps(t, middleware.RateLimit(middleware.RateLimitConfig{Every: 1, Burst: 1 << 20}))
}

type recordingStore struct {
	asked string
	err   error
}

func (s *recordingStore) Take(_ context.Context, key string, every time.Duration, burst int) (time.Duration, error) {
	s.asked = fmt.Sprint(key, " ", every, " ", burst)
	return time.Hour, s.err
}

// The store never holds more than it may, and when it is full it does not forget
// who is being limited for the sake of those that come once.
func TestMemoryStoreBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := middleware.NewMemoryStore(64)
		take := func(key string) time.Duration {
			wait, err := store.Take(t.Context(), key, time.Second, 100)
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		for range 100 {
			take("heavy")
		}
		if take("heavy") == 0 {
			t.Fatal("not limited")
		}
		for i := range 10000 {
			take(fmt.Sprint("stranger ", i))
		}
		if n := middleware.StoreSize(store); n > 64 {
			t.Errorf("%d keys, expected at most 64", n)
		}
		if take("heavy") == 0 {
			t.Error("the heavy client was forgotten while there were lighter ones")
		}
		time.Sleep(time.Hour)
		take("a")
		if n := middleware.StoreSize(store); n > 64 {
			t.Errorf("%d keys, expected at most 64", n)
		}
		var all sync.WaitGroup
		for g := range 8 {
			all.Go(func() {
				for i := range 100 {
					store.Take(context.Background(), fmt.Sprint(g, i), time.Second, 1)
				}
			})
		}
		all.Wait()
		if n := middleware.StoreSize(store); n > 64 {
			t.Errorf("%d keys, expected at most 64", n)
		}
	})
}
