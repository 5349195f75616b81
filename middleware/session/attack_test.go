package session_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Headers that the application has set stay, but for what gives a response of
// one visitor to others.
func TestPrivate(t *testing.T) {
	for cache, want := range map[string]string{
		"": "private", "no-store": "no-store", "public, max-age=60": "private, max-age=60", "s-maxage=5": "private",
		"private": "private", "no-cache": "private, no-cache", "Public": "private", "private, no-store": "private, no-store",
	} {
		headers := wsgi.Headers{{Name: "Vary", Value: "Accept, cookie"}, {Name: "Set-Cookie", Value: "own=1"}}
		if cache != "" {
			headers.Add("Cache-Control", cache)
		}
		app := session.New(session.Config{Keys: [][]byte{key}})(does(func(s *session.Session) (string, error) { return "", s.Set("a", "b") }, headers...))
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/"))
		if got := strings.Join(res.Headers.Values("Cache-Control"), "+"); got != want {
			t.Errorf("%q became %q, expected %q", cache, got, want)
		}
		if n := len(res.Headers.Values("Set-Cookie")); n != 2 || len(res.Headers.Values("Vary")) != 1 {
			t.Errorf("headers are %v", res.Headers)
		}
	}
}

// A cookie that the server has not made, or not for this, is no session.
func TestRefused(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) {
		b := visit(t, config)
		b.get("/login?eve")
		eves := b.cookie
		b.cookie = ""
		b.get("/login?ada")
		good := b.cookie
		b.quiet = false
		flip := func(i int) string {
			c := []byte(good)
			if c[i] = 'A'; good[i] == 'A' {
				c[i] = 'B'
			}
			return string(c)
		}
		for name, value := range map[string]string{
			"first byte": flip(0), "middle": flip(len(good) / 2), "near the end": flip(len(good) - 3), "cut": good[:len(good)-4], "half": good[:len(good)/2],
			"one letter": "A", "longer": good + "AAAA", "padding": good + "=", "twice": good + good, "no base64": "!!!!", "huge": strings.Repeat("A", 100_000),
			"other spelling of the last letter": good[:len(good)-1] + string(alphabet[strings.IndexByte(alphabet, good[len(good)-1])^1]), "blank": good[:3] + " " + good[4:], "chosen by the client": base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte("i"), 32)),
			"another's before it": eves + "; __Host-session=" + good, "another's after it": good + "; __Host-session=" + eves,
			"two": good + "; __Host-session=" + flip(0),
		} {
			t.Run(name, func(t *testing.T) {
				b.t = t
				b.cookie = value
				res := b.get("/get")
				if res.Text() != "|" || res.Headers.Has("Set-Cookie") || !strings.HasPrefix(res.Errors, "session: the cookie __Host-session is refused: ") || strings.Contains(res.Errors, good[:10]) {
					t.Errorf("got %q, %v, report %q", res.Text(), res.Headers, res.Errors)
				}
				b.cookie = value
				b.get("/set?x")
				if b.cookie == value || strings.HasPrefix(value, b.cookie) {
					t.Errorf("the cookie %q was adopted", value)
				}
			})
		}
		for _, name := range []string{"__host-session", "%5f%5fHost-session", "x__Host-session", "__Host-sessio"} { // CVE-2020-8184
			res := wsgitest.Do(t, b.app, wsgitest.NewRequest("GET", "/get").With("Cookie", name+"="+good))
			if res.Text() != "|" {
				t.Errorf("%q was taken for the cookie", name)
			}
		}
		if res := wsgitest.Do(t, b.app, wsgitest.NewRequest("GET", "/get").With("Cookie", `a=b; __Host-session="`+good+`"; c`)); res.Text() != "|ada" {
			t.Errorf("among others: got %q", res.Text())
		}
	})
}

// A cookie for one name, or of one site's keys, is none for another.
func TestKeys(t *testing.T) {
	other := bytes.Repeat([]byte("o"), 40)
	b := visit(t, session.Config{Keys: [][]byte{key}})
	b.get("/set?one")
	old := b.cookie
	rotated := visit(t, session.Config{Keys: [][]byte{other, key}})
	rotated.cookie = old
	res := rotated.get("/get")
	if res.Text() != "one|" || !res.Headers.Has("Set-Cookie") {
		t.Errorf("with the old key behind a new one: got %q, %v", res.Text(), res.Headers)
	}
	if res := rotated.get("/get"); res.Headers.Has("Set-Cookie") {
		t.Errorf("once more: %v", res.Headers)
	}
	only := visit(t, session.Config{Keys: [][]byte{other}})
	only.cookie = rotated.cookie
	only.expect("/get", "one|")
	only.cookie, only.quiet = old, false
	only.expect("/get", "|")
	named := visit(t, session.Config{Keys: [][]byte{key}, Name: "other"})
	named.cookie, named.quiet = old, false
	named.expect("/get", "|")
	seen := map[string]bool{}
	for range 50 {
		b.cookie = ""
		b.get("/set?one")
		seen[b.cookie[:16]] = true
	}
	if len(seen) != 50 {
		t.Errorf("50 cookies have %d nonces", len(seen))
	}
}

// With a store the id that was known before a login is worthless after it, and
// the one that was known before a logout too.
func TestFixation(t *testing.T) {
	b := visit(t, session.Config{Store: new(session.Memory)})
	b.get("/set?planted")
	planted := b.cookie
	b.get("/login?ada")
	loggedIn := b.cookie
	if planted == loggedIn {
		t.Error("the id stayed the same at the login")
	}
	b.get("/logout")
	b.quiet = false
	for _, cookie := range []string{planted, loggedIn} {
		b.cookie = cookie
		res := b.get("/get")
		if res.Text() != "|" || !strings.Contains(res.Errors, "it names no session") || res.Headers.Has("Set-Cookie") {
			t.Errorf("an old id: got %q, %v, report %q", res.Text(), res.Headers, res.Errors)
		}
	}
}

func TestTooLarge(t *testing.T) {
	for name, tt := range map[string]struct {
		config session.Config
		most   int
	}{"cookie": {session.Config{Keys: [][]byte{key}, Persistent: true}, 4096}, "store": {session.Config{Store: new(session.Memory)}, 64 << 10}} {
		t.Run(name, func(t *testing.T) {
			var header string
			app := session.New(tt.config)(does(func(s *session.Session) (string, error) {
				n := 0
				for err := error(nil); err == nil; n++ {
					err = s.Set("v", strings.Repeat("x", n*16))
					if err != nil && !errors.Is(err, session.ErrTooLarge) {
						return "", err
					}
				}
				if got := len(s.Get("v")); got != (n-2)*16 {
					t.Errorf("the value has %d bytes after one of %d was refused", got, (n-1)*16)
				}
				return "", nil
			}))
			header = wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/")).Headers.Get("Set-Cookie")
			if len(header) > 4096 || name == "cookie" && len(header) < 3900 {
				t.Errorf("Set-Cookie has %d bytes", len(header))
			}
		})
	}
}
