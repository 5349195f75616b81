package wsgiref_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// environ makes an environ with the variables in pairs.
func environ(pairs ...string) *wsgi.Environ {
	extra := make(map[string]any)
	for i := 0; i < len(pairs); i += 2 {
		extra[pairs[i]] = pairs[i+1]
	}
	return (&wsgitest.Request{Extra: extra}).Environ()
}

func TestShift(t *testing.T) {
	tests := []struct{ script, path, name, scriptAfter, pathAfter, why string }{
		// The plain way.
		{"", "/", "", "/", "", "the root of the application, with its slash"},
		{"", "/shop", "shop", "/shop", "", ""},
		{"/", "", "", "/", "", "nothing is left, nothing changes"},
		{"/shop", "/cart/add", "cart", "/shop/cart", "/add", ""},
		{"/shop", "/cart/", "cart", "/shop/cart", "/", "the slash at the end is told to whoever is next"},

		// Paths that somebody may have tampered with.
		{"/shop/cart", "/../admin", "..", "/shop", "/admin", "up is a name of its own"},
		{"", "/../admin", "..", "", "/admin", "but not above the root"},
		{"/shop", "//cart", "cart", "/shop/cart", "", "empty segments are no names"},
		{"/shop", "//cart/", "cart", "/shop/cart", "/", ""},
		{"/shop", "/./cart", "cart", "/shop/cart", "", "nor is a dot"},
		{"/shop", "/./cart/", "cart", "/shop/cart", "/", ""},
		{"/shop/cart", "//.//.././/admin/./", "..", "/shop", "/admin/", "all of it together"},
		{"/shop", "///", "", "/shop/", "", "only slashes are one"},
		{"/shop", "/.//", "", "/shop/", "", ""},
		{"/shop", "/cart//", "cart", "/shop/cart", "/", ""},
		{"/shop", "/.", "", "/shop", "", "a dot at the end is where we are"},
	}
	t.Run("CGI-32/shift", func(t *testing.T) {
		for _, tt := range tests {
			e := environ("SCRIPT_NAME", tt.script, "PATH_INFO", tt.path)
			got := []string{e.ShiftPathInfo(), e.Var("SCRIPT_NAME"), e.Var("PATH_INFO")}
			if diff := cmp.Diff([]string{tt.name, tt.scriptAfter, tt.pathAfter}, got); diff != "" {
				t.Errorf("%q below %q: name, SCRIPT_NAME, PATH_INFO (-want +got), %s:\n%s", tt.path, tt.script, tt.why, diff)
			}
		}
	})
}

// vars is a wsgi.Source.
type vars map[string]string

func (v vars) Lookup(key string) (string, bool) { value, ok := v[key]; return value, ok }
func (v vars) All(yield func(key, value string) bool) {
	for key, value := range v {
		if !yield(key, value) {
			return
		}
	}
}

func TestGuessScheme(t *testing.T) {
	t.Run("SRV-11/scheme-of-a-process-environment", func(t *testing.T) {
		for https, want := range map[string]string{"on": "https", "1": "https", "yes": "https", "off": "http", "": "http", "ON?": "http"} {
			if got := wsgi.GuessScheme(vars{"HTTPS": https}); got != want {
				t.Errorf("HTTPS=%s is %s, expected %s", https, got, want)
			}
		}
		if got := wsgi.GuessScheme(vars{}); got != "http" {
			t.Errorf("without HTTPS it is %s, expected http", got)
		}
	})
}

func TestURL(t *testing.T) {
	tests := []struct {
		name string
		vars []string
		want string
	}{
		{"URL-01/application", []string{}, "http://127.0.0.1/"},
		{"URL-01/application", []string{"SCRIPT_NAME", "/shop"}, "http://127.0.0.1/shop"},
		{"URL-01/application", []string{"SCRIPT_NAME", "/caf\xe9"}, "http://127.0.0.1/caf%E9"},
		{"URL-01/application", []string{"HTTP_HOST", "shop.example:8080", "SERVER_PORT", "8080"}, "http://shop.example:8080/"},
		{"URL-01/application", []string{"HTTP_HOST", "", "SERVER_NAME", "shop.example"}, "http://shop.example/"},
		{"URL-01/application", []string{"HTTP_HOST", "shop.example", "SERVER_NAME", "other.example"}, "http://shop.example/"},
		{"URL-01/application", []string{"wsgi.url_scheme", "https"}, "https://127.0.0.1/"},
		{"URL-01/application", []string{"HTTP_HOST", "", "SERVER_PORT", "8080"}, "http://127.0.0.1:8080/"},

		{"URL-01/request", []string{}, "http://127.0.0.1/"},
		{"URL-01/request", []string{"SCRIPT_NAME", "/shop", "PATH_INFO", ""}, "http://127.0.0.1/shop"},
		{"URL-01/request", []string{"SCRIPT_NAME", "/caf\xe9", "PATH_INFO", ""}, "http://127.0.0.1/caf%E9"},
		{"URL-01/request", []string{"SCRIPT_NAME", "/shop", "PATH_INFO", "/cart"}, "http://127.0.0.1/shop/cart"},
		{"URL-01/request", []string{"SCRIPT_NAME", "/shop", "PATH_INFO", "/caf\xe9"}, "http://127.0.0.1/shop/caf%E9"},
		{"URL-01/request", []string{"SCRIPT_NAME", "/shop", "PATH_INFO", "/cart;old"}, "http://127.0.0.1/shop/cart;old"},
		{"URL-01/request", []string{"SCRIPT_NAME", "/shop", "PATH_INFO", "/cart;ids=7,8"}, "http://127.0.0.1/shop/cart;ids=7,8"},
		{"URL-01/request", []string{"PATH_INFO", "/cart", "QUERY_STRING", "id=7"}, "http://127.0.0.1/cart?id=7"},
		{"URL-01/request", []string{"PATH_INFO", "/cart", "QUERY_STRING", "caf%E9=7"}, "http://127.0.0.1/cart?caf%E9=7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := environ(tt.vars...)
			got := e.ApplicationURL()
			if tt.name == "URL-01/request" {
				got = e.URL(true)
				without, _, _ := strings.Cut(tt.want, "?")
				if url := e.URL(false); url != without {
					t.Errorf("URL(false) of %q is %s, expected %s", tt.vars, url, without)
				}
			}
			if got != tt.want {
				t.Errorf("%q gives %s, expected %s", tt.vars, got, tt.want)
			}
		})
	}
}

