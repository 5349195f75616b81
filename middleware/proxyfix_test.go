package middleware_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func prefixes(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

var proxyVars = []string{
	"REMOTE_ADDR", "REMOTE_PORT", "wsgi.url_scheme", "HTTPS", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME",
}

func TestProxyFix(t *testing.T) {
	type config = middleware.ProxyFixConfig
	one := config{For: 1, Proto: 1, Host: 1, Port: 1, Prefix: 1}
	near := prefixes("10.0.0.0/8", "2001:db8::/32")
	far := func(c config, p ...string) config { c.Trusted = prefixes(p...); return c }
	tests := []struct {
		name   string
		config config
		peer   string
		sent   []string // names and values
		want   string   // the variables that change, "name=value", with blanks between them; "-" for absent
	}{
		{"nothing is believed by default", config{}, "", []string{"X-Forwarded-For", "192.0.2.9", "X-Forwarded-Proto", "https", "Forwarded", "for=192.0.2.9"}, ""},
		{"client", one, "", []string{"X-Forwarded-For", "192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"client with port", one, "", []string{"X-Forwarded-For", "192.0.2.9:81"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=81"},
		{"client, v6", one, "", []string{"X-Forwarded-For", "2001:db8::9"}, "REMOTE_ADDR=2001:db8::9 REMOTE_PORT=-"},
		{"client, v6 with port", one, "", []string{"X-Forwarded-For", "[2001:db8::9]:81"}, "REMOTE_ADDR=2001:db8::9 REMOTE_PORT=81"},
		{"client, v4 in v6", one, "", []string{"X-Forwarded-For", "::ffff:192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"client, zone", one, "", []string{"X-Forwarded-For", "fe80::1%eth0"}, "REMOTE_ADDR=fe80::1 REMOTE_PORT=-"},
		{"Werkzeug: not an ip", one, "", []string{"X-Forwarded-For", "not an ip"}, ""},
		{"no such port", one, "", []string{"X-Forwarded-For", "192.0.2.9:99999"}, ""},
		{"gorilla: not the leftmost", one, "", []string{"X-Forwarded-For", "203.0.113.1, 192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"several lines are one list", config{For: 2}, "", []string{"X-Forwarded-For", "203.0.113.1", "X-Forwarded-For", "192.0.2.9, 10.0.0.1"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"fewer values than proxies", config{For: 2, Proto: 2}, "", []string{"X-Forwarded-For", "192.0.2.9", "X-Forwarded-Proto", "https"}, ""},
		{"each header has its number", config{For: 1, Proto: 2}, "", []string{"X-Forwarded-For", "192.0.2.9", "X-Forwarded-Proto", "https"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"a header without a number", config{For: 1}, "", []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "evil.example", "X-Forwarded-Prefix", "/x"}, ""},
		{"a quote hides no comma", config{For: 1}, "", []string{"X-Forwarded-For", `"`, "X-Forwarded-For", "192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"a quote does not make the client's value count", config{For: 2, Proto: 2}, "",
			[]string{"X-Forwarded-For", `203.0.113.1, "`, "X-Forwarded-For", "192.0.2.9, 10.0.0.1", "X-Forwarded-Proto", `https, "`, "X-Forwarded-Proto", "http, http"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"empty values do not count", config{For: 1}, "", []string{"X-Forwarded-For", "192.0.2.9, , "}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},

		{"scheme, and its port", one, "", []string{"X-Forwarded-Proto", "HTTPS"}, "wsgi.url_scheme=https HTTPS=on SERVER_PORT=443"},
		{"the last value of several", config{Proto: 1, Host: 1, Prefix: 1}, "", []string{"X-Forwarded-Proto", "http, https", "X-Forwarded-Host", "evil.example, shop.example", "X-Forwarded-Prefix", "/evil, /shop"},
			"wsgi.url_scheme=https HTTPS=on HTTP_HOST=shop.example SERVER_NAME=shop.example SERVER_PORT=443 SCRIPT_NAME=/shop/mounted"},
		{"Werkzeug: scheme javascript", one, "", []string{"X-Forwarded-Proto", "javascript"}, ""},
		{"host", one, "", []string{"X-Forwarded-Host", "shop.example:8443"}, "HTTP_HOST=shop.example:8443 SERVER_NAME=shop.example SERVER_PORT=8443"},
		{"Werkzeug: a host without a port has that of the scheme", one, "", []string{"X-Forwarded-Host", "shop.example", "X-Forwarded-Proto", "https"},
			"wsgi.url_scheme=https HTTPS=on HTTP_HOST=shop.example SERVER_NAME=shop.example SERVER_PORT=443"},
		{"host, v6", one, "", []string{"X-Forwarded-Host", "[2001:db8::9]"}, "HTTP_HOST=[2001:db8::9] SERVER_NAME=2001:db8::9 SERVER_PORT=80"},
		{"no host", one, "", []string{"X-Forwarded-Host", "evil.example/path"}, ""},
		{"no host, user", one, "", []string{"X-Forwarded-Host", "user@evil.example"}, ""},
		{"port", one, "", []string{"X-Forwarded-Port", "8443", "X-Forwarded-Host", "shop.example"}, "HTTP_HOST=shop.example:8443 SERVER_NAME=shop.example SERVER_PORT=8443"},
		{"port of the scheme", one, "", []string{"X-Forwarded-Port", "443", "X-Forwarded-Proto", "https", "X-Forwarded-Host", "shop.example:99"},
			"wsgi.url_scheme=https HTTPS=on HTTP_HOST=shop.example SERVER_NAME=shop.example SERVER_PORT=443"},
		{"no port", one, "", []string{"X-Forwarded-Port", "8443x"}, ""},
		{"port 0", one, "", []string{"X-Forwarded-Port", "0"}, ""},
		{"prefix", one, "", []string{"X-Forwarded-Prefix", "/shop/"}, "SCRIPT_NAME=/shop/mounted"},
		{"prefix, quoted", one, "", []string{"X-Forwarded-Prefix", "/a%20b"}, "SCRIPT_NAME=/a b/mounted"},
		{"prefix of another site", one, "", []string{"X-Forwarded-Prefix", "//evil.example"}, ""},
		{"prefix, backslash", one, "", []string{"X-Forwarded-Prefix", `/\evil.example`}, ""},
		{"prefix, dots", one, "", []string{"X-Forwarded-Prefix", "/a/../b"}, ""},
		{"prefix, line end", one, "", []string{"X-Forwarded-Prefix", "/a%0d%0ab"}, ""},
		{"prefix, no path", one, "", []string{"X-Forwarded-Prefix", "shop"}, ""},
		{"prefix, root", one, "", []string{"X-Forwarded-Prefix", "/"}, ""},

		{"trusted peer", config{Trusted: near}, "10.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"trusted peer, v4 in v6", config{Trusted: near}, "[::ffff:10.0.0.1]:1", []string{"X-Forwarded-For", "192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"another peer", far(one, "10.0.0.0/8"), "192.0.2.1:1", []string{"X-Forwarded-For", "192.0.2.9", "X-Forwarded-Proto", "https"}, ""},
		{"through trusted proxies", config{Trusted: near}, "10.0.0.1:1", []string{"X-Forwarded-For", "203.0.113.1, 192.0.2.9, 2001:db8::2, 10.0.0.2"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"all are proxies", config{Trusted: near}, "10.0.0.1:1", []string{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}, "REMOTE_ADDR=10.0.0.3 REMOTE_PORT=-"},
		{"chi: garbage ends it", config{Trusted: near}, "10.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.9, garbage, 10.0.0.2"}, ""},
		{"garbage before what counts", config{Trusted: near}, "10.0.0.1:1", []string{"X-Forwarded-For", "garbage, 192.0.2.9"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"v4 in v6 is trusted as v4", config{Trusted: near}, "10.0.0.1:1", []string{"X-Forwarded-For", "192.0.2.9, ::ffff:10.0.0.2"}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"Unix socket", config{Trusted: near, Proto: 1}, "@", []string{"X-Forwarded-For", "192.0.2.9", "X-Forwarded-Proto", "https"},
			"REMOTE_ADDR=192.0.2.9 REMOTE_PORT=- wsgi.url_scheme=https HTTPS=on SERVER_PORT=443"},

		{"Forwarded", config{Forwarded: true, For: 1, Proto: 1, Host: 1}, "", []string{"Forwarded", `for=203.0.113.1;host=x, For="[2001:db8::9]:81";proto=https; host="shop.example:8443"`},
			"REMOTE_ADDR=2001:db8::9 REMOTE_PORT=81 wsgi.url_scheme=https HTTPS=on HTTP_HOST=shop.example:8443 SERVER_NAME=shop.example SERVER_PORT=8443"},
		{"Forwarded, parts", config{Forwarded: true, For: 1}, "", []string{"Forwarded", `for=192.0.2.9;proto=https;host=evil.example`}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
		{"Forwarded, not X-Forwarded-For", config{Forwarded: true, For: 1}, "", []string{"X-Forwarded-For", "192.0.2.9"}, ""},
		{"Forwarded, unknown", config{Forwarded: true, For: 1}, "", []string{"Forwarded", `for=unknown`}, ""},
		{"Forwarded, hidden", config{Forwarded: true, For: 1}, "", []string{"Forwarded", `for="_gazonk"`}, ""},
		{"Forwarded, malformed", config{Forwarded: true, For: 1}, "", []string{"Forwarded", `for="192.0.2.9`}, ""},
		{"Forwarded, twice", config{Forwarded: true, For: 1}, "", []string{"Forwarded", `for=192.0.2.9;for=192.0.2.8`}, ""},
		{"Forwarded, a comma in quotes", config{Forwarded: true, For: 2}, "", []string{"Forwarded", `for="192.0.2.9, 1.1.1.1", for=10.0.0.1`}, ""},
		{"Forwarded, trusted", config{Forwarded: true, Trusted: near}, "10.0.0.1:1", []string{"Forwarded", `for=203.0.113.1`, "Forwarded", `for=192.0.2.9, for=10.0.0.2`}, "REMOTE_ADDR=192.0.2.9 REMOTE_PORT=-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			peer := tt.peer
			if peer == "" {
				peer = "127.0.0.1:999"
			}
			req := &wsgitest.Request{
				Target: "/mounted/x", ScriptName: "/mounted", RemoteAddr: peer, ServerPort: "5000",
				Headers: append(headers("Host", "internal"), headers(tt.sent...)...),
			}
			res := wsgitest.Do(t, middleware.ProxyFix(tt.config)(vars(append(proxyVars, "gowsgi.proxy_fix")...)), req)
			want, got := proxyView(res.Environ), map[string]string{}
			outside := proxyView(res.Environ)
			for line := range strings.SplitSeq(res.Text(), "\n") {
				name, value, _ := strings.Cut(line, "=")
				if value != "absent" {
					got[name] = value
				}
			}
			changed := strings.ReplaceAll(tt.want, "a b", "a\x00b")
			for change := range strings.FieldsSeq(changed) {
				name, value, _ := strings.Cut(change, "=")
				if want[name] = strings.ReplaceAll(value, "\x00", " "); value == "-" {
					delete(want, name)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("environ (-want +got):\n%s", diff)
			}
			if outside["HTTP_HOST"] != "internal" {
				t.Errorf("the environ of whoever called was changed: %v", outside)
			}
		})
	}
	t.Run("originals", func(t *testing.T) {
		req := &wsgitest.Request{RemoteAddr: "10.0.0.1:7", Headers: headers("X-Forwarded-For", "192.0.2.9"), Extra: map[string]any{"REMOTE_HOST": "proxy.internal"}}
		wsgitest.Do(t, middleware.ProxyFix(one)(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			want := map[string]string{"REMOTE_ADDR": "10.0.0.1", "REMOTE_PORT": "7", "REMOTE_HOST": "proxy.internal"}
			if name, ok := environ.Lookup("REMOTE_HOST"); ok {
				t.Errorf("the name of the proxy, %v, is left beside the address of the client", name)
			}
			if diff := cmp.Diff(want, environ.Get("gowsgi.proxy_fix")); diff != "" {
				t.Errorf("originals (-want +got):\n%s", diff)
			}
			return text("").Call(environ, start)
		})), req)
	})
	panics(t, func() { middleware.ProxyFix(config{Proto: -1}) }, "ProxyFix", "Proto is -1")
	panics(t, func() { middleware.ProxyFix(config{Trusted: make([]netip.Prefix, 1)}) }, "ProxyFix", "Trusted[0]")
	keeps(t, middleware.ProxyFix(one))
	keeps(t, middleware.SetEnv(map[string]any{"HTTP_X_FORWARDED_FOR": "192.0.2.9", "HTTP_X_FORWARDED_PREFIX": "/x"}))
	keeps(t, middleware.Chain(middleware.SetEnv(map[string]any{"HTTP_X_FORWARDED_FOR": "192.0.2.9", "HTTP_X_FORWARDED_PREFIX": "/x"}), middleware.ProxyFix(one)))
}

func proxyView(environ *wsgi.Environ) map[string]string {
	view := map[string]string{}
	for _, key := range proxyVars {
		if value, ok := environ.Get(key).(string); ok {
			view[key] = value
		}
	}
	return view
}

func FuzzProxyFix(f *testing.F) {
	for _, s := range []string{"192.0.2.9", `for="[::1]:80";proto=https;host=x, for=_y`, "fe80::1%eth0, [::1]:x", `"`, `a\`, ",;=", "/a//b%2f"} {
		f.Add(s, s, s, s, false)
		f.Add(s, s, s, s, true)
	}
	f.Fuzz(func(t *testing.T, client, proto, host, prefix string, forwarded bool) {
		environ := wsgi.EnvironFromMap(map[string]any{
			"REMOTE_ADDR": "10.0.0.1", "wsgi.url_scheme": "http", "HTTP_HOST": "internal", "SERVER_NAME": "internal", "SERVER_PORT": "80",
			"SCRIPT_NAME": "", "HTTP_FORWARDED": client, "HTTP_X_FORWARDED_FOR": client, "HTTP_X_FORWARDED_PROTO": proto,
			"HTTP_X_FORWARDED_HOST": host, "HTTP_X_FORWARDED_PREFIX": prefix, "HTTP_X_FORWARDED_PORT": proto,
		})
		m := middleware.ProxyFix(middleware.ProxyFixConfig{For: 1, Proto: 1, Host: 1, Port: 1, Prefix: 1, Forwarded: forwarded})
		m(wsgi.AppFunc(func(e *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
			if address, err := netip.ParseAddr(e.Var("REMOTE_ADDR")); err != nil || address.Is4In6() || address.Zone() != "" {
				t.Errorf("REMOTE_ADDR is %q", e.Var("REMOTE_ADDR"))
			}
			if scheme := e.Get("wsgi.url_scheme"); scheme != "http" && scheme != "https" {
				t.Errorf("scheme is %q", scheme)
			}
			if strings.ContainsAny(e.Var("HTTP_HOST")+e.Var("SERVER_NAME"), "/\\@?#<>\"' \t\r\n%") || e.Var("HTTP_HOST") == "" {
				t.Errorf("host is %q, name %q", e.Var("HTTP_HOST"), e.Var("SERVER_NAME"))
			}
			if script := e.Var("SCRIPT_NAME"); script != "" && (script[0] != '/' || strings.HasSuffix(script, "/") || strings.Contains(script, "//") || strings.ContainsAny(script, "\\\r\n\x00")) {
				t.Errorf("SCRIPT_NAME is %q", script)
			}
			if port := e.Var("SERVER_PORT"); port == "" || strings.Trim(port, "0123456789") != "" {
				t.Errorf("SERVER_PORT is %q", port)
			}
			return nil, nil
		})).Call(environ, nil)
	})
}
