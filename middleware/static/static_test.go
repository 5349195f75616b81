package static_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestContract(t *testing.T) {
	conformance.TestMiddleware(t, static.New(static.Config{Files: memory(map[string]string{"a.txt": "a"}), Prefix: "/static"}))
}

func TestWholeFile(t *testing.T) {
	dir, root := folder(t, map[string]string{"js/app.js": "let answer = 42\n"})
	info, err := os.Stat(filepath.Join(dir, "js", "app.js"))
	if err != nil {
		t.Fatal(err)
	}
	app := linted(t, static.Config{Files: root, Prefix: "/static"})
	var etag string
	for _, method := range []string{"GET", "HEAD"} {
		t.Run(method, func(t *testing.T) {
			res := wsgitest.Do(t, app, request(method, "/static/js/app.js"))
			etag = res.Headers.Get("ETag")
			want := wsgi.Headers{
				{Name: "Content-Type", Value: "text/javascript; charset=utf-8"},
				{Name: "ETag", Value: etag},
				{Name: "Cache-Control", Value: "no-cache"},
				{Name: "Last-Modified", Value: thenDate},
				{Name: "X-Content-Type-Options", Value: "nosniff"},
				{Name: "Accept-Ranges", Value: "bytes"},
				{Name: "Content-Length", Value: "16"},
			}
			if diff := cmp.Diff(want, res.Headers); diff != "" || res.Status != "200 OK" {
				t.Errorf("%s (-want +got):\n%s", res.Status, diff)
			}
			text, sent := "let answer = 42\n", info.Size()
			if method == "HEAD" {
				text, sent = "", 0
			}
			if res.Text() != text || res.FileBytes != sent {
				t.Errorf("got %q, %d bytes of it as a file; expected %q, %d", res.Text(), res.FileBytes, text, sent)
			}
		})
	}
	if !strings.HasPrefix(etag, `"`) || len(etag) < 8 {
		t.Errorf("ETag is %s, expected a strong one", etag)
	}
	later := then.Add(time.Nanosecond)
	if err := os.Chtimes(filepath.Join(dir, "js", "app.js"), later, later); err != nil {
		t.Fatal(err)
	}
	if got := wsgitest.Do(t, app, get("/static/js/app.js")).Headers.Get("ETag"); got == etag {
		t.Errorf("ETag is still %s although the file was written again", got)
	}
}

// What is no file reaches the application as it was, and only what is one
// limits the method: Plack 1.0049 to 1.0054 could not decide, Werkzeug's
// SharedData answers POST and DELETE with the file.
func TestFallThrough(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{
		"a.txt": "a", "empty/x/y": "y", "with/index.html": "index", ".env": "secret", "d/.git/config": "secret",
	}), Prefix: "/static"})
	for _, tt := range []struct {
		method, target string
		want           string // "" for a 405
	}{
		{"GET", "/static/b.txt", "inside: GET |/static/b.txt"},
		{"POST", "/static/b.txt", "inside: POST |/static/b.txt"},
		{"POST", "/static/a.txt", ""},
		{"DELETE", "/static/a.txt", ""},
		{"OPTIONS", "/static/a.txt", ""},
		{"PUT", "/static/with/", ""},
		{"POST", "/static/with", ""},
		{"POST", "/static/empty/", "inside: POST |/static/empty/"},
		{"GET", "/static/empty/", "inside: GET |/static/empty/"},
		{"GET", "/static/empty", "inside: GET |/static/empty"},
		{"GET", "/static/", "inside: GET |/static/"},
		{"GET", "/static", "inside: GET |/static"},
		{"GET", "/static/a.txt/", "inside: GET |/static/a.txt/"},
		{"GET", "/static/a.txt/b", "inside: GET |/static/a.txt/b"},
		{"GET", "/statica.txt", "inside: GET |/statica.txt"}, // CVE-2026-34785: no boundary behind the prefix
		{"GET", "/static-old/a.txt", "inside: GET |/static-old/a.txt"},
		{"GET", "/a.txt", "inside: GET |/a.txt"},
		{"GET", "/Static/a.txt", "inside: GET |/Static/a.txt"},
		{"GET", "/static/.env", "inside: GET |/static/.env"},
		{"GET", "/static/%2eenv", "inside: GET |/static/.env"}, // CVE-2026-34786: rules see the decoded path
		{"GET", "/static/d/.git/config", "inside: GET |/static/d/.git/config"},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			res := wsgitest.Do(t, app, request(tt.method, tt.target))
			if tt.want != "" {
				if res.Text() != tt.want {
					t.Errorf("got %s %q, expected %q", res.Status, res.Text(), tt.want)
				}
				return
			}
			if res.Status != "405 Method Not Allowed" || res.Headers.Get("Allow") != "GET, HEAD" {
				t.Errorf("got %s with Allow %q", res.Status, res.Headers.Get("Allow"))
			}
		})
	}
}

