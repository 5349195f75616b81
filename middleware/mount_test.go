package middleware_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

var where = vars("SCRIPT_NAME", "PATH_INFO")

func TestMount(t *testing.T) {
	tests := []struct {
		name, prefix, script, path string
		want                       string // SCRIPT_NAME and PATH_INFO inside, "" for the next application
	}{
		{"below", "/app", "", "/app/x", "/app|/x"},
		{"the mount itself", "/app", "", "/app", "/app|"},
		{"the mount with a slash", "/app", "", "/app/", "/app|/"},
		{"net/http/cgi: a segment that only begins alike", "/app", "", "/apple", ""},
		{"net/http/cgi: the same, longer", "/app", "", "/apple/x/y", ""},
		{"shorter", "/app", "", "/ap", ""},
		{"root path", "/app", "", "/", ""},
		{"no path", "/app", "", "", ""},
		{"another case", "/app", "", "/App", ""},
		{"two slashes before", "/app", "", "//app", ""},
		{"two slashes after", "/app", "", "/app//x", "/app|//x"},
		{"dots are left to the application", "/app", "", "/app/../x", "/app|/../x"},
		{"a slash in the prefix means nothing", "/app/", "", "/app", "/app|"},
		{"deep prefix", "/a/b", "", "/a/b/c", "/a/b|/c"},
		{"under a mount", "/b", "/a", "/a/b/c", "/a/b|/c"},
		{"everything", "/", "", "/x", "|/x"},
		{"everything, no prefix", "", "/a", "/a", "/a|"},
		{"bytes", "/caf\xc3\xa9", "", "/caf%C3%A9/x", "/caf\xc3\xa9|/x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := &wsgitest.Request{Target: tt.path, ScriptName: tt.script}
			res := wsgitest.Do(t, middleware.Mount(tt.prefix, where)(text("next")), req)
			want := "next"
			if script, path, inside := strings.Cut(tt.want, "|"); inside {
				want = "SCRIPT_NAME=" + script + "\nPATH_INFO=" + path
			}
			if res.Text() != want {
				t.Errorf("got %q, expected %q", res.Text(), want)
			}
			if got := res.Environ.Var("SCRIPT_NAME"); got != tt.script {
				t.Errorf("SCRIPT_NAME is %q outside, expected %q as before", got, tt.script)
			}
		})
	}
	for _, prefix := range []string{"app", "/a//b", "/a/./b", "/../a", "/a/..", "//"} {
		panics(t, func() { middleware.Mount(prefix, where) }, "Mount", prefix)
	}
	panics(t, func() { middleware.Mount("/a", nil) }, `"/a"`, "nil")
	keeps(t, middleware.Mount("/elsewhere", fails(t)))
	keeps(t, func(next wsgi.Application) wsgi.Application { return middleware.Mount("/", next)(fails(t)) })
}

// Rack and Plack put SCRIPT_NAME back before a lazy body reads it.
func TestMountLazyBody(t *testing.T) {
	lazy := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			yield([]byte(environ.Var("SCRIPT_NAME")+"|"+environ.Var("PATH_INFO")), nil)
		}), err
	})
	res := wsgitest.Do(t, middleware.Mount("/app", lazy)(fails(t)), wsgitest.NewRequest("GET", "/app/x"))
	if res.Text() != "/app|/x" {
		t.Errorf("the body sees %q, expected /app|/x", res.Text())
	}
	// Werkzeug never puts it back, so that a log outside has the wrong path.
	if got := res.Environ.Var("PATH_INFO"); got != "/app/x" {
		t.Errorf("PATH_INFO is %q outside, expected /app/x", got)
	}
}

