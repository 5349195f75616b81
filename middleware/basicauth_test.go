package middleware_test

import (
	"encoding/base64"
	"testing"

	"github.com/gowsgi/gowsgi/internal/sandwich"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestBasicAuth(t *testing.T) {
	type config = middleware.BasicAuthConfig
	users := map[string]string{"ada": "pass:word", "g\u00fcnter": "\u00fcber", "empty": "", "g\xfcnter": "x", "ada\n": "pass:word"}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	tests := []struct {
		name, sent string
		user       string // "" for a refusal
	}{
		{"none", "", ""},
		{"right, with a colon in the password", "Basic " + encode("ada:pass:word"), "ada"},
		{"the scheme in any case", "bAsIc " + encode("ada:pass:word"), "ada"},
		{"UTF-8", "Basic " + encode("g\u00fcnter:\u00fcber"), "g\u00fcnter"},
		{"empty password", "Basic " + encode("empty:"), "empty"},
		{"wrong password", "Basic " + encode("ada:pass"), ""},
		{"longer password", "Basic " + encode("ada:pass:word:"), ""},
		{"no password", "Basic " + encode("ada"), ""},
		{"unknown user", "Basic " + encode("eve:pass:word"), ""},
		{"unknown user, empty password", "Basic " + encode("eve:"), ""},
		{"another scheme", "Bearer " + encode("ada:pass:word"), ""},
		{"no scheme", encode("ada:pass:word"), ""},
		{"no base64", "Basic ada:pass:word", ""},
		{"not UTF-8", "Basic " + encode("g\xfcnter:x"), ""},
		{"control characters", "Basic " + encode("ada\n:pass:word"), ""},
		{"two headers", "Basic " + encode("ada:pass:word") + ", Basic x", ""},
	}
	m := middleware.BasicAuth(config{Users: users, Realm: `the "shop" \`})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wsgitest.Request{Extra: map[string]any{"REMOTE_USER": "root", "AUTH_TYPE": "Front"}}
			if tt.sent != "" {
				req.With("Authorization", tt.sent)
			}
			app, want, status := fails(t), "Unauthorized\n", 401
			if tt.user != "" {
				app = vars("REMOTE_USER", "AUTH_TYPE", "HTTP_AUTHORIZATION")
				want, status = "REMOTE_USER="+tt.user+"\nAUTH_TYPE=Basic\nHTTP_AUTHORIZATION=absent", 200
			}
			res := wsgitest.Do(t, m(app), req)
			if res.Code != status || res.Text() != want {
				t.Errorf("got %s %q, expected %d %q", res.Status, res.Text(), status, want)
			}
			challenge := res.Headers.Get("WWW-Authenticate")
			if expected := `Basic realm="the \"shop\" \\", charset="UTF-8"`; status == 401 && challenge != expected {
				t.Errorf("the challenge is %s, expected %s", challenge, expected)
			}
		})
	}
	t.Run("nobody by default", func(t *testing.T) {
		for _, sent := range []string{":", "ada:", "root:root"} {
			req := wsgitest.NewRequest("GET", "/").With("Authorization", "Basic "+encode(sent))
			if res := wsgitest.Do(t, middleware.BasicAuth(config{})(fails(t)), req); res.Code != 401 {
				t.Errorf("%q: got %s", sent, res.Status)
			}
		}
	})
	t.Run("Verify", func(t *testing.T) {
		m := middleware.BasicAuth(config{Users: users, Verify: func(environ *wsgi.Environ, user, password string) bool {
			return environ.Var("PATH_INFO") == "/" && user == "u" && password == "p"
		}})
		for sent, want := range map[string]int{"u:p": 200, "ada:pass:word": 401} {
			user, password := sent[:1], sent[2:]
			if res := wsgitest.Do(t, m(text("")), wsgitest.NewRequest("GET", "/").BasicAuth(user, password)); res.Code != want {
				t.Errorf("%s: got %s", sent, res.Status)
			}
		}
	})
	t.Run("the log outside knows the user", func(t *testing.T) {
		m := middleware.Chain(middleware.Timeout(1<<40), middleware.BasicAuth(config{Users: users}))
		if got := logged(t, "%u", m(text("")), wsgitest.NewRequest("GET", "/").BasicAuth("ada", "pass:word")); got != "ada" {
			t.Errorf("got %q", got)
		}
		if got := logged(t, "%u", m(text("")), wsgitest.NewRequest("GET", "/").BasicAuth("ada", "wrong")); got != "-" {
			t.Errorf("a user who was refused is logged: %q", got)
		}
	})
	t.Run("the map is copied", func(t *testing.T) {
		users := map[string]string{"u": "p"}
		m := middleware.BasicAuth(config{Users: users})
		delete(users, "u")
		if res := wsgitest.Do(t, m(text("")), wsgitest.NewRequest("GET", "/").BasicAuth("u", "p")); res.Code != 200 {
			t.Errorf("got %s", res.Status)
		}
	})
	panics(t, func() { middleware.BasicAuth(config{Users: map[string]string{"a:b": ""}}) }, "BasicAuth", `"a:b"`)
	panics(t, func() { middleware.BasicAuth(config{Realm: "a\r\nb"}) }, "BasicAuth", "Realm")
	keeps(t, middleware.Chain(
		middleware.SetEnv(map[string]any{"HTTP_AUTHORIZATION": "Basic " + encode("empty:")}), middleware.BasicAuth(config{Users: users})))
	keeps2 := middleware.BasicAuth(config{})
	t.Run("refusals", func(t *testing.T) { sandwich.Sandwich(t, keeps2) })
}
