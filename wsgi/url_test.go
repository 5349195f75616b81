package wsgi_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestURL expects what Python's wsgiref.util.request_uri and application_uri
// return for the same environ, except where the reason says otherwise. Each
// environ is completed by http, SERVER_NAME srv and SERVER_PORT 80; nil removes
// a variable.
func TestURL(t *testing.T) {
	type vars map[string]any
	const every = `/-._~!$&'()*+:@ ?#[]|"<>\^` + "`{}"
	tests := []struct {
		name   string
		vars   vars
		url    string // without the query
		app    string
		query  string // what withQuery adds
		reason string
	}{
		{name: "URL-01/least", url: "http://srv/", app: "http://srv/"},
		{name: "URL-01/script and path", vars: vars{"SCRIPT_NAME": "/app", "PATH_INFO": "/x"}, url: "http://srv/app/x", app: "http://srv/app"},
		{name: "URL-01/script alone", vars: vars{"SCRIPT_NAME": "/app"}, url: "http://srv/app", app: "http://srv/app"},
		{name: "URL-01/root of a script", vars: vars{"SCRIPT_NAME": "/app", "PATH_INFO": "/"}, url: "http://srv/app/", app: "http://srv/app"},
		{name: "URL-01/path alone", vars: vars{"PATH_INFO": "/x"}, url: "http://srv/x", app: "http://srv/"},
		{name: "URL-01/root", vars: vars{"PATH_INFO": "/"}, url: "http://srv/", app: "http://srv/"},
		{name: "URL-01/two slashes", vars: vars{"PATH_INFO": "//x"}, url: "http://srv//x", app: "http://srv/"},
		{name: "URL-01/path without a slash", vars: vars{"PATH_INFO": "x/y"}, url: "http://srv/x/y", app: "http://srv/",
			reason: "Python drops the first character, whatever it is"},
		{name: "URL-01/asterisk", vars: vars{"PATH_INFO": "*"}, url: "http://srv/%2A", app: "http://srv/",
			reason: "Python drops the asterisk of OPTIONS *"},

		{name: "URL-02/https", vars: vars{"wsgi.url_scheme": "https", "SERVER_PORT": "443"}, url: "https://srv/", app: "https://srv/"},
		{name: "URL-02/another", vars: vars{"wsgi.url_scheme": "ws"}, url: "ws://srv/", app: "ws://srv/"},
		{name: "URL-02/none", vars: vars{"wsgi.url_scheme": nil}, url: "http://srv/", app: "http://srv/",
			reason: "Python raises KeyError; a dictionary made by hand often has none"},
		{name: "URL-02/empty", vars: vars{"wsgi.url_scheme": ""}, url: "http://srv/", app: "http://srv/",
			reason: "Python returns ://srv/"},

		{name: "URL-03/host", vars: vars{"HTTP_HOST": "example.org"}, url: "http://example.org/", app: "http://example.org/"},
		{name: "URL-03/host with its port", vars: vars{"HTTP_HOST": "example.org:8080", "SERVER_PORT": "9"},
			url: "http://example.org:8080/", app: "http://example.org:8080/"},
		{name: "URL-03/host with the usual port", vars: vars{"HTTP_HOST": "example.org:80"}, url: "http://example.org:80/", app: "http://example.org:80/"},
		{name: "URL-03/empty host", vars: vars{"HTTP_HOST": "", "SERVER_PORT": "8080"}, url: "http://srv:8080/", app: "http://srv:8080/"},
		{name: "URL-03/IPv6 host", vars: vars{"HTTP_HOST": "[::1]:8000"}, url: "http://[::1]:8000/", app: "http://[::1]:8000/"},

		{name: "URL-04/port", vars: vars{"SERVER_PORT": "8080"}, url: "http://srv:8080/", app: "http://srv:8080/"},
		{name: "URL-04/http on 443", vars: vars{"SERVER_PORT": "443"}, url: "http://srv:443/", app: "http://srv:443/"},
		{name: "URL-04/https on 80", vars: vars{"wsgi.url_scheme": "https"}, url: "https://srv:80/", app: "https://srv:80/"},
		{name: "URL-04/another scheme on 443", vars: vars{"wsgi.url_scheme": "ws", "SERVER_PORT": "443"}, url: "ws://srv:443/", app: "ws://srv:443/"},
		{name: "URL-04/no port", vars: vars{"SERVER_PORT": ""}, url: "http://srv/", app: "http://srv/",
			reason: "Python returns http://srv:/"},
		{name: "URL-04/IPv6", vars: vars{"SERVER_NAME": "::1", "SERVER_PORT": "8080"}, url: "http://[::1]:8080/", app: "http://[::1]:8080/",
			reason: "Python writes ::1:8080, which is no host and port"},
		{name: "URL-04/IPv6 on the usual port", vars: vars{"SERVER_NAME": "2001:db8::1"}, url: "http://[2001:db8::1]/", app: "http://[2001:db8::1]/",
			reason: "as above"},
		{name: "URL-04/IPv6 in brackets", vars: vars{"SERVER_NAME": "[::1]", "SERVER_PORT": "8080"}, url: "http://[::1]:8080/", app: "http://[::1]:8080/"},

		{name: "URL-05/bytes", vars: vars{"SCRIPT_NAME": "/caf\xe9", "PATH_INFO": "/\xc3\xa9\xff"},
			url: "http://srv/caf%E9/%C3%A9%FF", app: "http://srv/caf%E9"},
		{name: "URL-05/percent", vars: vars{"PATH_INFO": "/100%"}, url: "http://srv/100%25", app: "http://srv/"},
		{name: "URL-05/escape", vars: vars{"PATH_INFO": "/a%2Fb"}, url: "http://srv/a%252Fb", app: "http://srv/"},
		{name: "URL-05/parameters", vars: vars{"SCRIPT_NAME": "/a;b=c,d", "PATH_INFO": "/a;b=c,d"},
			url: "http://srv/a%3Bb%3Dc%2Cd/a;b=c,d", app: "http://srv/a%3Bb%3Dc%2Cd"},
		{name: "URL-05/punctuation", vars: vars{"PATH_INFO": every}, app: "http://srv/",
			url: "http://srv/-._~%21%24%26%27%28%29%2A%2B%3A%40%20%3F%23%5B%5D%7C%22%3C%3E%5C%5E%60%7B%7D"},
		{name: "URL-05/controls", vars: vars{"PATH_INFO": "/\x00\x1f\x7f\x80"}, url: "http://srv/%00%1F%7F%80", app: "http://srv/"},

		{name: "URL-06/query", vars: vars{"QUERY_STRING": "a=1&b=%20"}, url: "http://srv/", app: "http://srv/", query: "?a=1&b=%20"},
		{name: "URL-06/empty query", vars: vars{"QUERY_STRING": ""}, url: "http://srv/", app: "http://srv/"},
		{name: "URL-06/query unchanged", vars: vars{"PATH_INFO": "/x", "QUERY_STRING": "caf\xe9?#"}, url: "http://srv/x", app: "http://srv/", query: "?caf\xe9?#"},
		{name: "URL-07/slash that was escaped", vars: vars{"PATH_INFO": "/a/b", "REQUEST_URI": "/a%2Fb"}, url: "http://srv/a/b", app: "http://srv/",
			reason: "the original is in REQUEST_URI only"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := wsgi.EnvironFromMap(map[string]any{"wsgi.url_scheme": "http", "SERVER_NAME": "srv", "SERVER_PORT": "80"})
			for key, value := range tt.vars {
				if e.Set(key, value); value == nil {
					e.Delete(key)
				}
			}
			if got := e.URL(false); got != tt.url {
				t.Errorf("URL(false) = %q, want %q; %s", got, tt.url, tt.reason)
			}
			if got, want := e.URL(true), tt.url+tt.query; got != want {
				t.Errorf("URL(true) = %q, want %q; %s", got, want, tt.reason)
			}
			if got := e.ApplicationURL(); got != tt.app {
				t.Errorf("ApplicationURL() = %q, want %q; %s", got, tt.app, tt.reason)
			}
		})
	}
	t.Run("URL-05/every byte comes back", func(t *testing.T) {
		e := wsgi.EnvironFromMap(map[string]any{"HTTP_HOST": "h", "PATH_INFO": "/" + allBytes()})
		u, err := url.Parse(e.URL(true))
		if err != nil || u.Path != "/"+allBytes() || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("parsed: %v, %v; want all bytes in the path", u, err)
		}
	})
}

