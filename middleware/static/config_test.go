package static_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestCacheControl(t *testing.T) {
	app := linted(t, static.Config{
		Files:        memory(map[string]string{"app.3f2a9c1d.js": "a", "app.js": "b"}),
		CacheControl: "public, max-age=60", Immutable: static.Hashed,
		Types: map[string]string{".js": "text/x-own"},
	})
	hashed := wsgitest.Do(t, app, get("/app.3f2a9c1d.js"))
	has(t, hashed, map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "Content-Type": "text/x-own"})
	has(t, wsgitest.Do(t, app, get("/app.js")), map[string]string{"Cache-Control": "public, max-age=60"})
	has(t, wsgitest.Do(t, app, get("/app.3f2a9c1d.js", "If-None-Match", hashed.Headers.Get("ETag"))),
		map[string]string{"Cache-Control": "public, max-age=31536000, immutable"})
}

// A rule for a file does not depend on how its path was quoted (CVE-2026-34786),
// and there is no second spelling that it would miss.
func TestRuleSeesOneName(t *testing.T) {
	var asked []string
	app := linted(t, static.Config{
		Files:     memory(map[string]string{"private/g.html": "g"}),
		Immutable: func(name string) bool { asked = append(asked, name); return true },
	})
	for _, target := range []string{"/private/g.html", "/%70rivate/g.html", "/private%2fg.html", "/private/%67.html"} {
		asked = nil
		if res := wsgitest.Do(t, app, get(target)); res.Text() != "g" {
			t.Errorf("%s: got %s %q", target, res.Status, res.Text())
		}
		if diff := cmp.Diff([]string{"private/g.html"}, asked); diff != "" {
			t.Errorf("%s: asked about (-want +got):\n%s", target, diff)
		}
	}
	for _, target := range []string{"//private/g.html", "/./private/g.html", "/x/../private/g.html", "/private//g.html"} {
		if res := wsgitest.Do(t, app, get(target)); !strings.HasPrefix(res.Text(), "inside: ") {
			t.Errorf("%s: got %s %q", target, res.Status, res.Text())
		}
	}
}

func TestHashed(t *testing.T) {
	for name, want := range map[string]bool{
		"app.3f2a9c1d.js": true, "js/app-3f2a9c1d.min.js": true, "a.0123456789abcdef0123456789abcdef.css": true,
		"app.js": false, "3f2a9c1d.js": false, "app-20240506.js": false, "deadbeef-facade.js": false,
		"app.3f2a9c1.js": false, "app.3F2A9C1D.js": false, "3f2a9c1d/app.js": false, "x.3f2a9c1d": false, "": false,
	} {
		if got := static.Hashed(name); got != want {
			t.Errorf("Hashed(%q) is %v", name, got)
		}
	}
}

func TestConfigPanics(t *testing.T) {
	files := fstest.MapFS{}
	for _, tt := range []struct {
		name   string
		config static.Config
		want   string
	}{
		{"nothing", static.Config{}, "static: Config.Files is nil"}, // CVE-2025-27610: no root was the working directory
		{"os.DirFS", static.Config{Files: os.DirFS(".")}, "static: Config.Files is an os.DirFS"},
		{"relative prefix", static.Config{Files: files, Prefix: "static"}, `static: Config.Prefix is "static"`},
		{"dots in prefix", static.Config{Files: files, Prefix: "/a/../b"}, `the segment ".."`},
		{"doubled slash", static.Config{Files: files, Prefix: "//a"}, `the segment ""`},
		{"index with folder", static.Config{Files: files, Index: []string{"a/b"}}, `static: Config.Index has "a/b"`},
		{"empty index", static.Config{Files: files, Index: []string{""}}, `static: Config.Index has ""`},
		{"coding", static.Config{Files: files, Encodings: []string{"deflate"}}, `static: Config.Encodings has "deflate"`},
		{"cache", static.Config{Files: files, CacheControl: "a\r\nb"}, "static: Config.CacheControl has"},
		{"suffix", static.Config{Files: files, Types: map[string]string{"md": "text/x"}}, `static: Config.Types has the suffix "md"`},
		{"upper case", static.Config{Files: files, Types: map[string]string{".MD": "text/x"}}, `static: Config.Types has the suffix ".MD"`},
		{"type", static.Config{Files: files, Types: map[string]string{".md": "text/x\n"}}, "static: Config.Types has"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, tt.want) {
					t.Errorf("panic with %q, expected a text with %q", got, tt.want)
				}
			}()
			static.New(tt.config)
		})
	}
}