func FuzzMount(f *testing.F) {
	f.Add("", "/a/b/c", "/a", "/b")
	f.Add("/s", "/a//b", "/a", "/b")
	f.Add("", "/ab", "/a", "/b")
	f.Add("/x", "", "", "/")
	f.Add("", "/a/b", "/a/", "/b/")
	f.Fuzz(func(t *testing.T, script, path, outer, inner string) {
		if path != "" && path[0] != '/' || script != "" && (script[0] != '/' || script[len(script)-1] == '/') {
			t.Skip("no server makes this")
		}
		mounted := func(prefix string, app wsgi.Application) (m wsgi.Middleware) {
			defer func() {
				if recover() != nil {
					m = nil
				}
			}()
			return middleware.Mount(prefix, app)
		}
		var seen []string
		app := wsgi.AppFunc(func(environ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
			script, path := environ.Var("SCRIPT_NAME"), environ.Var("PATH_INFO")
			seen = append(seen, script+"|"+path)
			if path != "" && path[0] != '/' {
				t.Errorf("PATH_INFO is %q inside", path)
			}
			if script != "" && (script[0] != '/' || script[len(script)-1] == '/') {
				t.Errorf("SCRIPT_NAME is %q inside", script)
			}
			environ.Set("PATH_INFO", "changed")
			return nil, nil
		})
		next := wsgi.AppFunc(func(environ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
			seen = append(seen, "next")
			return nil, nil
		})
		call := func(m wsgi.Middleware) string {
			seen = nil
			environ := wsgi.EnvironFromMap(map[string]any{"SCRIPT_NAME": script, "PATH_INFO": path})
			before := environ.Map()
			m(next).Call(environ, nil)
			if diff := cmp.Diff(before, environ.Map()); diff != "" {
				t.Errorf("the caller's environ (-before +after):\n%s", diff)
			}
			if len(seen) != 1 {
				t.Fatalf("called %q, expected one application", seen)
			}
			if got := strings.Replace(seen[0], "|", "", 1); seen[0] != "next" && got != script+path {
				t.Errorf("SCRIPT_NAME and PATH_INFO are %q, expected %q in all", seen[0], script+path)
			}
			return seen[0]
		}
		out := mounted(outer, app)
		if out == nil {
			return
		}
		call(out)
		if both := mounted(strings.TrimSuffix(outer, "/")+inner, app); both != nil && strings.HasPrefix(inner, "/") {
			one := call(both)
			two := call(middleware.Mount(outer, mounted(inner, app)(next)))
			if one != two {
				t.Errorf("Mount(%q, Mount(%q)) sees %q, expected %q as for one", outer, inner, two, one)
			}
		}
		if table := call(middleware.Dispatch(map[string]wsgi.Application{dispatchKey(outer): app})); table != call(out) {
			t.Errorf("Dispatch sees %q, expected %q as for Mount", table, seen)
		}
	})
}

func dispatchKey(prefix string) string {
	if prefix == "" {
		return "/"
	}
	return prefix
}

