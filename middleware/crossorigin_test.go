package middleware_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestCrossOrigin(t *testing.T) {
	m := middleware.CrossOrigin(middleware.CrossOriginConfig{
		Trusted: []string{"https://Login.example:443"},
		Exempt:  func(environ *wsgi.Environ) bool { return environ.Var("PATH_INFO") == "/hook" },
	})
	tests := []struct {
		name, method, path, site, origin string
		want                             int
	}{
		{"GET", "GET", "/", "cross-site", "https://evil.example", 200},
		{"HEAD", "HEAD", "/", "cross-site", "", 200},
		{"OPTIONS", "OPTIONS", "/", "cross-site", "https://evil.example", 200},
		{"same origin", "POST", "/", "same-origin", "https://site.example", 200},
		{"by the user", "POST", "/", "none", "", 200},
		{"no browser", "POST", "/", "", "", 200},
		{"old browser, same host", "POST", "/", "", "https://site.example", 200},
		{"cross-site", "POST", "/", "cross-site", "https://evil.example", 403},
		{"same site is another origin", "POST", "/", "same-site", "https://other.site.example", 403},
		{"whatever else", "POST", "/", "new-value", "", 403},
		{"Sec-Fetch-Site wins over Origin", "POST", "/", "cross-site", "https://site.example", 403},
		{"old browser, another host", "POST", "/", "", "https://evil.example", 403},
		{"another port", "POST", "/", "", "https://site.example:8443", 403},
		{"null", "POST", "/", "", "null", 403},
		{"no origin", "POST", "/", "", "site.example", 403},
		{"PUT", "PUT", "/", "cross-site", "", 403},
		{"DELETE", "DELETE", "/", "cross-site", "", 403},
		{"an unknown method", "FROB", "/", "cross-site", "", 403},
		{"trusted", "POST", "/", "cross-site", "https://login.example", 200},
		{"not by another scheme", "POST", "/", "cross-site", "http://login.example", 403},
		{"exempt", "POST", "/hook", "cross-site", "https://evil.example", 200},
	}
	reference := http.NewCrossOriginProtection()
	reference.AddTrustedOrigin("https://login.example")
	reference.AddInsecureBypassPattern("/hook")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wsgitest.Request{Method: tt.method, Target: tt.path, Headers: headers("Host", "site.example")}
			if tt.site != "" {
				req.With("Sec-Fetch-Site", tt.site)
			}
			if tt.origin != "" {
				req.With("Origin", tt.origin)
			}
			app := text("done")
			if tt.want == 403 {
				app = fails(t)
			}
			if res := wsgitest.Do(t, m(app), req); res.Code != tt.want {
				t.Errorf("got %s, expected %d", res.Status, tt.want)
			}
			// net/http, whose rules these are, agrees.
			r := httptest.NewRequest(tt.method, tt.path, nil)
			r.Host = "site.example"
			for name, value := range map[string]string{"Sec-Fetch-Site": tt.site, "Origin": tt.origin} {
				if value != "" {
					r.Header.Set(name, value)
				}
			}
			if err := reference.Check(r); (err == nil) != (tt.want == 200) {
				t.Errorf("net/http says %v, expected %d", err, tt.want)
			}
		})
	}
	bad := middleware.CrossOriginConfig{Trusted: []string{"login.example"}}
	panics(t, func() { middleware.CrossOrigin(bad) }, "CrossOrigin", `"login.example"`)
	if bad.Validate() == nil {
		t.Error("Validate accepts it")
	}
	keeps(t, middleware.CrossOrigin(middleware.CrossOriginConfig{}))
}