func TestApplication(t *testing.T) {
	app := static.Application(static.Config{Files: memory(map[string]string{"a.txt": "a"})})
	conformance.TestApplication(t, app)
	for target, want := range map[string]int{"/a.txt": 200, "/b.txt": 404, "/": 404, "": 404} {
		if res := wsgitest.Do(t, app, get(target)); res.Code != want {
			t.Errorf("%q: got %s, expected %d", target, res.Status, want)
		}
	}
	if res := wsgitest.Do(t, app, request("POST", "/b.txt")); res.Code != 404 {
		t.Errorf("POST of what is no file: got %s", res.Status)
	}
}

func TestDotFiles(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{".well-known/security.txt": "Contact:"}), DotFiles: true})
	if res := wsgitest.Do(t, app, get("/.well-known/security.txt")); res.Text() != "Contact:" {
		t.Errorf("got %q", res.Text())
	}
	for _, target := range []string{"/./.well-known/security.txt", "/x/../.well-known/security.txt"} {
		if res := wsgitest.Do(t, app, get(target)); !strings.HasPrefix(res.Text(), "inside: ") {
			t.Errorf("%s: got %q", target, res.Text())
		}
	}
}

// Redirects keep the mount and the query, and stay on the site.
func TestFolder(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{
		"index.html": "root", "docs/index.html": "docs", "docs/de/start.html": "start", "a b/ü/index.html": "odd",
	}), Index: []string{"start.html", "index.html"}})
	for _, tt := range []struct {
		name, script, target string
		location, text       string
	}{
		{"index", "", "/docs/", "", "docs"},
		{"second index", "", "/docs/de/", "", "start"},
		{"root", "", "/", "", "root"},
		{"mount", "/shop", "/shop/", "", "root"},
		{"mount without slash", "/shop", "/shop", "/shop/", ""},
		{"folder", "", "/docs", "/docs/", ""},
		{"query", "", "/docs?a=b%20c&d=/../", "/docs/?a=b%20c&d=/../", ""},
		{"below a mount", "/sh op", "/sh%20op/docs?x", "/sh%20op/docs/?x", ""},
		{"quoted", "", "/a%20b/%C3%BC", "/a%20b/%C3%BC/", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := get(tt.target)
			req.ScriptName = tt.script
			res := wsgitest.Do(t, app, req)
			if tt.location != "" {
				if res.Code != 301 || res.Headers.Get("Location") != tt.location {
					t.Errorf("got %s to %q, expected %q", res.Status, res.Headers.Get("Location"), tt.location)
				}
			} else if res.Code != 200 || res.Text() != tt.text {
				t.Errorf("got %s %q, expected %q", res.Status, res.Text(), tt.text)
			}
		})
	}
	// What no server of this module passes on, but another might.
	for script, want := range map[string]string{"//evil.example": "/evil.example/docs/", `/\evil.example`: "/%5Cevil.example/docs/"} {
		req := get("/")
		req.Extra = map[string]any{"SCRIPT_NAME": script, "PATH_INFO": "/docs", "QUERY_STRING": "a\r\nb"}
		res := wsgitest.Do(t, static.Application(static.Config{Files: memory(map[string]string{"docs/index.html": "docs"})}), req)
		if got := res.Headers.Get("Location"); got != want+"?a%0D%0Ab" {
			t.Errorf("%q: redirected to %q, expected %q", script, got, want)
		}
	}
	if res := wsgitest.Do(t, linted(t, static.Config{Files: memory(map[string]string{"index.html": "root"}), Index: []string{}}), get("/")); res.Text() != "inside: GET |/" {
		t.Errorf("without index files: got %q", res.Text())
	}
}

