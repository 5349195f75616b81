package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gowsgi/gowsgi/contrib/redis"
	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// start runs a Redis server of the test's own and returns a client of it.
func start(t testing.TB) *goredis.Client {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("GOWSGI_PEERS") == "require" {
			t.Fatal("GOWSGI_PEERS=require, and there is no redis-server")
		}
		t.Skip("there is no redis-server to test with")
	}
	dir, err := os.MkdirTemp("", "redis") // short: it is the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	child := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	child.Stdout, child.Stderr = log, log
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		child.Process.Kill()
		child.Wait()
	})
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket, MaxRetries: -1})
	t.Cleanup(func() { client.Close() })
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := client.Ping(context.Background()).Err()
		if err == nil {
			return client
		}
		if time.Now().After(deadline) {
			said, _ := os.ReadFile(log.Name())
			t.Fatalf("redis-server does not answer: %v\n%s", err, said)
		}
	}
}

// The store does what session.Memory does.
func TestStore(t *testing.T) {
	stores := map[string]session.Store{"redis": redis.NewSessions(start(t), "test:"), "memory": new(session.Memory)}
	for name, store := range stores {
		t.Run(name, func(t *testing.T) {
			ctx, later := t.Context(), time.Now().Add(time.Minute)
			old := []byte("\x00old\r\n\xff")
			save := func(key string, old, data []byte, expires time.Time, want error) {
				t.Helper()
				if err := store.Save(ctx, key, old, data, expires); err != want {
					t.Errorf("saving %q over %q: got %v, expected %v", data, old, err, want)
				}
			}
			load := func(key, want string) {
				t.Helper()
				data, err := store.Load(ctx, key)
				if string(data) != want || want == "" && err != session.ErrNotFound || want != "" && err != nil {
					t.Errorf("loading %s: got %q, %v, expected %q", key, data, err, want)
				}
			}
			load("a", "")
			save("a", old, []byte("new"), later, session.ErrConflict)
			save("a", nil, old, later, nil)
			load("a", string(old))
			save("a", nil, []byte("new"), later, session.ErrConflict)
			save("a", []byte("other"), []byte("new"), later, session.ErrConflict)
			load("a", string(old))
			save("a", old, []byte("new"), later, nil)
			load("a", "new")
			load("b", "")
			save("a", []byte("other"), []byte("x"), time.Time{}, session.ErrConflict)
			load("a", "new")
			save("a", []byte("new"), []byte("x"), time.Time{}, nil) // forgets it
			load("a", "")
			save("a", nil, []byte("again"), later, nil)
			for range 2 {
				if err := store.Delete(ctx, "a"); err != nil {
					t.Error(err)
				}
			}
			load("a", "")
			save("short", nil, []byte("x"), time.Now().Add(50*time.Millisecond), nil)
			for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) { // the clock is another process's
				if _, err := store.Load(ctx, "short"); err == session.ErrNotFound {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("what has expired is still there")
				}
			}
		})
	}
}

