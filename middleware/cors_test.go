package middleware_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestCORS(t *testing.T) {
	type config = middleware.CORSConfig
	const origin = "https://app.example"
	one := config{Origins: []string{origin}}
	full := config{
		Origins: []string{"HTTPS://App.example:443", "https://*.wild.example", "http://[2001:db8:0::1]:8080"},
		Methods: []string{"PUT", "DELETE"}, Headers: []string{"X-Token", "Content-Type"}, Expose: []string{"X-Total", "ETag"},
		Credentials: true, MaxAge: 90 * time.Second,
	}
	any := config{Origins: []string{"*"}, Headers: []string{"*"}}
	const preVary = "vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	tests := []struct {
		name    string
		config  config
		method  string
		origin  string
		ask     string // Access-Control-Request-Method
		headers string // and -Headers
		app     []string
		status  int
		want    []string // headers of the protocol and Vary, sorted
	}{
		{"not from another origin", one, "GET", "", "", "", nil, 200, []string{"vary: Origin"}},
		{"allowed", one, "GET", origin, "", "", nil, 200, []string{"access-control-allow-origin: " + origin, "vary: Origin"}},
		{"gorilla: Vary on a refusal", one, "GET", "https://evil.example", "", "", nil, 200, []string{"vary: Origin"}},
		{"gorilla: the application's Vary stays", one, "GET", origin, "", "", []string{"Vary", "Accept-Encoding"}, 200,
			[]string{"access-control-allow-origin: " + origin, "vary: Accept-Encoding, Origin"}},
		{"Vary is there", one, "GET", origin, "", "", []string{"Vary", "Cookie", "vary", "x, origin"}, 200,
			[]string{"access-control-allow-origin: " + origin, "vary: Cookie", "vary: x, origin"}},
		{"Vary of everything", one, "GET", origin, "", "", []string{"Vary", "*"}, 200, []string{"access-control-allow-origin: " + origin, "vary: *"}},
		{"in the place of the application's", one, "GET", origin, "", "", []string{"Access-Control-Allow-Origin", "*"}, 200,
			[]string{"access-control-allow-origin: " + origin, "vary: Origin"}},
		{"everybody", any, "GET", "https://x.example", "", "", nil, 200, []string{"access-control-allow-origin: *"}},
		{"everybody, no origin", any, "GET", "", "", "", nil, 200, []string{"access-control-allow-origin: *"}},
		{"credentials and exposed headers", full, "POST", origin, "", "", nil, 200,
			[]string{"access-control-allow-credentials: true", "access-control-allow-origin: " + origin, "access-control-expose-headers: X-Total, ETag", "vary: Origin"}},
		{"below a name", full, "GET", "https://a.b.wild.example", "", "", nil, 200,
			[]string{"access-control-allow-credentials: true", "access-control-allow-origin: https://a.b.wild.example", "access-control-expose-headers: X-Total, ETag", "vary: Origin"}},
		{"v6", full, "GET", "http://[2001:db8::1]:8080", "", "", nil, 200,
			[]string{"access-control-allow-credentials: true", "access-control-allow-origin: http://[2001:db8::1]:8080", "access-control-expose-headers: X-Total, ETag", "vary: Origin"}},
		{"not the name itself", full, "GET", "https://wild.example", "", "", nil, 200, []string{"vary: Origin"}},
		{"not a name that ends alike", full, "GET", "https://evilwild.example", "", "", nil, 200, []string{"vary: Origin"}},
		{"not another site before it", full, "GET", "https://evil.test/.wild.example", "", "", nil, 200, []string{"vary: Origin"}},
		{"not by another scheme", full, "GET", "http://a.wild.example", "", "", nil, 200, []string{"vary: Origin"}},
		{"not by another port", one, "GET", origin + ":8443", "", "", nil, 200, []string{"vary: Origin"}},
		{"not null", full, "GET", "null", "", "", nil, 200, []string{"vary: Origin"}},
		{"nobody", config{}, "GET", origin, "", "", nil, 200, []string{"vary: Origin"}},
		{"OPTIONS that is no preflight", one, "OPTIONS", origin, "", "", nil, 200, []string{"access-control-allow-origin: " + origin, "vary: Origin"}},
		{"OPTIONS without an origin", one, "OPTIONS", "", "PUT", "", nil, 200, []string{"vary: Origin"}},
		{"preflight", full, "OPTIONS", origin, "PUT", "x-token,CONTENT-TYPE", nil, 204, []string{
			"access-control-allow-credentials: true", "access-control-allow-headers: x-token,CONTENT-TYPE",
			"access-control-allow-methods: GET, HEAD, POST, PUT, DELETE", "access-control-allow-origin: " + origin, "access-control-max-age: 90", preVary}},
		{"preflight, no headers", one, "OPTIONS", origin, "GET", "", nil, 204, []string{
			"access-control-allow-methods: GET, HEAD, POST", "access-control-allow-origin: " + origin, preVary}},
		{"gorilla: MaxAge as it was given", config{Origins: one.Origins, MaxAge: 24 * time.Hour}, "OPTIONS", origin, "GET", "", nil, 204, []string{
			"access-control-allow-methods: GET, HEAD, POST", "access-control-allow-origin: " + origin, "access-control-max-age: 86400", preVary}},
		{"preflight, any header", any, "OPTIONS", origin, "POST", "x-a, x-b", nil, 204, []string{
			"access-control-allow-headers: x-a, x-b", "access-control-allow-methods: GET, HEAD, POST", "access-control-allow-origin: *", preVary}},
		{"gorilla: preflight of a stranger is refused", full, "OPTIONS", "https://evil.example", "PUT", "", nil, 403, []string{preVary}},
		{"preflight of a method", one, "OPTIONS", origin, "PUT", "", nil, 403, []string{preVary}},
		{"methods have case", full, "OPTIONS", origin, "put", "", nil, 403, []string{preVary}},
		{"preflight of a header", full, "OPTIONS", origin, "PUT", "x-token, x-other", nil, 403, []string{preVary}},
		{"preflight of no header", any, "OPTIONS", origin, "POST", "x a", nil, 403, []string{preVary}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wsgitest.Request{Method: tt.method}
			for name, value := range map[string]string{"Origin": tt.origin, "Access-Control-Request-Method": tt.ask, "Access-Control-Request-Headers": tt.headers} {
				if value != "" {
					req.With(name, value)
				}
			}
			app := answer("200 OK", "", tt.app...)
			if tt.method == "OPTIONS" && tt.status != 200 {
				app = fails(t)
			}
			res := wsgitest.Do(t, middleware.CORS(tt.config)(app), req)
			var got []string
			for _, line := range ownHeaders(res.Headers) {
				if strings.HasPrefix(line, "access-control-") || strings.HasPrefix(line, "vary:") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || res.Code != tt.status {
				t.Errorf("got %s, expected %d; headers (-want +got):\n%s", res.Status, tt.status, diff)
			}
		})
	}
	for want, c := range map[string]config{
		"Credentials":                  {Origins: []string{"*"}, Credentials: true},
		`"null"`:                       {Origins: []string{"null"}},
		`"app.example"`:                {Origins: []string{"app.example"}},
		`"https://app.example/"`:       {Origins: []string{"https://app.example/"}},
		`"https://*"`:                  {Origins: []string{"https://*"}},
		`"https://a*.example"`:         {Origins: []string{"https://a*.example"}},
		`"https://*example"`:           {Origins: []string{"https://*example"}},
		`"https://*.*.example"`:        {Origins: []string{"https://*.*.example"}},
		`"GET POST"`:                   {Methods: []string{"GET POST"}},
		`Headers has "X Y"`:            {Headers: []string{"X Y"}},
		`Expose has "*"`:               {Expose: []string{"*"}},
		"MaxAge is -1s":                {MaxAge: -time.Second},
		`Origins has "https://a\nb.c"`: {Origins: []string{"https://a\nb.c"}},
	} {
		panics(t, func() { middleware.CORS(c) }, "CORS", want)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate returns %v, expected an error with %s", err, want)
		}
	}
	keeps(t, middleware.CORS(one))
}

