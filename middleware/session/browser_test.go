package session_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

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
