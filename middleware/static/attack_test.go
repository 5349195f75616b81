package static_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// attacked is a folder beside secrets, among them folders whose names begin
// like its own (CVE-2026-22860: a root was compared without a boundary).
func attacked(t *testing.T) (dir string, config static.Config) {
	dir, root := folder(t, map[string]string{"a.txt": "public", "sub/b.txt": "public", "%2e%2e/c.txt": "public", ".env": "secret", "sub/.git/config": "secret"})
	write(t, filepath.Join(dir, "..", "secret.txt"), "secret")
	write(t, filepath.Join(dir, "..", "public-secret", "secret.txt"), "secret")
	return dir, static.Config{Files: root, Prefix: "/static", List: true}
}

// No spelling of a path leads out of the root, or to a dot file.
func TestTraversal(t *testing.T) {
	dir, config := attacked(t)
	app := linted(t, config)
	absolute := filepath.ToSlash(filepath.Join(filepath.Dir(dir), "secret.txt"))
	for _, rest := range []string{
		"/../secret.txt", "/../public-secret/secret.txt", "/sub/../../secret.txt", "/./../secret.txt",
		"/%2e%2e/secret.txt", "/%2E%2E/secret.txt", "/.%2e/secret.txt", "/%2e./secret.txt", "/sub/%2e%2e/%2e%2e/secret.txt",
		"/..%2fsecret.txt", "/..%2Fsecret.txt", "/%2e%2e%2fsecret.txt", "/%2f..%2f..%2fsecret.txt",
		"/%252e%252e/secret.txt", "/%252e%252e%252fsecret.txt", "/..%252fsecret.txt", "/%25252e%25252e/secret.txt",
		`/..\secret.txt`, "/..%5csecret.txt", "/..%5Csecret.txt", "/sub%5c..%5c..%5csecret.txt", "/%255c..%255csecret.txt", "/..%c0%afsecret.txt",
		"/%c0%ae%c0%ae/secret.txt", "/%e0%80%ae%e0%80%ae/secret.txt", "/%uff0e%uff0e/secret.txt", "/．．/secret.txt", "/..;/secret.txt", "/..;a=b/secret.txt",
		"//secret.txt", "///../secret.txt", "/" + absolute, "//" + absolute, "/%2f" + absolute, "/file:" + absolute, "/C:" + absolute, "/c:/secret.txt", `/\\?\c:\secret.txt`,
		"/..%00/secret.txt", "/../secret.txt%00.txt", "/a.txt%00", "/a.txt%00.html", "/a.txt%0a", "/a.txt%0d%0aX:%20y", "/%7f", "/../../../../../../../../etc/passwd",
		"/.env", "/%2eenv", "/.%65nv", "/sub/.git/config", "/sub/%2egit/config", "/.", "/..", "/sub/.", "/sub/..", "/sub/./b.txt", "/sub//b.txt", "/a.txt/..", "/a.txt/.",
		"/...", "/.../secret.txt", "/.a/../../secret.txt", "/~root/.profile", "/*", "/%2a.txt", "/sub/%3f", "/" + strings.Repeat("a/", 2000), "/" + strings.Repeat("a", 5000),
	} {
		t.Run(rest[:min(len(rest), 60)], func(t *testing.T) {
			requests := []*wsgitest.Request{get("/")}
			decoded, err := url.PathUnescape(rest)
			if err != nil {
				decoded = rest
			}
			requests[0].Extra = map[string]any{"PATH_INFO": "/static" + decoded}
			if err == nil && !strings.ContainsAny(decoded, "\\\x00") { // those the server refuses
				requests = append(requests, get("/static"+rest))
			}
			for _, req := range requests {
				res := wsgitest.Do(t, app, req)
				if !strings.HasPrefix(res.Text(), "inside: GET |/static") {
					t.Errorf("got %s %q, expected that it goes on to the application", res.Status, res.Text())
				}
			}
		})
	}
	// What looks like an attack and is the name of a file.
	if res := wsgitest.Do(t, app, get("/static/%252e%252e/c.txt")); res.Text() != "public" {
		t.Errorf("the folder named %%2e%%2e: got %q", res.Text())
	}
}