func TestMethodOverride(t *testing.T) {
	type config = middleware.MethodOverrideConfig
	form := func(body string) *wsgitest.Request {
		return wsgitest.NewRequest("POST", "/").Content("application/x-www-form-urlencoded; charset=utf-8", body)
	}
	header := func(method, value string) *wsgitest.Request {
		return wsgitest.NewRequest(method, "/").With("X-HTTP-Method-Override", value)
	}
	chunked := func(body string) *wsgitest.Request {
		req := wsgitest.NewRequest("POST", "/").With("Content-Type", "application/x-www-form-urlencoded")
		req.Stream = strings.NewReader(body)
		return req
	}
	long := "a=" + strings.Repeat("x", 64<<10)
	tests := []struct {
		name   string
		config config
		req    *wsgitest.Request
		want   string
	}{
		{"nothing", config{}, wsgitest.NewRequest("POST", "/").Content("text/plain", "_method=PUT"), "POST _method=PUT"},
		{"header", config{}, header("POST", "PUT"), "PUT "},
		{"small letters", config{}, header("POST", "delete"), "DELETE "},
		{"field", config{}, form("a=b&_method=PATCH&_method=PUT&c"), "PATCH a=b&_method=PATCH&_method=PUT&c"},
		{"field, quoted", config{}, form("%5Fmethod=%50UT"), "PUT %5Fmethod=%50UT"},
		{"header before field", config{}, form("_method=PUT").With("X-HTTP-Method-Override", "DELETE"), "DELETE _method=PUT"},
		{"Rack: not to GET", config{}, header("POST", "GET"), "POST "},
		{"Rack: not to HEAD", config{}, form("_method=HEAD"), "POST _method=HEAD"},
		{"not to anything else", config{}, header("POST", "FROB"), "POST "},
		{"not from GET", config{}, header("GET", "DELETE"), "GET "},
		{"not from PUT", config{}, header("PUT", "DELETE"), "PUT "},
		{"only what is listed", config{Methods: []string{"PUT"}}, header("POST", "DELETE"), "POST "},
		{"another header and field", config{Header: "X-M", Field: "m"}, form("m=PUT&_method=DELETE"), "PUT m=PUT&_method=DELETE"},
		{"no header", config{Header: "-"}, header("POST", "PUT"), "POST "},
		{"no field", config{Field: "-"}, form("_method=PUT"), "POST _method=PUT"},
		{"too long", config{}, form(long + "&_method=PUT"), "POST " + long + "&_method=PUT"},
		{"too long, undeclared", config{}, chunked("_method=PUT&" + long), "POST _method=PUT&" + long},
		{"undeclared", config{}, chunked("_method=PUT"), "PUT _method=PUT"},
		{"no form", config{}, form("%zz=%zz&;&_method"), "POST %zz=%zz&;&_method"},
	}
	echo := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		method := environ.Var("REQUEST_METHOD")
		return reads().Call(environ, func(status string, h wsgi.Headers, err error) (wsgi.Write, error) {
			h.Set("X-Method", method)
			return start(status, h, err)
		})
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, middleware.MethodOverride(tt.config)(echo), tt.req)
			if got := res.Headers.Get("X-Method") + " " + res.Text(); got != tt.want {
				t.Errorf("got %.100q, expected %.100q", got, tt.want)
			}
			if got := res.Environ.Var("REQUEST_METHOD"); got != tt.req.Method {
				t.Errorf("the method is %s outside, expected %s as before", got, tt.req.Method)
			}
		})
	}
	t.Run("a body that breaks off", func(t *testing.T) {
		req := wsgitest.NewRequest("POST", "/").With("Content-Type", "application/x-www-form-urlencoded").With("Content-Length", "99")
		req.Body, req.ExpectErrors = []byte("_method=PUT"), true
		if res := wsgitest.Do(t, middleware.MethodOverride(config{})(echo), req); res.Code != 400 {
			t.Errorf("got %s, expected the client's error", res.Status)
		}
	})
	for _, method := range []string{"GET", "head", "OPTIONS", "TRACE", "CONNECT", "A B", ""} {
		panics(t, func() { middleware.MethodOverride(config{Methods: []string{method}}) }, "MethodOverride", `"`+method+`"`)
	}
	panics(t, func() { middleware.MethodOverride(config{Header: "X M"}) }, "MethodOverride", `"X M"`)
	keeps(t, middleware.MethodOverride(config{}))
}

// Rack's list lets a POST pass a check further in; here the check is outside and
// sees what the client sent.
func TestMethodOverrideInsideCrossOrigin(t *testing.T) {
	app := middleware.Chain(
		middleware.CrossOrigin(middleware.CrossOriginConfig{}),
		middleware.MethodOverride(middleware.MethodOverrideConfig{}),
	)(fails(t))
	req := wsgitest.NewRequest("POST", "/").With("Sec-Fetch-Site", "cross-site").With("X-HTTP-Method-Override", "GET")
	if res := wsgitest.Do(t, app, req); res.Code != 403 {
		t.Errorf("got %s", res.Status)
	}
}
