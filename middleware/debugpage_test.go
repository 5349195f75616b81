package middleware_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// developer is a request of a browser on this machine.
func developer(target string) *wsgitest.Request {
	req := wsgitest.NewRequest("GET", target).With("Accept", browserAccept).With("Host", "localhost:8000")
	req.RemoteAddr = "127.0.0.1:4711"
	req.ExpectErrors = true
	return req
}

func breaks(v any) wsgi.Application {
	return wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
		if err, ok := v.(error); ok {
			return nil, err
		}
		panic(v)
	})
}

// Who is shown the page, and who is not.
func TestDebugPageVisitors(t *testing.T) {
	stack := middleware.Chain(middleware.Recover(middleware.RecoverConfig{}), middleware.DebugPage(middleware.DebugPageConfig{}))
	app := stack(breaks("the secret is out"))
	tests := []struct {
		name   string
		change func(req *wsgitest.Request)
		shown  bool
	}{
		{"this machine", func(*wsgitest.Request) {}, true},
		{"IPv6", func(req *wsgitest.Request) { req.RemoteAddr = "[::1]:9"; req.Headers.Set("Host", "[::1]:8000") }, true},
		{"an address mapped to IPv6", func(req *wsgitest.Request) { req.RemoteAddr = "[::ffff:127.0.0.1]:9" }, true},
		{"by address", func(req *wsgitest.Request) { req.Headers.Set("Host", "127.0.0.1") }, true},
		{"a name below localhost", func(req *wsgitest.Request) { req.Headers.Set("Host", "app.localhost") }, true},
		{"another machine", func(req *wsgitest.Request) { req.RemoteAddr = "192.0.2.1:9" }, false},
		{"another machine of this network", func(req *wsgitest.Request) { req.RemoteAddr = "10.0.0.7:9" }, false},
		{"no address", func(req *wsgitest.Request) { req.RemoteAddr = "@" }, false},
		{"a foreign name that leads here", func(req *wsgitest.Request) { req.Headers.Set("Host", "evil.example") }, false},
		{"a name that only looks like it", func(req *wsgitest.Request) { req.Headers.Set("Host", "localhost.evil.example") }, false},
		{"a name that ends like it", func(req *wsgitest.Request) { req.Headers.Set("Host", "evillocalhost") }, false},
		{"a proxy on this machine, X-Forwarded-For", func(req *wsgitest.Request) { req.With("X-Forwarded-For", "127.0.0.1") }, false},
		{"a proxy on this machine, Forwarded", func(req *wsgitest.Request) { req.With("Forwarded", "for=127.0.0.1") }, false},
		{"a proxy on this machine, X-Real-IP", func(req *wsgitest.Request) { req.With("X-Real-IP", "127.0.0.1") }, false},
		{"a proxy on this machine, Via", func(req *wsgitest.Request) { req.With("Via", "1.1 front") }, false},
		{"a program", func(req *wsgitest.Request) { req.Headers.Set("Accept", "*/*") }, false},
		{"a script that wants JSON", func(req *wsgitest.Request) { req.Headers.Set("Accept", "application/json") }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := developer("/")
			tt.change(req)
			res := wsgitest.Do(t, app, req)
			if res.Code != 500 || strings.Contains(res.Text(), "the secret is out") != tt.shown {
				t.Errorf("%s, and the page is\n%.200s", res.Status, res.Text())
			}
			if want := map[bool]string{true: "middleware: DebugPage: GET", false: "middleware: Recover: GET"}[tt.shown]; !strings.Contains(res.Errors, want) || !strings.Contains(res.Errors, "the secret is out") {
				t.Errorf("wsgi.errors has %q, expected %q", res.Errors, want)
			}
		})
	}
}

// word is what no page may show. The pages show the source of the tests, so it is
// not spelt out there.
const word = "hunter" + "2"

func innermost() { panic("with <script>alert(1)</script>") }