// TestShiftPathInfo expects what Python's wsgiref.util.shift_path_info leaves
// and returns, "" for None, except where the reason says otherwise.
func TestShiftPathInfo(t *testing.T) {
	tests := []struct {
		name, script, path string
		want               string
		wantScript         string
		wantPath           string
		reason             string
	}{
		{"nothing", "", "", "", "", "", ""},
		{"nothing below a script", "/x", "", "", "/x", "", "an exhausted path leaves the script alone"},
		{"root", "", "/", "", "/", "", "so that relative links are right"},
		{"root of a script", "/x", "/", "", "/x/", "", ""},
		{"last segment", "", "/a", "a", "/a", "", ""},
		{"trailing slash is kept", "", "/a/", "a", "/a", "/", ""},
		{"first of two", "", "/a/b", "a", "/a", "/b", ""},
		{"first of two and a slash", "/x", "/a/b/", "a", "/x/a", "/b/", ""},
		{"bytes", "", "/caf\xc3\xa9/\xff", "caf\xc3\xa9", "/caf\xc3\xa9", "/\xff", ""},
		{"escapes are bytes by now", "", "/a%2Fb/c", "a%2Fb", "/a%2Fb", "/c", ""},
		{"blanks", "", "/ / ", " ", "/ ", "/ ", ""},

		{"only slashes", "", "//", "", "/", "", "empty segments are dropped"},
		{"empty segment first", "", "//a", "a", "/a", "", ""},
		{"empty segment second", "", "/a//b", "a", "/a", "/b", ""},
		{"empty segments everywhere", "", "///a//", "a", "/a", "/", ""},
		{"dot first", "", "/./a", "a", "/a", "", ""},
		{"dot second", "", "/a/./b", "a", "/a", "/b", ""},
		{"dot alone", "", "/.", "", "", "", ""},
		{"dot alone below a script", "/x", "/.", "", "/x", "", ""},
		{"dot and slash", "", "/./", "", "/", "", ""},
		{"dot last", "", "/a/.", "a", "/a", "/.", "the last segment stays until its turn"},
		{"dot and slash last", "", "/a/./", "a", "/a", "/", ""},
		{"three dots are a name", "", "/...", "...", "/...", "", ""},
		{"up", "/x", "/..", "..", "", "", "the dispatcher sees the name and must refuse it"},
		{"up and down", "/x/y", "/../z", "..", "/x", "/z", ""},
		{"up at the root", "", "/..", "..", "", "", "never above the root"},
		{"up later", "/x", "/a/..", "a", "/x/a", "/..", ""},

		{"script with a slash", "/x/", "/a", "a", "/x/a", "", ""},
		{"script with slashes", "/x//y", "/a", "a", "/x/y/a", "", ""},
		{"script with a dot", "/x/./y", "/a", "a", "/x/y/a", "", ""},
		{"script that goes up", "/x/..", "/a", "a", "/a", "", ""},
		{"script is a slash", "/", "/a", "a", "//a", "", "two slashes first have a meaning to POSIX"},
		{"script is a slash, root", "/", "/", "", "/", "", ""},
		{"script is two slashes", "//", "/a", "a", "/a", "", ""},
		{"script with two slashes", "//x", "/a", "a", "//x/a", "", ""},
		{"script with three slashes", "///x", "/a", "a", "/x/a", "", ""},
		{"script without a slash", "x", "/a", "a", "x/a", "", ""},
		{"script without a slash, up", "x", "/..", "..", ".", "", ""},
		{"script is a dot", ".", "/", "", "./", "", ""},

		{"path without a slash", "", "a", "a", "/a", "", "Python raises IndexError"},
		{"path without a slash, two segments", "", "a/b", "a", "/a", "/b", "Python takes the second segment"},
	}
	for _, tt := range tests {
		t.Run("CGI-32/"+tt.name, func(t *testing.T) {
			e := wsgi.EnvironFromMap(map[string]any{"SCRIPT_NAME": tt.script, "PATH_INFO": tt.path})
			got := e.ShiftPathInfo()
			script, path := e.Var("SCRIPT_NAME"), e.Var("PATH_INFO")
			if got != tt.want || script != tt.wantScript || path != tt.wantPath {
				t.Errorf("%q, %q: got %q and left %q, %q; want %q and %q, %q; %s", tt.script, tt.path,
					got, script, path, tt.want, tt.wantScript, tt.wantPath, tt.reason)
			}
		})
	}
	t.Run("CGI-32/segment by segment", func(t *testing.T) {
		e := wsgi.EnvironFromMap(map[string]any{"PATH_INFO": "/shop/cart/7"})
		whole := e.URL(true)
		for _, want := range []string{"shop", "cart", "7", ""} {
			if got := e.ShiftPathInfo(); got != want {
				t.Errorf("segment %q, want %q", got, want)
			}
			if got := e.URL(true); got != whole {
				t.Errorf("after %q the URL is %q, want it unchanged: %q (CGI-20)", want, got, whole)
			}
		}
	})
	t.Run("CGI-32/absent variables", func(t *testing.T) {
		e := wsgi.EnvironFromMap(nil)
		if got := e.ShiftPathInfo(); got != "" || len(e.Map()) != 0 {
			t.Errorf("got %q and left %v; want nothing done", got, e.Map())
		}
	})
}

