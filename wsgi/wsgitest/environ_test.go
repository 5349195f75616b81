package wsgitest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestRequestVariables(t *testing.T) {
	tests := []struct {
		name    string
		request *wsgitest.Request
		want    map[string]any // nil for an absent variable
	}{
		{"the zero Request", &wsgitest.Request{}, map[string]any{
			"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
			"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
			"HTTP_HOST": "127.0.0.1", "REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "1234",
			"wsgi.url_scheme": "http", "CONTENT_LENGTH": nil, "CONTENT_TYPE": nil, "HTTPS": nil,
		}},
		{"absolute URL", wsgitest.NewRequest("GET", "https://shop.example:8443?q=1").With("Host", "other"), map[string]any{
			"wsgi.url_scheme": "https", "HTTP_HOST": "shop.example:8443", "PATH_INFO": "/",
			"REQUEST_URI": "/?q=1", "QUERY_STRING": "q=1", "SERVER_PORT": "443", "HTTPS": "on",
		}},
		{"two slashes are a path", &wsgitest.Request{Target: "//a//b?c?d"}, map[string]any{
			"PATH_INFO": "//a//b", "QUERY_STRING": "c?d", "HTTP_HOST": "127.0.0.1",
		}},
		{"decoded once", &wsgitest.Request{Target: "/%252c%2F%FF/../."}, map[string]any{
			"PATH_INFO": "/%2c/\xff/../.", "REQUEST_URI": "/%252c%2F%FF/../.",
		}},
		{"mount point", &wsgitest.Request{ScriptName: "/café", Target: "/caf%C3%A9/x"}, map[string]any{
			"SCRIPT_NAME": "/café", "PATH_INFO": "/x",
		}},
		{"mount point itself", &wsgitest.Request{ScriptName: "/a", Target: "/a"}, map[string]any{
			"SCRIPT_NAME": "/a", "PATH_INFO": "",
		}},
		{"no target", &wsgitest.Request{ScriptName: "/a b"}, map[string]any{
			"SCRIPT_NAME": "/a b", "PATH_INFO": "/", "REQUEST_URI": "/a%20b/",
		}},
		{"OPTIONS", &wsgitest.Request{Method: "OPTIONS", Target: "*"}, map[string]any{"PATH_INFO": "*"}},
		{"no peer address", &wsgitest.Request{RemoteAddr: "@"}, map[string]any{
			"REMOTE_ADDR": nil, "REMOTE_PORT": nil,
		}},
		{"IPv6 peer", &wsgitest.Request{RemoteAddr: "[fe80::1%eth0]:99"}, map[string]any{
			"REMOTE_ADDR": "fe80::1", "REMOTE_PORT": "99",
		}},
		{"server", &wsgitest.Request{ServerName: "s.example", ServerPort: "8080", Proto: "HTTP/1.0"}, map[string]any{
			"SERVER_NAME": "s.example", "SERVER_PORT": "8080", "SERVER_PROTOCOL": "HTTP/1.0",
		}},
		{"cookies", get().Cookie("a", "1").Cookie("b", "2"), map[string]any{"HTTP_COOKIE": "a=1; b=2", "COOKIE": nil}},
		{"empty header", get().With("X-Empty", ""), map[string]any{"HTTP_X_EMPTY": ""}},
		{"Transfer-Encoding", get().With("Transfer-Encoding", "chunked"), map[string]any{"HTTP_TRANSFER_ENCODING": nil}},
		{"extra", &wsgitest.Request{Extra: map[string]any{
			"REMOTE_USER": "ada", "SERVER_PORT": 80, "HTTP_HOST": nil, "shop.db": 7,
			"wsgi.run_once": true, "wsgi.file_wrapper": nil, "wsgi.url_scheme": "https",
		}}, map[string]any{
			"REMOTE_USER": "ada", "SERVER_PORT": 80, "HTTP_HOST": nil, "shop.db": 7,
			"wsgi.run_once": true, "wsgi.file_wrapper": nil, "wsgi.url_scheme": "https",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorded := wsgitest.Do(t, wsgi.Response{Status: "200 OK"}, tt.request).Environ
			for name, environ := range map[string]*wsgi.Environ{"Do": recorded, "Environ": tt.request.Environ()} {
				got := make(map[string]any)
				for key := range tt.want {
					got[key] = environ.Get(key)
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", name, diff)
				}
			}
		})
	}
}

// What Environ gives is what Do gives, key by key and type by type.
func TestRequestEnvironIsThatOfDo(t *testing.T) {
	req := wsgitest.NewRequest("POST", "https://h.example/p?q").JSON(1).With("X-A", "1")
	req.Extra = map[string]any{"shop.db": 7, "wsgi.run_once": true}
	recorded := wsgitest.Do(t, wsgi.Response{Status: "200 OK"}, req).Environ.Map()
	byHand := req.Environ().Map()
	delete(recorded, "wsgi.early_hints") // needs a transport
	if diff := cmp.Diff(slices.Sorted(maps.Keys(recorded)), slices.Sorted(maps.Keys(byHand))); diff != "" {
		t.Errorf("keys (-Do +Environ):\n%s", diff)
	}
	for key, value := range recorded {
		switch key {
		case "wsgi.input", "wsgi.errors", "wsgi.file_wrapper":
			continue // no two of them are equal
		}
		if diff := cmp.Diff(value, byHand[key]); diff != "" {
			t.Errorf("%s (-Do +Environ):\n%s", key, diff)
		}
	}
}

func TestRequestEnvironErrors(t *testing.T) {
	environ := get().Environ()
	environ.Errors().WriteString("disk is full\n")
	if got := fmt.Sprint(environ.Get("wsgi.errors")); got != "disk is full\n" {
		t.Errorf("wsgi.errors tells %q, expected what was written", got)
	}
}

// Describing a request changes nothing of it, as Altered defines change.
func TestRequestEnvironUnaltered(t *testing.T) {
	req := get()
	req.Extra = map[string]any{"REMOTE_USER": "ada", "shop.db": 7}
	if req.Environ().Altered() || wsgitest.Do(t, wsgi.Response{Status: "200 OK"}, req).Environ.Altered() {
		t.Error("the environ is marked as altered, expected it to be the server's own")
	}
}
