package redis_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gowsgi/gowsgi/contrib/redis"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// The store does what that of package middleware does.
func TestRates(t *testing.T) {
	client := start(t)
	for name, store := range map[string]middleware.RateStore{"redis": redis.NewRates(client, "rate:"), "memory": middleware.NewMemoryStore(0)} {
		t.Run(name, func(t *testing.T) {
			take := func(key string, every time.Duration, burst int) time.Duration {
				t.Helper()
				wait, err := store.Take(t.Context(), key, every, burst)
				if err != nil {
					t.Fatal(err)
				}
				return wait
			}
			for i := range 3 {
				if wait := take("a", time.Hour, 3); wait != 0 {
					t.Errorf("request %d of a burst of 3 waits %v", i+1, wait)
				}
			}
			for range 2 { // one that is refused does not count
				if wait := take("a", time.Hour, 3); wait <= 59*time.Minute || wait > time.Hour {
					t.Errorf("after the burst it waits %v, expected an hour", wait)
				}
			}
			if wait := take("b", time.Hour, 1); wait != 0 {
				t.Errorf("another key waits %v", wait)
			}
			if wait := take("b", time.Hour, 1); wait <= 59*time.Minute || wait > time.Hour {
				t.Errorf("the second of a burst of one waits %v, expected an hour", wait)
			}
			// The wait is long enough.
			take("c", 20*time.Millisecond, 1)
			if wait := take("c", 20*time.Millisecond, 1); wait > 20*time.Millisecond {
				t.Errorf("it waits %v, expected at most 20 ms", wait)
			} else if <-time.After(wait); take("c", 20*time.Millisecond, 1) != 0 {
				t.Errorf("a request waits again after %v", wait)
			}
			if wait := take("d", time.Nanosecond, 1); wait != 0 {
				t.Errorf("a first request waits %v", wait)
			}
		})
	}
}

// A key has the prefix, is one number, and ends when it says nothing any more.
func TestRatesKeys(t *testing.T) {
	client := start(t)
	store := redis.NewRates(client, "shop:")
	for range 2 {
		if wait, err := store.Take(t.Context(), "k", time.Hour, 5); wait != 0 || err != nil {
			t.Fatal(wait, err)
		}
	}
	if ttl := client.PTTL(t.Context(), "shop:k").Val(); ttl <= 119*time.Minute || ttl > 2*time.Hour {
		t.Errorf("the key lives for %v, expected two hours", ttl)
	}
	if _, err := client.Get(t.Context(), "shop:k").Int64(); err != nil {
		t.Error(err)
	}
	// The clock of the server was put back by a day.
	tomorrow := fmt.Sprint(time.Now().Add(24 * time.Hour).UnixMicro())
	if err := client.Set(t.Context(), "shop:k", tomorrow, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	if wait, err := store.Take(t.Context(), "k", time.Minute, 5); wait != time.Minute || err != nil {
		t.Errorf("waits %v, error %v; expected a minute, as after a burst", wait, err)
	}
}

// However many ask at the same time, by whatever process, a burst is a burst.
func TestRatesTogether(t *testing.T) {
	client := start(t)
	var group sync.WaitGroup
	var passed atomic.Int32
	for range 4 { // as many processes
		store := redis.NewRates(client, "")
		for range 10 {
			group.Go(func() {
				if wait, err := store.Take(t.Context(), "k", time.Hour, 7); err != nil {
					t.Error(err)
				} else if wait == 0 {
					passed.Add(1)
				}
			})
		}
	}
	if group.Wait(); passed.Load() != 7 {
		t.Errorf("%d requests have passed, expected a burst of 7", passed.Load())
	}
}

// When nobody answers, requests pass, and the log says why.
func TestRatesServerGone(t *testing.T) {
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: filepath.Join(t.TempDir(), "nobody"), MaxRetries: -1})
	defer client.Close()
	m := middleware.RateLimit(middleware.RateLimitConfig{Store: redis.NewRates(client, ""), Burst: 1})
	for range 2 {
		req := wsgitest.NewRequest("GET", "/")
		req.ExpectErrors = true
		res := wsgitest.Do(t, m(wsgi.Response{Status: "200 OK"}), req)
		if res.Code != 200 || !strings.HasPrefix(res.Errors, "middleware: RateLimit: redis: counting a request: ") {
			t.Errorf("got %s, log %q", res.Status, res.Errors)
		}
	}
}

func TestRatesWithoutClient(t *testing.T) {
	defer func() {
		if v := recover(); v != "redis: NewRates: the client is nil" {
			t.Errorf("recovered %v", v)
		}
	}()
	redis.NewRates(nil, "")
}

// All processes of the site count together.
func ExampleNewRates() {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:6379"})
	defer client.Close()
	limit := middleware.RateLimit(middleware.RateLimitConfig{Every: time.Second, Burst: 20, Store: redis.NewRates(client, "shop:rate:")})
	_ = limit(wsgi.Response{Status: "200 OK", Body: wsgi.Strings("welcome")})
}