// file is a reader that knows whether it was closed.
type file struct {
	*strings.Reader
	closed int
}

func (f *file) Close() error { f.closed++; return nil }

func TestFileWrapper(t *testing.T) {
	send := func(f *file, app func(wsgi.Iterable) wsgi.Iterable) *wsgitest.Response {
		return wsgitest.Do(t, wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return answer("200 OK", nil, app(environ.FileWrapper()(f, 40)))(environ, start)
		}), &wsgitest.Request{})
	}
	t.Run("FILE-05/blocks-of-a-size", func(t *testing.T) {
		content := strings.Repeat("abcde", 10)
		res := send(&file{Reader: strings.NewReader(content)}, func(b wsgi.Iterable) wsgi.Iterable { return b })
		if diff := cmp.Diff([][]byte{[]byte(content[:40]), []byte(content[40:])}, res.Blocks); diff != "" {
			t.Errorf("blocks (-want +got):\n%s", diff)
		}
	})
	t.Run("FILE-08/closed-with-the-body", func(t *testing.T) {
		f := &file{Reader: strings.NewReader("abc")}
		during := -1
		send(f, func(b wsgi.Iterable) wsgi.Iterable {
			return body{func(yield func([]byte, error) bool) {
				b.Blocks(yield)
				during = f.closed // read to its end, but not closed for that
			}, b.Close}
		})
		if during != 0 || f.closed != 1 {
			t.Errorf("closed %d times by reading and %d times in the end, expected 0 and 1", during, f.closed)
		}
	})
}

func TestHeaderList(t *testing.T) {
	t.Run("HDR-12/list-as-a-mapping", func(t *testing.T) {
		var h wsgi.Headers
		h.Del("Vary") // nothing happens
		if len(h) != 0 || h.Has("vary") || h.Get("vary") != "" || h.Values("vary") != nil {
			t.Errorf("an empty list has Vary: %q", h)
		}
		h.Set("Vary", "Cookie")
		for _, name := range []string{"Vary", "vary", "VARY"} {
			if !h.Has(name) || h.Get(name) != "Cookie" || len(h.Values(name)) != 1 {
				t.Errorf("%s is %q", name, h.Values(name))
			}
		}
		if h.Has("Cookie") {
			t.Error("a value is taken for a name")
		}
		h.Set("vary", "Accept")
		if diff := cmp.Diff([]string{"Accept"}, h.Values("VARY")); diff != "" {
			t.Errorf("Set replaces (-want +got):\n%s", diff)
		}
		if got := h.SetDefault("Vary", "*"); got != "Accept" {
			t.Errorf("SetDefault of a field that is there returned %q", got)
		}
		if got := h.SetDefault("Allow", "GET"); got != "GET" || h.Get("allow") != "GET" {
			t.Errorf("SetDefault of a new field returned %q and left %q", got, h.Get("allow"))
		}
		copied := h.Clone()
		copied[0].Value = "changed"
		if h[0].Value == "changed" {
			t.Error("Clone returned the list itself")
		}
	})
	t.Run("HDR-25/parameters-and-text", func(t *testing.T) {
		var h wsgi.Headers
		if got := h.String(); got != "\r\n" {
			t.Errorf("an empty list is %q", got)
		}
		h.AddParams("Link", "</a.css>", wsgi.Header{Name: "rel", Value: "preload"})
		h.AddParams("link", "</b.css>", wsgi.Header{Name: "crossorigin"})
		if diff := cmp.Diff([]string{`</a.css>; rel="preload"`, `</b.css>; crossorigin`}, h.Values("LINK")); diff != "" {
			t.Errorf("fields (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff("Link: </a.css>; rel=\"preload\"\r\nlink: </b.css>; crossorigin\r\n\r\n", h.String()); diff != "" {
			t.Errorf("text (-want +got):\n%s", diff)
		}
	})
}
