package session_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" // of base64

var key = bytes.Repeat([]byte("k"), 32)

func TestContract(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) { conformance.TestMiddleware(t, session.New(config)) })
}

// The session is for the application inside: whoever called has the environ as
// it was.
func TestEnvironOutside(t *testing.T) {
	environ := wsgitest.NewRequest("GET", "/get").Environ()
	body, err := session.New(session.Config{Keys: [][]byte{key}})(site).Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	if _, err := session.From(environ); !errors.Is(err, session.ErrNone) || environ.Altered() {
		t.Errorf("the error outside is %v, altered %v", err, environ.Altered())
	}
}

func TestSession(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) {
		b := visit(t, config)
		if res := b.get("/logout"); res.Headers.Has("Set-Cookie") {
			t.Errorf("who has no cookie is to forget it: %v", res.Headers)
		}
		if res := b.get("/"); res.Headers.Has("Vary") || res.Headers.Has("Cache-Control") || res.Headers.Has("Set-Cookie") {
			t.Errorf("a request without session has %v", res.Headers)
		}
		res := b.get("/get")
		if res.Headers.Get("Vary") != "Cookie" || res.Headers.Get("Cache-Control") != "private" || res.Headers.Has("Set-Cookie") {
			t.Errorf("a request that only reads has %v", res.Headers)
		}
		res = b.get("/set?one")
		set := res.Headers.Get("Set-Cookie")
		if want := "; Path=/; HttpOnly; Secure; SameSite=Lax"; !strings.HasPrefix(set, "__Host-session=") || !strings.HasSuffix(set, want) || strings.Count(set, ";") != 4 {
			t.Errorf("Set-Cookie is %q", set)
		}
		if strings.Contains(set, "one") || strings.Contains(set, base64.RawURLEncoding.EncodeToString([]byte("one"))) {
			t.Errorf("the cookie tells the value: %q", set)
		}
		b.expect("/get", "one|")
		for _, target := range []string{"/get", "/set?one", "/flashes"} {
			if res := b.get(target); res.Headers.Has("Set-Cookie") {
				t.Errorf("%s changes nothing, and has %v", target, res.Headers)
			}
		}
		b.get("/flash?first")
		b.get("/flash?second")
		b.expect("/flashes", "first,second")
		b.expect("/flashes", "")
		b.get("/login?ada")
		b.expect("/get", "one|ada")
		b.get("/delete")
		b.expect("/get", "|ada")
		res = b.get("/logout")
		if want := "__Host-session=; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"; res.Headers.Get("Set-Cookie") != want {
			t.Errorf("Set-Cookie is %q, expected %q", res.Headers.Get("Set-Cookie"), want)
		}
		b.expect("/get", "|")
	})
}

func TestExpiry(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) {
		store := config.Store != nil
		synctest.Test(t, func(t *testing.T) {
			config.Idle, config.Lifetime = time.Hour, 3*time.Hour
			b := visit(t, config)
			b.quiet = false
			b.get("/set?one")
			first := b.cookie
			time.Sleep(59 * time.Minute)
			res := b.get("/get") // which is a use
			if res.Text() != "one|" || res.Headers.Has("Set-Cookie") == store {
				t.Errorf("after 59 minutes: got %q, %v", res.Text(), res.Headers)
			}
			time.Sleep(59 * time.Minute)
			b.expect("/get", "one|")
			if !store {
				stale := *b
				stale.cookie = first // a cookie cannot learn of its use
				stale.expect("/get", "|")
			}
			time.Sleep(59 * time.Minute)
			b.expect("/get", "one|")
			time.Sleep(4 * time.Minute)
			b.expect("/get", "|") // the lifetime is over
			b.get("/set?two")
			time.Sleep(time.Hour)
			b.expect("/get", "|")
		})
	})
}

// What comes after start_response is refused, not lost in silence.
func TestLate(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) {
		app := session.New(config)(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			s, err := session.From(environ)
			if err != nil {
				return nil, err
			}
			s.Set("a", "b")
			if _, err := start("200 OK", nil, nil); err != nil {
				return nil, err
			}
			_, flashes := s.Flashes()
			for i, err := range []error{s.Set("c", "d"), s.Delete("a"), s.AddFlash("x"), s.Renew(), s.Destroy(), flashes} {
				if err != session.ErrLate {
					t.Errorf("change %d: got %v", i, err)
				}
			}
			_, err = start("503 Later", nil, errors.New("a failure")) // the cookie is in this head too
			return wsgi.Strings(s.Get("a") + s.Get("c")), err
		}))
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/"))
		if res.Code != 503 || res.Text() != "b" || len(res.Headers.Values("Set-Cookie")) != 1 {
			t.Errorf("got %s %q %v", res.Status, res.Text(), res.Headers)
		}
	})
	late := session.New(session.Config{Keys: [][]byte{key}})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", nil, nil); err != nil {
			return nil, err
		}
		_, err := session.From(environ)
		return wsgi.Strings(fmt.Sprint(err == session.ErrLate)), nil
	}))
	if res := wsgitest.Do(t, late, wsgitest.NewRequest("GET", "/")); res.Text() != "true" {
		t.Errorf("From after start_response: %s", res.Text())
	}
	if _, err := session.From(wsgitest.NewRequest("GET", "/").Environ()); err != session.ErrNone {
		t.Errorf("without middleware: %v", err)
	}
}

func TestLive(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) {
		for protocol, s := range sandwich.Servers(session.New(config)(site)) {
			send := sandwich.Through(t, protocol, s)
			cookie, _, _ := strings.Cut(send(wsgitest.NewRequest("GET", "/login?ada")).Headers.Get("Set-Cookie"), ";")
			res := send(wsgitest.NewRequest("GET", "/get").With("Cookie", "a=b").With("Cookie", cookie))
			if res.Text() != "|ada" || res.Headers.Get("Vary") != "Cookie" {
				t.Errorf("%s: got %q %v", protocol, res.Text(), res.Headers)
			}
		}
	})
}