func TestDispatch(t *testing.T) {
	named := func(name string) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, nil)
			return wsgi.Strings(name + " " + environ.Var("SCRIPT_NAME") + "|" + environ.Var("PATH_INFO")), err
		})
	}
	app := middleware.Dispatch(map[string]wsgi.Application{
		"/a":                    named("a"),
		"/a/b":                  named("ab"),
		"/a/b/c/d":              named("abcd"),
		"Shop.example./":        named("shop"),
		"shop.example/a":        named("shop a"),
		"*.example/":            named("any"),
		"*.deep.example/a":      named("deep a"),
		"[2001:db8:0::1]/":      named("six"),
		"only.example/only":     named("only"),
		"192.0.2.7/":            named("four"),
		"xn--bcher-kva.test/x/": named("idn"),
	})(text("next"))
	tests := []struct{ name, host, path, want string }{
		{"wai: the longest prefix wins", "x", "/a/b/z", "ab /a/b|/z"},
		{"a shorter one", "x", "/a/bz", "a /a|/bz"},
		{"a segment in the middle", "x", "/a/b/c/dd", "ab /a/b|/c/dd"},
		{"the longest", "x", "/a/b/c/d", "abcd /a/b/c/d|"},
		{"none", "x", "/z", "next"},
		{"host", "shop.example", "/z", "shop |/z"},
		{"host before path", "shop.example", "/a/b", "shop a /a|/b"},
		{"case, dot and port", "SHOP.example.:8080", "/", "shop |/"},
		{"pattern", "www.example", "/a", "any |/a"},
		{"pattern of several labels", "w.w.example", "/", "any |/"},
		{"longer pattern", "x.deep.example", "/a", "deep a /a|"},
		{"longer pattern, no such path", "x.deep.example", "/b", "any |/b"},
		{"the domain is not below itself", "example", "/z", "next"},
		{"no label", "xexample", "/z", "next"},
		{"address", "[2001:DB8::1]:80", "/", "six |/"},
		{"address, v4", "192.0.2.7", "/", "four |/"},
		{"host without such a path", "only.example", "/a", "any |/a"},
		{"malformed host", "shop.example/", "/z", "next"},
		{"malformed host, path of all hosts", "shop.example@x", "/a", "a /a|"},
		{"slash at the end of a key", "xn--bcher-kva.test", "/x", "idn /x|"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			environ := wsgitest.NewRequest("GET", tt.path).Environ()
			environ.Set("HTTP_HOST", tt.host)
			var got string
			body, err := app.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			for block := range body.Blocks {
				got += string(block)
			}
			if got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
		})
	}
	t.Run("no Host header", func(t *testing.T) {
		for server, want := range map[string]string{"shop.example": "shop |/z", "2001:db8::1": "six |/z", "elsewhere": "next"} {
			environ := wsgitest.NewRequest("GET", "/z").Environ()
			environ.Delete("HTTP_HOST")
			environ.Set("SERVER_NAME", server)
			body, _ := app.Call(environ, func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			for block := range body.Blocks {
				if string(block) != want {
					t.Errorf("SERVER_NAME %s: got %q, expected %q", server, block, want)
				}
			}
		}
	})
	for _, key := range []string{"", "shop", "shop.example", "sh op/", "shop:80/", "*/", "*.*.x/", "a..b/", "*.1.2.3.4/", "/a//b"} {
		panics(t, func() { middleware.Dispatch(map[string]wsgi.Application{key: where}) }, "Dispatch", key)
	}
	panics(t, func() { middleware.Dispatch(map[string]wsgi.Application{"/x": where, "/x/": where}) }, "another key means the same")
	panics(t, func() { middleware.Dispatch(map[string]wsgi.Application{"/x": nil}) }, `"/x"`, "nil")
	keeps(t, func(next wsgi.Application) wsgi.Application {
		return middleware.Dispatch(map[string]wsgi.Application{"127.0.0.1/": next})(fails(t))
	})
}

// net/http takes Host out of the headers: a table of hosts that looks for it there
// passes its tests, which set it by hand, and never matches on a server.
func TestDispatchLive(t *testing.T) {
	app := middleware.Dispatch(map[string]wsgi.Application{"shop.example/": text("shop"), "*.wild.example/": text("wild")})(text("next"))
	for protocol, s := range transports(app) {
		send := through(t, protocol, s)
		for host, want := range map[string]string{"shop.example": "shop", "SHOP.example:81": "shop", "a.wild.example": "wild", "other.example": "next"} {
			req := get("/")
			req.Headers.Set("Host", host)
			if res := send(req); res.Text() != want {
				t.Errorf("%s, %s: got %q, error %v, expected %q", protocol, host, res.Text(), res.Err, want)
			}
		}
	}
}

// A path of many segments must not cost a look-up for each.
func TestDispatchLongPath(t *testing.T) {
	app := middleware.Dispatch(map[string]wsgi.Application{"/a/b": where})(text("next"))
	path := strings.Repeat("/", 1<<20)
	environ := wsgi.EnvironFromMap(map[string]any{"PATH_INFO": path})
	start := func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil }
	if n := testing.AllocsPerRun(1000, func() { app.Call(environ, start) }); n > 10 {
		t.Errorf("%v allocations", n)
	}
}
