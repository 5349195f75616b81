package middleware_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestHealth(t *testing.T) {
	var sick error
	m := middleware.Health(middleware.HealthConfig{Check: func(context.Context) error { return sick }})
	app := m(text("application"))
	tests := []struct {
		name, method, path string
		sick               error
		want               string
	}{
		{"well", "GET", "/healthz", nil, "200 OK: ok\n"},
		{"HEAD", "HEAD", "/healthz", nil, "200 OK: "},
		{"chi: POST is the application's", "POST", "/healthz", nil, "200 OK: application"},
		{"another path", "GET", "/healthz/", nil, "200 OK: application"},
		{"not well", "GET", "/healthz", errApp, "503 Service Unavailable: unavailable\n"},
		{"not well, HEAD", "HEAD", "/healthz", errApp, "503 Service Unavailable: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sick = tt.sick
			res := wsgitest.Do(t, app, &wsgitest.Request{Method: tt.method, Target: tt.path, ExpectErrors: tt.sick != nil})
			if got := res.Status + ": " + res.Text(); got != tt.want || strings.Contains(res.Errors, "failed") != (tt.sick != nil) {
				t.Errorf("got %q, errors %q, expected %q", got, res.Errors, tt.want)
			}
			if !strings.HasSuffix(res.Text(), "application") && (res.Headers.Get("Content-Length") == "0" || res.Headers.Get("Cache-Control") != "no-store") {
				t.Errorf("headers: %v", res.Headers)
			}
		})
	}
	sick = nil
	panics(t, func() { middleware.Health(middleware.HealthConfig{Path: "health"}) }, "Health", `"health"`)
	keeps(t, m)
}

// badHosts are spellings that are no host, or another one.
var badHosts = []string{
	"evil.example", "example.org.evil.example", "evilexample.org", "example.org@evil.example", "evil.example#example.org",
	"evil.example/example.org", "example.org/", "example.org:", "example.org:x", "example.org:80:80", "example.org:99999", "example.org:-1",
	"example.org..", ".example.org", "[::1", "::1", "[::1]x", "[::1]:x", "[fe80::1%25eth0]", "[127.0.0.1]", "example.org\\evil", "example.org%00", "exa mple.org",
	"example.org,evil.example", strings.Repeat("a", 64) + ".example.org", "www..example.org", "*.example.org", "caf\xc3\xa9.example.org", "example.org?",
}

func TestAllowedHosts(t *testing.T) {
	c := middleware.AllowedHostsConfig{Hosts: []string{"Example.org.", "*.Example.org", "192.0.2.7", "2001:db8:0::7", "[2001:db8::8]"}}
	call := func(m wsgi.Middleware, host string) string {
		environ := wsgitest.NewRequest("GET", "/").Environ()
		environ.Set("HTTP_HOST", host)
		var status string
		m(text("")).Call(environ, func(s string, _ wsgi.Headers, _ error) (wsgi.Write, error) { status = s; return nil, nil })
		return status
	}
	m := middleware.AllowedHosts(c)
	for _, host := range []string{"example.org", "EXAMPLE.org:8080", "example.org.", "example.org.:80", "a.example.org", "a.b.example.org", "192.0.2.7:80", "[2001:DB8::7]", "[2001:db8:0:0::7]:443", "[2001:db8::8]"} {
		if got := call(m, host); got != "200 OK" {
			t.Errorf("Host %q: got %s, expected it to be allowed", host, got)
		}
	}
	for _, host := range badHosts {
		if host == "example.org:" { // RFC 3986 allows an empty port
			continue
		}
		if got := call(m, host); got != "400 Bad Request" {
			t.Errorf("Host %q: got %s, expected it to be refused", host, got)
		}
	}
	standard := middleware.AllowedHosts(middleware.AllowedHostsConfig{})
	for host, want := range map[string]string{"localhost:8000": "200 OK", "127.0.0.1": "200 OK", "[::1]:8000": "200 OK", "example.org": "400 Bad Request", "localhost.evil.example": "400 Bad Request"} {
		if got := call(standard, host); got != want {
			t.Errorf("by default, Host %q: got %s, expected %s", host, got, want)
		}
	}
	if got := call(standard, ""); got != "200 OK" { // SERVER_NAME is 127.0.0.1
		t.Errorf("no Host: got %s", got)
	}
	for _, host := range []string{"", "example.org:80", "*", "a.*.b", "http://a", "*.127.0.0.1"} {
		c := middleware.AllowedHostsConfig{Hosts: []string{host}}
		panics(t, func() { middleware.AllowedHosts(c) }, "AllowedHosts", `"`+host+`"`)
		if c.Validate() == nil {
			t.Errorf("Validate accepts %q", host)
		}
	}
	keeps(t, middleware.AllowedHosts(middleware.AllowedHostsConfig{}))
}

