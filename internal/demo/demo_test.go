package demo

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// opened returns the application, which is closed when the test ends.
func opened(t *testing.T) *Demo {
	t.Helper()
	d, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return d
}

func TestPages(t *testing.T) {
	const html, text = "text/html; charset=utf-8", "text/plain; charset=utf-8"
	d := opened(t)
	for _, test := range []struct {
		method, target string
		code           int
		contentType    string
		contains       string
	}{
		{"GET", "/", 200, html, "One contract"},
		{"GET", "/hello", 200, text, "Hello, World!\n"},
		{"GET", "/hello?name=Zo%C3%AB", 200, text, "Hello, Zoë!\n"},
		{"GET", "/hello?name=Zo%EB", 200, text, "Hello, Zoë!\n"},
		{"GET", "/hello?name=%zz;", 200, text, "Hello, World!\n"},
		{"GET", "/upload", 200, html, `<form class="panel" action="/upload" method="post"`},
		{"GET", "/download", 200, text, helloSource},
		{"GET", "/style.css", 200, "text/css; charset=utf-8", "prefers-color-scheme"},
		{"GET", "/favicon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/no/such/%3Cpage%3E", 404, html, "/no/such/&lt;page&gt;"},
		{"GET", "/stream/", 404, html, "/stream/"},
		{"POST", "/", 405, html, "GET, HEAD"},
		{"PUT", "/upload", 405, html, "GET, HEAD, POST"},
	} {
		t.Run(test.method+test.target, func(t *testing.T) {
			res := wsgitest.Do(t, d, wsgitest.NewRequest(test.method, test.target))
			if res.Code != test.code || res.Headers.Get("Content-Type") != test.contentType || !strings.Contains(res.Text(), test.contains) {
				t.Errorf("got %s, %s and %q, want %d, %s and %q in the body",
					res.Status, res.Headers.Get("Content-Type"), res.Text(), test.code, test.contentType, test.contains)
			}
			if allow := res.Headers.Get("Allow"); (allow != "") != (test.code == 405) || !strings.Contains(test.contains, allow) {
				t.Errorf("Allow is %q, want the methods with a 405 and nothing otherwise", allow)
			}
			for _, h := range securityHeaders {
				if got := res.Headers.Get(h.Name); got != h.Value {
					t.Errorf("%s is %q, want %q", h.Name, got, h.Value)
				}
			}
			if test.method != "GET" {
				return
			}
			head := wsgitest.Do(t, d, wsgitest.NewRequest("HEAD", test.target))
			if head.Code != res.Code || len(head.Body()) > 0 {
				t.Errorf("HEAD gets %s and %d bytes, want %s and none", head.Status, len(head.Body()), res.Status)
			}
		})
	}
}

// TestMounted looks at the links when the application is not at the root.
func TestMounted(t *testing.T) {
	d := opened(t)
	for _, test := range []struct{ script, target, link string }{
		{"/shop", "/shop", `href="/shop/stream"`},
		{"/shop", "/shop/", `href="/shop/stream"`},
		{"/shop", "/shop/nothing", `href="/shop/hello?name=you"`},
		{"/caf\xc3\xa9 1", "/caf%C3%A9%201/", `href="/caf%C3%A9%201/style.css"`},
		{"//evil", "//evil/", `href="/evil/style.css"`}, // "//evil/" would be another host
	} {
		req := wsgitest.NewRequest("GET", test.target)
		req.ScriptName = test.script
		res := wsgitest.Do(t, d, req)
		if !strings.Contains(res.Text(), test.link) {
			t.Errorf("mounted at %q, %s has no %s", test.script, test.target, test.link)
		}
		if strings.Contains(res.Text(), `href="/stream"`) {
			t.Errorf("mounted at %q, %s has a link that leads out of it", test.script, test.target)
		}
	}
}

