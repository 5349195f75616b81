package session_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" // of base64

var key = bytes.Repeat([]byte("k"), 32)

// both runs a test with sessions in cookies and with sessions in a store.
func both(t *testing.T, test func(t *testing.T, config session.Config)) {
	t.Run("cookie", func(t *testing.T) { test(t, session.Config{Keys: [][]byte{key}}) })
	t.Run("store", func(t *testing.T) { test(t, session.Config{Store: new(session.Memory)}) })
}

// does is an application that does something with the session.
func does(do func(s *session.Session) (string, error), headers ...wsgi.Header) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		s, err := session.From(environ)
		if err != nil {
			return nil, err
		}
		text, err := do(s)
		if err != nil {
			return nil, err
		}
		_, err = start("200 OK", headers, nil)
		return wsgi.Strings(text), err
	})
}

// site is an application whose paths are what tests do with a session.
var site = wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	query := environ.Var("QUERY_STRING")
	var do func(s *session.Session) (string, error)
	switch environ.Var("PATH_INFO") {
	case "/set":
		do = func(s *session.Session) (string, error) { return "", s.Set("v", query) }
	case "/login":
		do = func(s *session.Session) (string, error) { return "", errors.Join(s.Renew(), s.Set("user", query)) }
	case "/logout":
		do = func(s *session.Session) (string, error) { return "", s.Destroy() }
	case "/delete":
		do = func(s *session.Session) (string, error) { return "", s.Delete("v") }
	case "/flash":
		do = func(s *session.Session) (string, error) { return "", s.AddFlash(query) }
	case "/flashes":
		do = func(s *session.Session) (string, error) {
			texts, err := s.Flashes()
			return strings.Join(texts, ","), err
		}
	case "/get":
		do = func(s *session.Session) (string, error) { return s.Get("v") + "|" + s.Get("user"), nil }
	default:
		return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("untouched")}.Call(environ, start)
	}
	return does(do).Call(environ, start)
})

// browser keeps the one cookie.
type browser struct {
	t      *testing.T
	app    wsgi.Application
	name   string
	cookie string
	quiet  bool // nothing may be refused
}

func visit(t *testing.T, config session.Config) *browser {
	l := conformance.NewLinter(t)
	b := &browser{t: t, app: l.Lint(session.New(config)(l.Lint(site))), name: "__Host-session", quiet: true}
	if config.Name != "" {
		b.name = config.Name
	}
	return b
}

func (b *browser) get(target string) *wsgitest.Response {
	b.t.Helper()
	req := wsgitest.NewRequest("GET", target)
	if b.cookie != "" {
		req.Cookie(b.name, b.cookie)
	}
	req.ExpectErrors = !b.quiet
	res := wsgitest.Do(b.t, b.app, req)
	if set := res.Headers.Get("Set-Cookie"); set != "" {
		pair, _, _ := strings.Cut(set, ";")
		_, b.cookie, _ = strings.Cut(pair, "=")
	}
	return res
}

func (b *browser) expect(target, want string) {
	b.t.Helper()
	if res := b.get(target); res.Text() != want {
		b.t.Errorf("%s: got %s %q, expected %q", target, res.Status, res.Text(), want)
	}
}

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

func TestConfigPanics(t *testing.T) {
	keys, store := [][]byte{key}, new(session.Memory)
	for _, tt := range []struct {
		config session.Config
		want   string
	}{
		{session.Config{}, "either Config.Keys or Config.Store"},
		{session.Config{Keys: keys, Store: store}, "either Config.Keys or Config.Store"},
		{session.Config{Keys: [][]byte{key, key[:31]}}, "Config.Keys[1] has 31 bytes"},
		{session.Config{Store: store, Name: "a b"}, `Config.Name is "a b"`},
		{session.Config{Store: store, Name: "a\r\n"}, "Config.Name is"},
		{session.Config{Store: store, Name: "__Host-x", Domain: "a.example"}, "no such prefix"},
		{session.Config{Store: store, Name: "__host-x", Insecure: true}, "no such prefix"},
		{session.Config{Store: store, Name: "__Secure-x", Insecure: true}, "no such prefix"},
		{session.Config{Store: store, SameSite: "lax"}, `Config.SameSite is "lax"`},
		{session.Config{Store: store, SameSite: "None", Insecure: true}, "Config.SameSite is None with Insecure"},
		{session.Config{Store: store, Domain: "a; Path=/x"}, "Config.Domain is"},
		{session.Config{Store: store, Idle: -1}, "no negative time"},
		{session.Config{Keys: keys, Name: strings.Repeat("a", 3900)}, "leave no room"},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.HasPrefix(got, "session: ") || !strings.Contains(got, tt.want) {
					t.Errorf("panic with %q, expected a text with %q", got, tt.want)
				}
			}()
			session.New(tt.config)
		}()
	}
}

func TestAttributes(t *testing.T) {
	for want, config := range map[string]session.Config{
		"session=ID; Path=/; HttpOnly; SameSite=Strict; Max-Age=86400":               {Insecure: true, SameSite: "Strict", Persistent: true},
		"session=ID; Path=/; HttpOnly; Secure; SameSite=None; Domain=shop.example":   {Domain: "shop.example", SameSite: "None"},
		"__Secure-id=ID; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=3600":       {Name: "__Secure-id", Persistent: true, Lifetime: time.Hour},
		"__Host-session=ID; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=1209600": {Persistent: true, Idle: 14 * 24 * time.Hour, Lifetime: 28 * 24 * time.Hour},
	} {
		config.Store = new(session.Memory)
		b := visit(t, config)
		set := b.get("/set?x").Headers.Get("Set-Cookie")
		if got := strings.Replace(set, b.cookie, "ID", 1); got != want {
			t.Errorf("got %q, expected %q", got, want)
		}
	}
}

func TestLive(t *testing.T) {
	both(t, func(t *testing.T, config session.Config) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &server.Server{App: session.New(config)(site), Errors: io.Discard}
		done := make(chan error, 1)
		go func() { done <- s.Serve(l) }()
		defer func() { s.Close(); <-done }()
		send := wsgitest.Live("tcp", l.Addr().String())
		cookie, _, _ := strings.Cut(send(wsgitest.NewRequest("GET", "/login?ada")).Headers.Get("Set-Cookie"), ";")
		res := send(wsgitest.NewRequest("GET", "/get").With("Cookie", "a=b").With("Cookie", cookie))
		if res.Text() != "|ada" || res.Headers.Get("Vary") != "Cookie" {
			t.Errorf("got %q %v", res.Text(), res.Headers)
		}
	})
}