// Links are followed inside of the root, and never out of it. Werkzeug's
// SharedData follows them.
func TestLinks(t *testing.T) {
	dir, config := attacked(t)
	for name, target := range map[string]string{
		"good.txt": "sub/b.txt", "gooddir": "sub", "relative.txt": "../secret.txt", "absolute.txt": filepath.Join(filepath.Dir(dir), "secret.txt"),
		"up": "..", "dangling.txt": "nothing", "loop.txt": "loop.txt", "sub/index.html": "../../secret.txt",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	app := linted(t, config)
	for _, tt := range []struct{ path, want, report string }{
		{"/good.txt", "public", ""},
		{"/gooddir/b.txt", "public", ""},
		{"/relative.txt", "", `static: "relative.txt" is not served: path escapes from parent` + "\n"},
		{"/absolute.txt", "", `static: "absolute.txt" is not served: path escapes from parent` + "\n"},
		{"/up/secret.txt", "", `static: "up/secret.txt" is not served: path escapes from parent` + "\n"},
		{"/up/", "", `static: "up" is not served: path escapes from parent` + "\n"},
		{"/dangling.txt", "", ""},
		{"/loop.txt", "", `static: "loop.txt" is not served: too many levels of symbolic links` + "\n"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			req := get("/static" + tt.path)
			req.ExpectErrors = tt.report != ""
			res := wsgitest.Do(t, app, req)
			want := tt.want
			if want == "" {
				want = "inside: GET |/static" + tt.path
			}
			if res.Text() != want || res.Errors != tt.report {
				t.Errorf("got %q and the report %q, expected %q and %q", res.Text(), res.Errors, want, tt.report)
			}
		})
	}
	t.Run("listing", func(t *testing.T) {
		req := get("/static/sub/")
		req.ExpectErrors = true // the index file leads out
		res := wsgitest.Do(t, app, req)
		if !strings.Contains(res.Text(), "b.txt") || strings.Contains(res.Text(), "index.html") {
			t.Errorf("got %s", res.Text())
		}
		page := wsgitest.Do(t, app, get("/static/")).Text()
		for name, want := range map[string]bool{"good.txt": true, "gooddir/": true, "relative.txt": false, "up": false, "dangling": false, "loop": false, ".env": false} {
			if got := strings.Contains(page, `"./`+name); got != want {
				t.Errorf("%s is listed: %v\n%s", name, got, page)
			}
		}
	})
	t.Run("swapped", func(t *testing.T) { // between two requests, and it is the link that counts
		if err := os.RemoveAll(filepath.Join(dir, "a.txt")); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink("../secret.txt", filepath.Join(dir, "a.txt")); err != nil {
			t.Fatal(err)
		}
		req := get("/static/a.txt")
		req.ExpectErrors = true
		if res := wsgitest.Do(t, app, req); res.Text() != "inside: GET |/static/a.txt" {
			t.Errorf("got %q", res.Text())
		}
	})
}

// The folder of well-known files is for the public; no other name with a dot is.
func TestWellKnown(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{
		".well-known/security.txt": "public", ".well-known/.secret": "secret", "sub/.well-known/x": "secret",
		".well-known-not/x": "secret", ".env": "secret", ".well-known/acme-challenge/token": "public",
	})})
	for target, want := range map[string]string{
		"/.well-known/security.txt": "public", "/%2ewell-known/security.txt": "public", "/.well-known/acme-challenge/token": "public",
		"/.well-known/.secret": "", "/sub/.well-known/x": "", "/.well-known-not/x": "", "/.env": "", "/.well-known/../.env": "",
		"/.well-known//.secret": "", "/.well-known/": "", "/.well-known": "",
	} {
		res := wsgitest.Do(t, app, get(target))
		if got := res.Text(); (got == want) != (want != "") || strings.Contains(got, "secret") && !strings.Contains(got, "inside") {
			t.Errorf("%s: %s %q, expected %q", target, res.Status, got, want)
		}
	}
}
