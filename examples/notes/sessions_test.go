package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/middleware/session"
)

func openStore(t *testing.T, name string) *Store {
	t.Helper()
	store, err := OpenStore(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// The store does what session.Memory does.
func TestSessions(t *testing.T) {
	database := openStore(t, filepath.Join(t.TempDir(), "notes.db"))
	for name, store := range map[string]session.Store{"database": database.Sessions(), "memory": new(session.Memory)} {
		t.Run(name, func(t *testing.T) {
			ctx, later := t.Context(), time.Now().Add(time.Minute)
			one, other := []byte("\x00one\r\n\xff"), []byte("another")
			save := func(key string, old, data []byte, expires time.Time, want error) {
				t.Helper()
				if err := store.Save(ctx, key, old, data, expires); err != want {
					t.Errorf("saving %q over %q: got %v, expected %v", data, old, err, want)
				}
			}
			load := func(key string, want []byte) {
				t.Helper()
				data, err := store.Load(ctx, key)
				if !bytes.Equal(data, want) || (err == session.ErrNotFound) != (want == nil) || want != nil && err != nil {
					t.Errorf("loading %s: got %q, %v, expected %q", key, data, err, want)
				}
			}
			load("a", nil)
			save("a", one, other, later, session.ErrConflict)
			save("a", nil, one, later, nil)
			load("a", one)
			save("a", nil, other, later, session.ErrConflict)
			save("a", other, one, later, session.ErrConflict)
			load("a", one)
			save("a", one, other, later, nil)
			load("a", other)
			load("b", nil)
			save("a", one, one, time.Time{}, session.ErrConflict)
			load("a", other)
			save("a", other, one, time.Time{}, nil) // forgets it
			load("a", nil)
			save("a", nil, one, time.Time{}, nil) // has ended when it begins
			load("a", nil)
			save("a", nil, one, later, nil)
			for range 2 {
				if err := store.Delete(ctx, "a"); err != nil {
					t.Error(err)
				}
			}
			load("a", nil)
		})
	}
	t.Run("what has ended", func(t *testing.T) {
		store := database.Sessions()
		count := func() (n int) {
			if err := database.db.QueryRow("select count(*) from sessions").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := count()
		for _, key := range []string{"x", "y"} {
			if err := store.Save(t.Context(), key, nil, []byte(key), time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := database.db.Exec("update sessions set expires = ? where key in ('x', 'y')", time.Now().Add(-time.Second).UnixMilli()); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Load(t.Context(), "x"); err != session.ErrNotFound {
			t.Errorf("loading it: %v", err)
		}
		if err := store.Save(t.Context(), "x", []byte("x"), []byte("z"), time.Now().Add(time.Minute)); err != session.ErrConflict {
			t.Errorf("saving over it: %v", err)
		}
		if err := store.Save(t.Context(), "x", nil, []byte("z"), time.Now().Add(time.Minute)); err != nil {
			t.Errorf("saving in its place: %v", err)
		}
		if n := count() - before; n != 1 {
			t.Errorf("%d sessions are kept, expected the one that lasts", n)
		}
	})
	t.Run("one of many wins", func(t *testing.T) {
		var group sync.WaitGroup
		var won atomic.Int32
		for i := range 10 {
			group.Go(func() {
				err := database.Sessions().Save(t.Context(), "k", nil, fmt.Append(nil, i), time.Now().Add(time.Minute))
				if err == nil {
					won.Add(1)
				} else if !errors.Is(err, session.ErrConflict) {
					t.Error(err)
				}
			})
		}
		if group.Wait(); won.Load() != 1 {
			t.Errorf("%d have won", won.Load())
		}
	})
}

// Whoever has logged in is logged in still when the site is started anew.
func TestRestart(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notes.db")
	first := openStore(t, name)
	ada := signUp(t, NewSite(first, Options{Log: new(bytes.Buffer)}), "Ada")
	shows(t, ada.PostForm("/new", map[string][]string{"title": {"before"}}), 200, "before")
	first.Close()
	ada.App = NewSite(openStore(t, name), Options{Log: new(bytes.Buffer)})
	shows(t, ada.Get("/"), 200, "before", "Ada")
}