// Whatever becomes of a request, the file is closed.
func TestClosed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		req    *wsgitest.Request
		opened int32
	}{
		{"whole", get("/a.txt"), 1},
		{"head", request("HEAD", "/a.txt"), 1},
		{"not modified", get("/a.txt", "If-Modified-Since", thenDate), 1},
		{"failed", get("/a.txt", "If-Match", `"x"`), 1},
		{"range", get("/a.txt", "Range", "bytes=0-1"), 1},
		{"ranges", get("/a.txt", "Range", "bytes=0-1,500-501"), 1},
		{"unsatisfiable", get("/a.txt", "Range", "bytes=5000-"), 1},
		{"method", request("POST", "/a.txt"), 0},
		{"empty", get("/empty.txt"), 1},
		{"absent", get("/b.txt"), 0},
		{"the client leaves", &wsgitest.Request{Target: "/big.txt", LeaveAfter: 1}, 1},
		{"the client leaves a range", &wsgitest.Request{Target: "/big.txt", LeaveAfter: 1, Headers: wsgi.Headers{{Name: "Range", Value: "bytes=1-"}}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			files := &tracking{FS: memory(map[string]string{"a.txt": strings.Repeat("a", 1000), "empty.txt": "", "big.txt": strings.Repeat("b", 200_000)})}
			wsgitest.Do(t, linted(t, static.Config{Files: files}), tt.req)
			files.check(t, tt.opened)
		})
		t.Run(tt.name+", refused", func(t *testing.T) {
			if tt.opened == 0 {
				t.Skip("no file is opened")
			}
			files := &tracking{FS: memory(map[string]string{"a.txt": strings.Repeat("a", 1000), "empty.txt": "", "big.txt": "b"})}
			app := static.Application(static.Config{Files: files})
			_, err := app.Call(tt.req.Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, errRefused })
			if !errors.Is(err, errRefused) {
				t.Errorf("the error is %v, expected that of start_response", err)
			}
			files.check(t, 1)
		})
	}
	t.Run("start_response panics", func(t *testing.T) {
		files := &tracking{FS: memory(map[string]string{"a.txt": "a"})}
		func() {
			defer func() { recover() }()
			static.Application(static.Config{Files: files}).Call(get("/a.txt").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { panic("oh") })
		}()
		files.check(t, 1)
	})
	t.Run("listing", func(t *testing.T) {
		files := &tracking{FS: memory(map[string]string{"a.txt": "a"})}
		wsgitest.Do(t, static.Application(static.Config{Files: files, List: true}), get("/"))
		files.check(t, 1)
	})
	t.Run("reading fails", func(t *testing.T) {
		for _, header := range []string{"", "bytes=1-"} {
			files := &tracking{FS: memory(map[string]string{"a.txt": "abc"}), fail: errors.New("the disk is broken")}
			req := get("/a.txt", "Range", header)
			req.ExpectErrors = true
			if res := wsgitest.Do(t, static.Application(static.Config{Files: files}), req); res.Code != 500 {
				t.Errorf("got %s", res.Status)
			}
			files.check(t, 1)
		}
	})
}