func TestCORSSameBody(t *testing.T) {
	app, want := oneBody()
	if got := bodyOf(t, middleware.CORS(middleware.CORSConfig{})(app)); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
	shared := append(make(wsgi.Headers, 0, 8), wsgi.Header{Name: "Vary", Value: "Cookie"})
	for range 2 {
		if got := shared.Get("Vary"); got != "Cookie" {
			t.Fatalf("the application's own list has Vary %q", got)
		}
		res := wsgitest.Do(t, middleware.CORS(middleware.CORSConfig{})(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", shared, nil)
			return wsgi.Empty(), err
		})), &wsgitest.Request{})
		if got := res.Headers.Get("Vary"); got != "Cookie, Origin" {
			t.Errorf("Vary is %q", got)
		}
	}
}

// Of one CORS around another, the outer one answers first, and each its own origins.
func TestCORSAroundCORS(t *testing.T) {
	of := func(origin string) wsgi.Middleware {
		return middleware.CORS(middleware.CORSConfig{Origins: []string{origin}})
	}
	app := middleware.Chain(of("https://outer.example"), of("https://inner.example"))(text("hello"))
	for origin, code := range map[string]int{"https://outer.example": 204, "https://inner.example": 403} {
		req := wsgitest.NewRequest("OPTIONS", "/").With("Origin", origin).With("Access-Control-Request-Method", "GET")
		if res := wsgitest.Do(t, app, req); res.Code != code {
			t.Errorf("a preflight from %s: got %s, expected %d", origin, res.Status, code)
		}
	}
}
