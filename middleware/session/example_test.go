package session_test

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/middleware/session"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// A login, and what the next request knows.
func ExampleNew() {
	sessions := session.New(session.Config{Store: new(session.Memory)})
	app := sessions(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		s, err := session.From(environ)
		if err != nil {
			return nil, err
		}
		if environ.Var("PATH_INFO") == "/login" {
			if err := s.Renew(); err != nil { // whoever knew the old id is left behind
				return nil, err
			}
			if err := s.Set("user", "Ada"); err != nil {
				return nil, err
			}
		}
		_, err = start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
		return wsgi.Strings("Hello, " + s.Get("user") + "!"), err
	}))

	res := wsgitest.Record(app, wsgitest.NewRequest("POST", "/login"))
	cookie, attributes, _ := strings.Cut(res.Headers.Get("Set-Cookie"), ";")
	fmt.Println(attributes)
	res = wsgitest.Record(app, wsgitest.NewRequest("GET", "/").With("Cookie", cookie))
	fmt.Println(res.Text(), res.Headers.Get("Vary"), res.Headers.Get("Cache-Control"))
	// Output:
	//  Path=/; HttpOnly; Secure; SameSite=Lax
	// Hello, Ada! Cookie private
}