func FuzzShiftPathInfo(f *testing.F) {
	for _, seed := range [][2]string{
		{"", "/a/b"}, {"/x", "/"}, {"/", "/"}, {"//", "//"}, {"", "a/./../b"}, {"/..", "/.."}, {"x", "/.//"}, {"/a/b", "/../../../c"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, script, path string) {
		e := wsgi.EnvironFromMap(map[string]any{"SCRIPT_NAME": script, "PATH_INFO": path})
		// A script that is right has no empty segment and no slash at its end;
		// for such a one all laws hold.
		right := script == "" || strings.HasPrefix(script, "/") && !strings.Contains(script+"/", "//")
		for n := 0; e.Var("PATH_INFO") != ""; n++ {
			if n > strings.Count(path, "/")+1 {
				t.Fatalf("%q is not consumed after %d segments", path, n)
			}
			before := len(strings.Trim(e.Var("PATH_INFO"), "/"))
			name := e.ShiftPathInfo()
			rest, now := e.Var("PATH_INFO"), e.Var("SCRIPT_NAME")
			if strings.Contains(name, "/") || name == "." {
				t.Errorf("%q is no segment", name)
			}
			if rest != "" && rest[0] != '/' {
				t.Errorf("PATH_INFO became %q", rest)
			}
			if len(strings.Trim(rest, "/")) > before-len(name) {
				t.Errorf("PATH_INFO grew to %q", rest)
			}
			if right && (strings.Contains(now, "//") || now != "" && now[0] != '/') {
				t.Errorf("SCRIPT_NAME became %q", now)
			}
			if right && name != "" && name != ".." && !strings.HasSuffix(now, "/"+name) {
				t.Errorf("SCRIPT_NAME %q does not end in %q", now, name)
			}
		}
	})
}

func TestGuessScheme(t *testing.T) {
	tests := []struct{ name, https, want string }{
		{"on", "on", "https"}, {"one", "1", "https"}, {"yes", "yes", "https"},
		{"upper case", "ON", "http"}, {"off", "off", "http"}, {"zero", "0", "http"}, {"true", "true", "http"}, {"empty", "", "http"},
	}
	for _, tt := range tests {
		t.Run("SRV-11/"+tt.name, func(t *testing.T) {
			if got := wsgi.GuessScheme(&source{vars: map[string]string{"HTTPS": tt.https}}); got != tt.want {
				t.Errorf("GuessScheme with HTTPS=%q = %q, want %q", tt.https, got, tt.want)
			}
		})
	}
	t.Run("SRV-11/absent", func(t *testing.T) {
		if got := wsgi.GuessScheme(newSource()); got != "http" {
			t.Errorf("GuessScheme = %q, want http", got)
		}
	})
}