func TestDebugPageShows(t *testing.T) {
	app := middleware.DebugPage(middleware.DebugPageConfig{})(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		environ.Set("my.object", struct{ password string }{word})
		environ.Set("my.note", "a note")
		innermost() // the line that is shown
		return nil, nil
	}))
	req := developer("/shop/item?id=7&access_token="+word+"&pass%77ord="+word+"&q=%3Cb%3E").
		With("Cookie", word).With("Authorization", "Basic "+word).With("X-Api-Key", word).With("X-Csrf-Token", word).
		With("Referer", "http://user:"+word+"@localhost/x?session="+word+"&page=2").With("User-Agent", "<b>browser</b>")
	res := wsgitest.Do(t, app, req)
	page := res.Text()
	for _, want := range []string{
		"Panic", "with &lt;script&gt;alert(1)&lt;/script&gt;", "innermost", "debugpage_test.go",
		"the line that is shown", "GET http://localhost:8000/shop/item?id=7&amp;access_token=••••••",
		"my.note", "a note", "a value of type struct { password string }", "User-Agent", "&lt;b&gt;browser&lt;/b&gt;",
		"page=2", "wsgi.input", "a stream", "(1, 0)",
	} {
		if want == "(1, 0)" {
			want = "[1 0]"
		}
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, not := range []string{word, "<script>", "<b>browser"} {
		if i := strings.Index(page, not); i >= 0 {
			t.Errorf("the page has %q: %s", not, page[max(0, i-100):i+50])
		}
	}
	if csp := res.Headers.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || res.Headers.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", res.Headers)
	}
}

func TestDebugPageErrors(t *testing.T) {
	root := errors.New("the disk is full")
	err := fmt.Errorf("saving the note: %w", errors.Join(root, http.ErrBodyNotAllowed))
	page := wsgitest.Do(t, middleware.DebugPage(middleware.DebugPageConfig{})(breaks(err)), developer("/")).Text()
	for _, want := range []string{"saving the note: the disk is full", "*fmt.wrapError", "*errors.joinError", "*errors.errorString", http.ErrBodyNotAllowed.Error()} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// What is no failure of the application, or is under way, is passed on.
func TestDebugPagePasses(t *testing.T) {
	tests := []struct {
		name string
		app  wsgi.Application
		code int
		cut  bool
		text string
	}{
		{"an error that answers itself", breaks(&middleware.HTTPError{Code: 404}), 404, false, "Not Found\n"},
		{"the same as a panic", raises(&middleware.HTTPError{Code: 403}, true), 403, false, "Forbidden\n"},
		{"after the first byte", streams(errApp, "begun"), 200, true, "begun"},
		{"a connection that is to be cut", raises(http.ErrAbortHandler, true), 0, true, ""},
	}
	stack := middleware.Chain(middleware.Recover(middleware.RecoverConfig{}), middleware.DebugPage(middleware.DebugPageConfig{}))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, stack(tt.app), developer("/"))
			if tt.cut != (res.Err != nil) || tt.code != 0 && res.Code != tt.code || res.Text() != tt.text {
				t.Errorf("%s %q, error %v", res.Status, res.Text(), res.Err)
			}
		})
	}
}

// The server says what has happened to a response that it cuts.
func TestDebugPageAfterWrite(t *testing.T) {
	m := middleware.DebugPage(middleware.DebugPageConfig{Log: func(_ *wsgi.Environ, err error) { t.Errorf("logged %v", err) }})
	res := wsgitest.Do(t, m(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, _ := start("200 OK", nil, nil)
		write([]byte("begun"))
		return nil, errApp
	})), developer("/"))
	if res.Text() != "begun" || !errors.Is(res.Fault, errApp) {
		t.Errorf("got %q, reported %v", res.Text(), res.Fault)
	}
}

func TestDebugPageSecret(t *testing.T) {
	m := middleware.DebugPage(middleware.DebugPageConfig{Secret: func(name string) bool { return name == "HTTP_X_CARD" }})
	page := wsgitest.Do(t, m(breaks(errApp)), developer("/").With("X-Card", "4111").With("X-Other", "seen")).Text()
	if strings.Contains(page, "4111") || !strings.Contains(page, "seen") {
		t.Error("the secret of the site is shown, or more than that is hidden")
	}
}

func TestDebugPageContract(t *testing.T) {
	keeps(t, middleware.DebugPage(middleware.DebugPageConfig{}))
	t.Run("shown", func(t *testing.T) {
		keeps(t, middleware.Chain(
			middleware.SetEnv(map[string]any{"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "HTTP_ACCEPT": "text/html"}),
			middleware.DebugPage(middleware.DebugPageConfig{}),
		))
	})
}