func TestHTTPSRedirect(t *testing.T) {
	type config = middleware.HTTPSRedirectConfig
	listed := config{Hosts: []string{"example.org", "*.example.org", "::1"}}
	tests := []struct {
		name    string
		config  config
		request wsgitest.Request
		want    string // Location, "" for the application
	}{
		{"https", listed, wsgitest.Request{Scheme: "https", Headers: headers("Host", "evil.example")}, ""},
		{"http", listed, wsgitest.Request{Target: "/a/b?c=d&e", Headers: headers("Host", "example.org")}, "301 https://example.org/a/b?c=d&e"},
		{"HEAD", listed, wsgitest.Request{Method: "HEAD", Headers: headers("Host", "example.org")}, "301 https://example.org/"},
		{"POST keeps its method", listed, wsgitest.Request{Method: "POST", Headers: headers("Host", "example.org")}, "308 https://example.org/"},
		{"port of http", listed, wsgitest.Request{Headers: headers("Host", "Example.org.:8080")}, "301 https://example.org/"},
		{"port of https", config{Hosts: listed.Hosts, Port: 8443}, wsgitest.Request{Headers: headers("Host", "example.org:8080")}, "301 https://example.org:8443/"},
		{"standard port", config{Hosts: listed.Hosts, Port: 443}, wsgitest.Request{Headers: headers("Host", "example.org")}, "301 https://example.org/"},
		{"v6", config{Hosts: listed.Hosts, Port: 8443}, wsgitest.Request{Headers: headers("Host", "[::1]:80")}, "301 https://[::1]:8443/"},
		{"quoted anew", listed, wsgitest.Request{Target: "/caf%C3%A9%20%22%3C%3F%23", Headers: headers("Host", "example.org")}, "301 https://example.org/caf%C3%A9%20%22%3C%3F%23"},
		{"no header is split", listed, wsgitest.Request{Target: "/a%0d%0aSet-Cookie:x", Headers: headers("Host", "example.org")}, "301 https://example.org/a%0D%0ASet-Cookie%3Ax"},
		{"two slashes are no other site", listed, wsgitest.Request{Target: "//evil.example/x", Headers: headers("Host", "example.org")}, "301 https://example.org//evil.example/x"},
		{"mounted", listed, wsgitest.Request{Target: "/m/x", ScriptName: "/m", Headers: headers("Host", "example.org")}, "301 https://example.org/m/x"},
		{"query", listed, wsgitest.Request{Extra: map[string]any{"QUERY_STRING": "a=\"<\r\nb\xe9"}, Headers: headers("Host", "example.org")}, "301 https://example.org/?a=%22%3C%0D%0Ab%E9"},
		{"unlisted host", listed, wsgitest.Request{Headers: headers("Host", "evil.example")}, "400 "},
		{"nothing listed", config{}, wsgitest.Request{Headers: headers("Host", "localhost")}, "400 "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			app := fails(t)
			if tt.want == "" {
				app = text("application")
			}
			res := wsgitest.Do(t, middleware.HTTPSRedirect(tt.config)(app), &tt.request)
			got := ""
			if res.Code != 200 {
				got = res.Status[:3] + " " + res.Headers.Get("Location")
			}
			if got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
		})
	}
	t.Run("another host than AllowedHosts has seen", func(t *testing.T) {
		app := middleware.Chain(
			middleware.AllowedHosts(middleware.AllowedHostsConfig{}),
			middleware.ProxyFix(middleware.ProxyFixConfig{Host: 1}), // which belongs outside
			middleware.HTTPSRedirect(config{}))(fails(t))
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "http://localhost/x").With("X-Forwarded-Host", "evil.example"))
		if res.Code != 400 || res.Headers.Has("Location") {
			t.Errorf("got %s, headers %v", res.Status, res.Headers)
		}
	})
	t.Run("inside AllowedHosts", func(t *testing.T) {
		app := middleware.Chain(middleware.AllowedHosts(middleware.AllowedHostsConfig{}), middleware.HTTPSRedirect(config{}))(fails(t))
		if got := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "http://localhost:8000/x")).Headers.Get("Location"); got != "https://localhost/x" {
			t.Errorf("got %q", got)
		}
	})
	panics(t, func() { middleware.HTTPSRedirect(config{Hosts: []string{"a/b"}}) }, "HTTPSRedirect", `"a/b"`)
	keeps(t, middleware.Chain(middleware.SetEnv(map[string]any{"wsgi.url_scheme": "https"}), middleware.HTTPSRedirect(config{})))
}

func TestCanonicalHost(t *testing.T) {
	tests := []struct {
		name, host, scheme, asked, want string
	}{
		{"the same", "www.example.org", "http", "WWW.example.org.", ""},
		{"standard port", "www.example.org", "https", "www.example.org:443", ""},
		{"another", "www.example.org", "https", "example.org", "https://www.example.org/a?b"},
		{"another port", "www.example.org", "http", "www.example.org:8080", "http://www.example.org/a?b"},
		{"its port", "www.example.org:8080", "http", "www.example.org", "http://www.example.org:8080/a?b"},
		{"its port is asked for", "www.example.org:8080", "http", "www.example.org:8080", ""},
		{"v6", "2001:DB8::1", "http", "[2001:db8::1]:80", ""},
		{"v6, another", "2001:DB8::1", "http", "x", "http://[2001:db8::1]/a?b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, middleware.CanonicalHost(tt.host)(text("")), &wsgitest.Request{Scheme: tt.scheme, Target: "/a?b", Headers: headers("Host", tt.asked)})
			if got := res.Headers.Get("Location"); got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
		})
	}
	for _, host := range badHosts {
		environ := wsgitest.NewRequest("POST", "/").Environ()
		environ.Set("HTTP_HOST", host)
		middleware.CanonicalHost("www.example.org")(fails(t)).Call(environ, func(status string, h wsgi.Headers, _ error) (wsgi.Write, error) {
			if h.Get("Location") != "http://www.example.org/" || status[:3] != "308" {
				t.Errorf("Host %q: got %s, Location %q", host, status, h.Get("Location"))
			}
			return nil, nil
		})
	}
	for _, host := range []string{"", "http://a", "a/b", "[::1", "fe80::1%eth0"} {
		panics(t, func() { middleware.CanonicalHost(host) }, "CanonicalHost", `"`+host+`"`)
	}
	keeps(t, middleware.CanonicalHost("127.0.0.1"))
}
