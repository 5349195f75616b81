package session_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Requests of one session at the same time: each change counts.
func TestConcurrent(t *testing.T) {
	store := new(session.Memory)
	b := visit(t, session.Config{Store: store})
	b.get("/set?one")
	var ready, done sync.WaitGroup
	const requests = 10
	ready.Add(requests)
	app := session.New(session.Config{Store: store})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return does(func(s *session.Session) (string, error) {
			ready.Done()
			ready.Wait() // all have read the session
			query := environ.Var("QUERY_STRING")
			return "", errors.Join(s.Set("k"+query, query), s.AddFlash(query))
		}).Call(environ, start)
	}))
	for i := range requests {
		done.Go(func() {
			res := wsgitest.Record(app, wsgitest.NewRequest("GET", fmt.Sprint("/?", i)).Cookie("__Host-session", b.cookie))
			if res.Code != 200 {
				t.Errorf("got %s: %v", res.Status, res.Fault)
			}
		})
	}
	done.Wait()
	check := session.New(session.Config{Store: store})(does(func(s *session.Session) (string, error) {
		for i := range requests {
			if got := s.Get(fmt.Sprint("k", i)); got != fmt.Sprint(i) {
				t.Errorf("k%d is %q", i, got)
			}
		}
		texts, err := s.Flashes()
		if len(texts) != requests || s.Get("v") != "one" {
			t.Errorf("flashes are %q, v is %q", texts, s.Get("v"))
		}
		return "", err
	}))
	wsgitest.Do(t, check, wsgitest.NewRequest("GET", "/").Cookie("__Host-session", b.cookie))
}

// A request that still runs when the visitor logs out does not bring the session
// back, under its id or another.
func TestLogoutIsFinal(t *testing.T) {
	for _, renew := range []bool{false, true} {
		t.Run(fmt.Sprint("renew ", renew), func(t *testing.T) {
			store := new(session.Memory)
			b := visit(t, session.Config{Store: store})
			b.get("/login?ada")
			cookie := b.cookie
			app := session.New(session.Config{Store: store})(does(func(s *session.Session) (string, error) {
				b.get("/logout")
				if renew {
					s.Renew()
				}
				return "", s.Set("v", "too late")
			}))
			req := wsgitest.NewRequest("GET", "/").Cookie("__Host-session", cookie)
			req.ExpectErrors = true
			res := wsgitest.Do(t, app, req)
			if res.Code != 200 || res.Headers.Has("Set-Cookie") || store.Len() != 0 || !strings.Contains(res.Errors, "has ended meanwhile") {
				t.Errorf("got %s %v, %d sessions are kept, report %q", res.Status, res.Headers, store.Len(), res.Errors)
			}
		})
	}
}

// What a visitor was shown once is not shown again, and what came meanwhile is, where
// both happen at the same time.
func TestFlashesMeanwhile(t *testing.T) {
	store := new(session.Memory)
	b := visit(t, session.Config{Store: store})
	b.get("/flash?old")
	app := session.New(session.Config{Store: store})(does(func(s *session.Session) (string, error) {
		texts, err := s.Flashes()
		b.get("/flash?new")
		return strings.Join(texts, ","), errors.Join(err, s.AddFlash("own"))
	}))
	if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/").Cookie("__Host-session", b.cookie)); res.Text() != "old" {
		t.Errorf("got %s %q", res.Status, res.Text())
	}
	b.expect("/flashes", "new,own")
}

// The lifetime of a session begins anew with Renew, also where another request has
// changed the session meanwhile.
func TestRenewMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := session.Config{Store: new(session.Memory), Idle: 3 * time.Hour, Lifetime: 3 * time.Hour}
		b := visit(t, config)
		b.get("/set?one")
		time.Sleep(2 * time.Hour)
		app := session.New(config)(does(func(s *session.Session) (string, error) {
			b.get("/set?two")
			return "", s.Renew()
		}))
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/").Cookie("__Host-session", b.cookie))
		pair, _, _ := strings.Cut(res.Headers.Get("Set-Cookie"), ";")
		_, b.cookie, _ = strings.Cut(pair, "=")
		time.Sleep(2 * time.Hour)
		b.expect("/get", "two|")
	})
}

// failing is a store that is out of order.
type failing struct{ session.Memory }

var errStore = errors.New("the store does not answer")

func (*failing) Load(context.Context, string) ([]byte, error) { return nil, errStore }
func (*failing) Save(context.Context, string, []byte, []byte, time.Time) error {
	return errStore
}

// Nobody is logged out by a store that fails, nor told why.
func TestStoreFails(t *testing.T) {
	b := visit(t, session.Config{Store: new(failing)})
	b.quiet = false
	for _, cookie := range []string{"", base64.RawURLEncoding.EncodeToString(make([]byte, 32))} {
		b.cookie = cookie
		res := b.get("/set?x")
		if res.Code != 500 || !errors.Is(res.Fault, errStore) || res.Headers.Has("Set-Cookie") || strings.Contains(res.Text(), "answer") {
			t.Errorf("got %s %q, %v", res.Status, res.Text(), res.Fault)
		}
	}
}

func TestMemory(t *testing.T) {
	now := time.Unix(1e9, 0)
	m := &session.Memory{MaxBytes: 3 * (256 + 10), Now: func() time.Time { return now }}
	ctx := t.Context()
	save := func(key string, old, data []byte, want error) {
		t.Helper()
		if err := m.Save(ctx, key, old, data, now.Add(time.Minute)); err != want {
			t.Errorf("saving %s: got %v, expected %v", key, err, want)
		}
	}
	load := func(key, want string) {
		t.Helper()
		if data, err := m.Load(ctx, key); string(data) != want || (err == nil) != (want != "") || err != nil && err != session.ErrNotFound {
			t.Errorf("loading %s: got %q, %v", key, data, err)
		}
	}
	save("a", nil, []byte("1"), nil)
	save("a", nil, []byte("2"), session.ErrConflict)
	save("a", []byte("x"), []byte("2"), session.ErrConflict)
	save("b", []byte("x"), []byte("2"), session.ErrConflict)
	save("a", []byte("1"), []byte("2"), nil)
	load("a", "2")
	save("b", nil, []byte("b"), nil)
	save("c", nil, []byte("c"), nil)
	load("a", "2") // so that b is the oldest
	save("d", nil, []byte("d"), nil)
	load("b", "")
	load("a", "2")
	if m.Len() != 3 {
		t.Errorf("%d sessions are kept, expected 3", m.Len())
	}
	if err := m.Save(ctx, "c", []byte("c"), []byte("c"), now); err != nil || m.Len() != 2 {
		t.Errorf("saved until now: got %v and %d sessions, expected that it is forgotten at once", err, m.Len())
	}
	if err := m.Delete(ctx, "a"); err != nil {
		t.Error(err)
	}
	load("a", "")
	now = now.Add(time.Minute)
	load("c", "")
	save("d", []byte("d"), []byte("e"), session.ErrConflict)
	save("d", nil, []byte("e"), nil)
	load("d", "e")
}