func TestEnviron(t *testing.T) {
	req := wsgitest.NewRequest("GET", "/").Cookie("session", "opensesame").BasicAuth("ada", "opensesame").
		With("X-Api-Key", "opensesame").With("X-Odd", "<b>\xff</b>")
	req.Extra = map[string]any{"gowsgi.number": 42, "gowsgi.nothing": nil, "gowsgi.pair": []string{"opensesame"}}
	text := wsgitest.Do(t, opened(t), req).Text()
	for _, want := range []string{
		"<code>REQUEST_METHOD</code></th><td><code>string</code></td><td><code>GET</code>",
		"<code>SCRIPT_NAME</code></th><td><code>string</code></td><td><em>empty</em>",
		"<code>HTTP_COOKIE</code></th><td><code>string</code></td><td><em>not shown</em>",
		"<code>HTTP_AUTHORIZATION</code></th><td><code>string</code></td><td><em>not shown</em>",
		"<code>HTTP_X_API_KEY</code></th><td><code>string</code></td><td><em>not shown</em>",
		"<code>HTTP_X_ODD</code></th><td><code>string</code></td><td><code>&lt;b&gt;ÿ&lt;/b&gt;</code>",
		"<code>wsgi.version</code></th><td><code>[2]int</code></td><td><code>(1, 0)</code>",
		"<code>wsgi.input</code></th><td><code>wsgi.InputStream</code></td><td><em>the request body, a stream</em>",
		"<code>wsgi.multithread</code></th><td><code>bool</code></td><td><code>true</code>",
		"<code>gowsgi.number</code></th><td><code>int</code></td><td><code>42</code>",
		"<code>gowsgi.pair</code></th><td><code>[]string</code></td><td><em>an object of the server</em>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	if strings.Contains(text, "opensesame") {
		t.Error("the page shows a secret")
	}
}

func TestErrorPage(t *testing.T) {
	req := wsgitest.NewRequest("GET", "/error")
	req.ExpectErrors = true
	res := wsgitest.Do(t, opened(t), req)
	if res.Code != 500 || !strings.Contains(res.Text(), "the kettle is empty") {
		t.Errorf("got %s %q, want the error page", res.Status, res.Text())
	}
	if res.Fault != nil {
		t.Errorf("the gateway reports %v, want the application to have handled it", res.Fault)
	}
	if want := "demo: /error: the kettle is empty\n"; res.Errors != want {
		t.Errorf("wsgi.errors got %q, want %q", res.Errors, want)
	}
	if n := len(res.Headers.Values("Content-Type")); n != 1 {
		t.Errorf("Content-Type occurs %d times, want the first head to be replaced", n)
	}
}

func TestPanic(t *testing.T) {
	req := wsgitest.NewRequest("GET", "/panic")
	req.ExpectErrors = true
	res := wsgitest.Do(t, opened(t), req)
	if res.Code != 500 || res.Panic() == nil {
		t.Errorf("got %s and %v, want a 500 of the gateway after a panic", res.Status, res.Fault)
	}
}

func TestDownload(t *testing.T) {
	d := opened(t)
	res := wsgitest.Do(t, d, wsgitest.NewRequest("GET", "/download"))
	if want := `attachment; filename="hello.go"`; res.Headers.Get("Content-Disposition") != want {
		t.Errorf("Content-Disposition is %q, want %q", res.Headers.Get("Content-Disposition"), want)
	}
	if res.FileBytes != int64(len(helloSource)) || res.Closes != 1 {
		t.Errorf("%d bytes were sent as a file, closed %d times, want all %d, once", res.FileBytes, res.Closes, len(helloSource))
	}
}

func TestCloseRemovesTheFile(t *testing.T) {
	d, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.download); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	req := wsgitest.NewRequest("GET", "/download")
	req.ExpectErrors = true
	if res := wsgitest.Do(t, d, req); res.Code != 500 {
		t.Errorf("got %s, want a 500", res.Status)
	}
}

func TestStream(t *testing.T) {
	d := opened(t)
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		res := wsgitest.Do(t, d, wsgitest.NewRequest("GET", "/stream"))
		if want := time.Duration(len(pieces)) * pause; time.Since(begin) != want {
			t.Errorf("it took %v, want %v", time.Since(begin), want)
		}
		if want := len(pieces) + 2; len(res.Blocks) != want || res.Headers.Has("Content-Length") {
			t.Errorf("it has %d blocks, and a length %q, want %d and none", len(res.Blocks), res.Headers.Get("Content-Length"), want)
		}
		if !strings.Contains(res.Text(), `<li><span class="time">3.6 s</span> `) || !strings.HasSuffix(res.Text(), "</html>\n") {
			t.Errorf("the page is not whole: %q", res.Text())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		wsgitest.Do(t, d, wsgitest.NewRequest("HEAD", "/stream"))
		if time.Since(begin) > 0 {
			t.Errorf("HEAD waited %v, want no wait for what is not sent", time.Since(begin))
		}
	})
}

// TestStreamLeft makes the client leave while the stream waits.
func TestStreamLeft(t *testing.T) {
	d := opened(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), pause+pause/2)
		defer cancel()
		begin := time.Now()
		req := wsgitest.NewRequest("GET", "/stream")
		req.Context = ctx
		res := wsgitest.Do(t, d, req)
		if took := time.Since(begin); took != pause+pause/2 || res.Err == nil {
			t.Errorf("it ended after %v with %v, want it to end when the client left", took, res.Err)
		}
	})
}