// Keys have the prefix, and end by themselves.
func TestKeys(t *testing.T) {
	client := start(t)
	store := redis.NewSessions(client, "shop:")
	if err := store.Save(t.Context(), "key", nil, []byte("data"), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	ttl := client.PTTL(t.Context(), "shop:key").Val()
	if ttl <= 59*time.Minute || ttl > time.Hour {
		t.Errorf("the session lives for %v, expected an hour", ttl)
	}
}

// Of many that write over the same value at the same time, one does.
func TestOneWins(t *testing.T) {
	store := redis.NewSessions(start(t), "")
	later := time.Now().Add(time.Minute)
	var group sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 20 {
		group.Go(func() {
			err := store.Save(t.Context(), "k", nil, fmt.Appendf(nil, "%d", i), later)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if err != session.ErrConflict {
				t.Error(err)
			}
		})
	}
	if group.Wait(); won != 1 {
		t.Errorf("%d have won", won)
	}
}

// Sessions live through a new process of the site, and end with a logout.
func TestSessions(t *testing.T) {
	store := redis.NewSessions(start(t), "")
	site := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		s, err := session.From(environ)
		if err != nil {
			return nil, err
		}
		switch environ.Var("PATH_INFO") {
		case "/login":
			err = errors.Join(s.Renew(), s.Set("user", "ada"))
		case "/logout":
			err = s.Destroy()
		}
		if err != nil {
			return nil, err
		}
		_, err = start("200 OK", nil, nil)
		return wsgi.Strings(s.Get("user")), err
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct{ path, want string }{
		{"/", ""}, {"/login", "ada"}, {"/", "ada"}, {"/login", "ada"}, {"/", "ada"}, {"/logout", ""}, {"/", ""},
	} {
		app := session.New(session.Config{Store: store})(site) // as in a new process
		client := &wsgitest.Client{T: t, App: app, Jar: jar, Base: "https://shop.example"}
		if got := client.Get(step.path).Text(); got != step.want {
			t.Errorf("step %d, %s: got %q, expected %q", i, step.path, got, step.want)
		}
	}
}

// redisVariable tells a CGI program where the test's server listens.
const redisVariable = "GOWSGI_TEST_REDIS"

// TestMain lets the binary be a CGI program, whose sessions and counts are in that
// server.
func TestMain(m *testing.M) {
	sandwich.Main(m, func() map[string]wsgi.Middleware {
		return all(goredis.NewClient(&goredis.Options{Network: "unix", Addr: os.Getenv(redisVariable), MaxRetries: -1}))
	})
}

// all has a middleware for each store, with which the requests of the tests pass.
func all(client *goredis.Client) map[string]wsgi.Middleware {
	return map[string]wsgi.Middleware{
		"sessions": session.New(session.Config{Store: redis.NewSessions(client, "")}),
		"rates":    middleware.RateLimit(middleware.RateLimitConfig{Store: redis.NewRates(client, "rate:"), Every: time.Microsecond}),
	}
}

// With their stores a session, in use and not, and a limit keep the contract.
func TestContract(t *testing.T) {
	client := start(t)
	store := redis.NewSessions(client, "")
	uses := func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			s, err := session.From(environ)
			if err == nil && environ.Var("REQUEST_METHOD") == "POST" {
				err = s.Set("visits", "1")
			}
			if err != nil {
				return nil, err
			}
			return next.Call(environ, start)
		})
	}
	sandwich.Keeps(t, middleware.Chain(session.New(session.Config{Store: store}), uses))
	sandwich.Keeps(t, all(client)["rates"])
	for name := range all(client) { // sessions without use: each cookie is another
		t.Run("live, "+name, func(t *testing.T) { sandwich.Live(t, func() wsgi.Middleware { return all(client)[name] }) })
	}
	t.Run("cgi", func(t *testing.T) {
		sandwich.LiveCGI(t, func() map[string]wsgi.Middleware { return all(client) }, redisVariable+"="+client.Options().Addr)
	})
}

// A server that is gone is an error, and not an empty session.
func TestServerGone(t *testing.T) {
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: filepath.Join(t.TempDir(), "nobody"), MaxRetries: -1})
	defer client.Close()
	store := redis.NewSessions(client, "")
	_, err := store.Load(t.Context(), "k")
	for _, err := range []error{err, store.Save(t.Context(), "k", nil, []byte("x"), time.Now().Add(time.Hour)), store.Delete(t.Context(), "k")} {
		if err == nil || errors.Is(err, session.ErrNotFound) || errors.Is(err, session.ErrConflict) || !strings.HasPrefix(err.Error(), "redis: ") {
			t.Errorf("got %v", err)
		}
	}
}

// The server that the sessions are in is named once; every process of the site
// has the same.
func ExampleNewSessions() {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:6379"})
	defer client.Close()
	sessions := session.New(session.Config{Store: redis.NewSessions(client, "shop:session:")})

	app := sessions(wsgi.Response{Status: "204 No Content"}) // which asks for no session, so the server is not asked
	fmt.Println(wsgitest.Record(app, wsgitest.NewRequest("GET", "/")).Status)
	// Output: 204 No Content
}
