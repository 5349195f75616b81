package middleware_test

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestRequestID(t *testing.T) {
	minted := func() string { return "new" }
	tests := []struct {
		name, sent, want string
		config           middleware.RequestIDConfig
	}{
		{"none", "", "new", middleware.RequestIDConfig{}},
		{"kept", "a-B.9_~+/=:", "a-B.9_~+/=:", middleware.RequestIDConfig{}},
		{"the longest", strings.Repeat("x", 128), strings.Repeat("x", 128), middleware.RequestIDConfig{}},
		{"chi: too long", strings.Repeat("x", 129), "new", middleware.RequestIDConfig{}},
		{"chi: 5000 bytes", strings.Repeat("x", 5000), "new", middleware.RequestIDConfig{}},
		{"chi: blanks", "a b", "new", middleware.RequestIDConfig{}},
		{"chi: angle brackets", "<script>", "new", middleware.RequestIDConfig{}},
		{"bytes", "caf\xc3\xa9", "new", middleware.RequestIDConfig{}},
		{"quotes", `a"b`, "new", middleware.RequestIDConfig{}},
		{"ignored", "mine", "new", middleware.RequestIDConfig{Ignore: true}},
		{"another header", "mine", "new", middleware.RequestIDConfig{Header: "X-Trace"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.New = minted
			header := tt.config.Header
			if header == "" {
				header = "X-Request-ID"
			}
			variable := "HTTP_" + strings.ToUpper(strings.ReplaceAll(header, "-", "_"))
			req := &wsgitest.Request{}
			if tt.sent != "" {
				req.With("X-Request-ID", tt.sent)
			}
			app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", headers(header, "the application's"), nil)
				return wsgi.Strings(middleware.RequestIDOf(environ.Context()) + " " + environ.Var(variable) + " " + environ.Var("gowsgi.request_id")), err
			})
			res := wsgitest.Do(t, middleware.RequestID(tt.config)(app), req)
			if want := tt.want + " " + tt.want + " " + tt.want; res.Text() != want {
				t.Errorf("the application sees %q, expected %q", res.Text(), want)
			}
			if got := res.Headers.Values(header); len(got) != 1 || got[0] != tt.want {
				t.Errorf("the response has %q, expected %q once", got, tt.want)
			}
			if got := res.Environ.Var("HTTP_X_REQUEST_ID"); got != tt.sent {
				t.Errorf("the environ of whoever called has %q, expected %q", got, tt.sent)
			}
		})
	}
	t.Run("two lines", func(t *testing.T) {
		req := wsgitest.NewRequest("GET", "/").With("X-Request-ID", "a").With("X-Request-ID", "b")
		res := wsgitest.Do(t, middleware.RequestID(middleware.RequestIDConfig{New: minted})(text("")), req)
		if got := res.Headers.Get("X-Request-ID"); got != "new" {
			t.Errorf("got %q, expected a new id", got)
		}
	})
	t.Run("new ids", func(t *testing.T) {
		seen := map[string]bool{}
		for range 100 {
			id := wsgitest.Do(t, middleware.RequestID(middleware.RequestIDConfig{})(text("")), &wsgitest.Request{}).Headers.Get("X-Request-ID")
			if len(id) < 22 || seen[id] {
				t.Errorf("got the id %q, expected one of 128 bits that is new", id)
			}
			seen[id] = true
		}
	})
	panics(t, func() { middleware.RequestID(middleware.RequestIDConfig{Header: "X Request"}) }, "RequestID", `"X Request"`)
	panics(t, func() { middleware.RequestID(middleware.RequestIDConfig{Header: "Connection"}) }, "RequestID", `"Connection"`)
	keeps(t, middleware.RequestID(middleware.RequestIDConfig{}))
}
