package middleware_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// files is a file system of names and contents, all of one time.
func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1]), ModTime: contentTime}
	}
	return m
}

var site = files(
	"a.txt", "a text", "sub/index.html", "<p>index", "sub/b.css", "b{}", "sub/deep/c.js", "c()", "bare/x", "x", "bare/.dot", "dot",
	".env", "secret", ".git/config", "secret", ".well-known/acme", "token", "sub/.well-known/x", "secret", "a b&<c>.html", "odd", "c:d", "colon",
	"back\\slash", "bs", "percent%2f", "pc",
)

func TestStaticPaths(t *testing.T) {
	tests := []struct {
		name, path string
		want       string // the body, "" for the next application
	}{
		{"file", "/a.txt", "a text"},
		{"in a folder", "/sub/b.css", "b{}"},
		{"index", "/sub/", "<p>index"},
		{"its name", "/sub/index.html", "<p>index"},
		{"deep", "/sub/deep/c.js", "c()"},
		{"odd name", "/a%20b%26%3Cc%3E.html", "odd"},
		{"colon", "/c:d", "colon"},
		{"well known", "/.well-known/acme", "token"},
		{"missing", "/b.txt", ""},
		{"no index", "/bare/", ""},
		{"no index, no slash", "/bare", ""},
		{"root without index", "/", ""},
		{"a file with a slash", "/a.txt/", ""},
		{"below a file", "/a.txt/x", ""},
		{"another case", "/A.TXT", ""},
		{"hidden", "/.env", ""},
		{"hidden folder", "/.git/config", ""},
		{"hidden in a folder", "/bare/.dot", ""},
		{"well known is at the root", "/sub/.well-known/x", ""},
		{"dots", "/sub/../a.txt", ""},
		{"dots, quoted", "/sub/%2e%2e/a.txt", ""},
		{"dots at the beginning", "/../static_test.go", ""},
		{"many dots", "/../../../../../../etc/passwd", ""},
		{"dots at the end", "/sub/..", ""},
		{"dot", "/./a.txt", ""},
		{"dot at the end", "/sub/.", ""},
		{"two slashes", "//a.txt", ""},
		{"two slashes in the middle", "/sub//b.css", ""},
		{"two slashes at the end", "/sub//", ""},
		{"quoted slash is a slash", "/sub%2Fb.css", "b{}"},
		{"quoted twice is not", "/sub%252Fb.css", ""},
		{"quoted dots twice", "/%252e%252e/a.txt", ""},
		{"backslash dots", "/..%5ca.txt", ""},
		{"overlong UTF-8 dots", "/%c0%ae%c0%ae/a.txt", ""},
		{"drive", "/C:/a.txt", ""},
		{"long", "/" + strings.Repeat("a", 4000), ""},
		{"deep and long", strings.Repeat("/a", 2000), ""},
	}
	app := middleware.Static(middleware.StaticConfig{FS: site})(text("next"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = "next"
			}
			if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", tt.path)); res.Text() != want {
				t.Errorf("got %s %q, expected %q", res.Status, res.Text(), want)
			}
		})
	}
	for _, path := range []string{"/a.txt\x00", "/a.txt\x00.png", "a.txt", "\x00", "/\\..\\a.txt"} { // that no server of ours lets through
		res := wsgitest.Do(t, app, &wsgitest.Request{Extra: map[string]any{"PATH_INFO": path}})
		if res.Text() != "next" {
			t.Errorf("%q: got %s %q", path, res.Status, res.Text())
		}
	}
	t.Run("Hidden", func(t *testing.T) {
		app := middleware.Static(middleware.StaticConfig{FS: site, Hidden: true})(fails(t))
		if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/.env")); res.Text() != "secret" {
			t.Errorf("got %q", res.Text())
		}
	})
	keeps(t, middleware.Static(middleware.StaticConfig{FS: site}))
	keeps(t, func(next wsgi.Application) wsgi.Application { // every answer of its own
		return middleware.Cascade(middleware.Static(middleware.StaticConfig{FS: site, List: true})(answer("404 Not Found", "")))(next)
	})
	panics(t, func() { middleware.Static(middleware.StaticConfig{}) }, "Static", "FS is nil")
	panics(t, func() { middleware.Static(middleware.StaticConfig{FS: site, Index: "a/b"}) }, "Static", `"a/b"`)
}

// What the file system of an os.Root has is served, what a link leads out to is
// not: Werkzeug follows it.
func TestStaticRoot(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	inside := filepath.Join(dir, "inside")
	for name, text := range map[string]string{"outside/secret": "secret", "inside/file.txt": "file", "inside/sub/x": "x"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"link": filepath.Join(outside, "secret"), "relative": "../outside/secret", "folder": outside, "good": "file.txt", "loop": "loop", "nowhere": "nowhere-else",
	} {
		if err := os.Symlink(target, filepath.Join(inside, name)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	root, err := os.OpenRoot(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	app := middleware.Static(middleware.StaticConfig{FS: root.FS(), List: true})(text("next"))
	for path, want := range map[string]string{
		"/file.txt": "file", "/good": "file", "/sub/x": "x", "/link": "next", "/relative": "next", "/folder/secret": "next", "/folder/": "next", "/folder": "next",
		"/loop": "next", "/nowhere": "next", "/file.txt/x": "next", "/" + strings.Repeat("n", 300): "next",
	} {
		if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", path)); res.Text() != want {
			t.Errorf("%s: got %s %q, expected %q", path, res.Status, res.Text(), want)
		}
	}
	res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/file.txt"))
	if res.FileBytes != 4 || !strings.HasPrefix(res.Headers.Get("ETag"), `"`) || res.Headers.Get("Last-Modified") == "" {
		t.Errorf("%d bytes as a file, headers %v", res.FileBytes, res.Headers)
	}
	send := live(t, app)
	if got := send(wsgitest.NewRequest("GET", "/file.txt").With("Range", "bytes=1-2")); got.Code != 206 || got.Text() != "il" {
		t.Errorf("live: got %s %q", got.Status, got.Text())
	}
	for _, target := range []string{"/../outside/secret", "/%2e%2e/outside/secret", "/..%2foutside/secret", "/sub/..%2f..%2foutside/secret", "/%2e%2e%2foutside%2fsecret", "/..%5coutside%5csecret"} {
		if got := send(wsgitest.NewRequest("GET", target)); strings.Contains(got.Text(), "secret") {
			t.Errorf("live: %s: got %s %q", target, got.Status, got.Text())
		}
	}
}

func TestStaticMethods(t *testing.T) {
	app := middleware.Static(middleware.StaticConfig{FS: site})(answer("201 Created", "the application's"))
	tests := []struct{ method, path, want string }{
		{"HEAD", "/a.txt", "200"},
		{"POST", "/a.txt", "405"},
		{"OPTIONS", "/a.txt", "405"},
		{"POST", "/sub/", "405"},
		{"POST", "/sub", "405"},
		{"POST", "/missing", "201"}, // Plack 1.0049 and 1.0053
		{"POST", "/", "201"},
		{"PUT", "/bare/", "201"},
		{"GET", "/missing", "201"},
	}
	for _, tt := range tests {
		res := wsgitest.Do(t, app, wsgitest.NewRequest(tt.method, tt.path))
		if res.Status[:3] != tt.want || tt.want == "405" && res.Headers.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s %s: got %s, Allow %q, expected %s", tt.method, tt.path, res.Status, res.Headers.Get("Allow"), tt.want)
		}
	}
}

func TestStaticRedirect(t *testing.T) {
	inner := middleware.Static(middleware.StaticConfig{FS: files("sub/index.html", "x", "a b/index.html", "x", "index.html", "root")})
	app := middleware.Mount("/static", inner(text("none")))(text("next"))
	for path, want := range map[string]string{
		"/static/sub":        "/static/sub/",
		"/static/sub?a=b&c":  "/static/sub/?a=b&c",
		"/static/a%20b?%22<": "/static/a%20b/?%22%3C",
		"/static":            "/static/",
	} {
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", path))
		if res.Code != 301 || res.Headers.Get("Location") != want {
			t.Errorf("%s: got %s, Location %q, expected %q", path, res.Status, res.Headers.Get("Location"), want)
		}
	}
	if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/static/")); res.Text() != "root" {
		t.Errorf("got %q", res.Text())
	}
	// Rack CVE-2026-34785: a prefix ends where a segment does.
	for _, path := range []string{"/static-secret/sub/", "/staticsub/", "/statics", "/Static/sub/"} {
		if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", path)); res.Text() != "next" {
			t.Errorf("%s: got %s %q, expected the next application", path, res.Status, res.Text())
		}
	}
	// A redirect is never to another host.
	environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "SCRIPT_NAME": "//evil.example", "PATH_INFO": "/sub"})
	inner(text("next")).Call(environ, func(status string, h wsgi.Headers, _ error) (wsgi.Write, error) {
		if h.Has("Location") {
			t.Errorf("Location is %q", h.Get("Location"))
		}
		return nil, nil
	})
}

func TestStaticHeaders(t *testing.T) {
	var asked []string
	c := middleware.StaticConfig{
		FS:    files("a.txt", "x", "b.CSS", "x", "c.unknown-type", "x", "d", "x", "e.mine", "x", "f.js", "x", "private/g.html", "x"),
		Types: map[string]string{".mine": "text/mine"},
		CacheControl: func(name string) string {
			asked = append(asked, name)
			if strings.HasPrefix(name, "private/") {
				return "no-store"
			}
			return ""
		},
	}
	app := middleware.Static(c)(text("next"))
	for path, want := range map[string]string{
		"/a.txt": "text/plain; charset=utf-8", "/b.CSS": "text/css; charset=utf-8", "/c.unknown-type": "application/octet-stream",
		"/d": "application/octet-stream", "/e.mine": "text/mine", "/f.js": "text/javascript; charset=utf-8",
	} {
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", path))
		if got := res.Headers.Get("Content-Type"); got != want || res.Headers.Get("X-Content-Type-Options") != "nosniff" || res.Headers.Has("Cache-Control") || res.Headers.Has("Vary") {
			t.Errorf("%s: headers %v, expected the type %s", path, res.Headers, want)
		}
	}
	// Rack CVE-2026-34786: a rule for a path does not depend on how it is quoted.
	for _, path := range []string{"/private/g.html", "/%70rivate/g.html", "/private%2fg.html", "/private/%67.html"} {
		asked = nil
		res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", path))
		if res.Headers.Get("Cache-Control") != "no-store" || cmp.Diff([]string{"private/g.html"}, asked) != "" {
			t.Errorf("%s: Cache-Control %q, asked about %q", path, res.Headers.Get("Cache-Control"), asked)
		}
	}
	for _, path := range []string{"//private/g.html", "/./private/g.html", "/x/../private/g.html", "/private//g.html"} {
		if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", path)); res.Text() != "next" {
			t.Errorf("%s: got %q", path, res.Text())
		}
	}
}

func TestStaticTags(t *testing.T) {
	m := files("a", "one", "b", "two")
	app := middleware.Static(middleware.StaticConfig{FS: m})(text("next"))
	tag := func(path string) string {
		return wsgitest.Do(t, app, wsgitest.NewRequest("GET", path)).Headers.Get("ETag")
	}
	before := tag("/a")
	if before == "" || before != tag("/a") {
		t.Errorf("the tags are %s and %s", before, tag("/a"))
	}
	if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/a").With("If-None-Match", before)); res.Code != 304 {
		t.Errorf("got %s", res.Status)
	}
	m["a"] = &fstest.MapFile{Data: []byte("one"), ModTime: contentTime.Add(time.Nanosecond)}
	if tag("/a") == before {
		t.Error("the tag does not know another time")
	}
	// As in an embed.FS.
	timeless := files("a", "one", "b", "two", "c", "one")
	for _, f := range timeless {
		f.ModTime = time.Time{}
	}
	app = middleware.Static(middleware.StaticConfig{FS: timeless})(text("next"))
	if a, b, c := tag("/a"), tag("/b"), tag("/c"); a == "" || a == b || a != c || a != tag("/a") {
		t.Errorf("the tags of one, two and one are %s, %s and %s", a, b, c)
	}
	if res := wsgitest.Do(t, app, wsgitest.NewRequest("GET", "/a")); res.Text() != "one" || res.Headers.Has("Last-Modified") {
		t.Errorf("got %q, headers %v", res.Text(), res.Headers)
	}
}

func TestStaticPrecompressed(t *testing.T) {
	m := files("a.css", "plain", "a.css.gz", "in gzip", "a.css.br", "in brotli", "b.css", "plain", "b.css.gz", "stale", "c.css", "plain", "d.css.gz", "alone")
	m["b.css.gz"].ModTime = contentTime.Add(-time.Second)
	m["c.css.gz/x"] = &fstest.MapFile{Data: []byte("a folder")}
	app := middleware.Static(middleware.StaticConfig{FS: m, Precompressed: true})(text("next"))
	tests := []struct{ name, path, accept, coding, want string }{
		{"not accepted", "/a.css", "", "", "plain"},
		{"gzip", "/a.css", "gzip", "gzip", "in gzip"},
		{"the best", "/a.css", "gzip, br", "br", "in brotli"},
		{"the client's best", "/a.css", "gzip, br;q=0.1", "gzip", "in gzip"},
		{"not there", "/a.css", "zstd", "", "plain"},
		{"the next best that is there", "/a.css", "zstd, gzip;q=0.5", "gzip", "in gzip"},
		{"older than the file", "/b.css", "gzip", "", "plain"},
		{"a folder of that name", "/c.css", "gzip", "", "plain"},
		{"refused", "/a.css", "gzip;q=0, br;q=0", "", "plain"},
		{"without the file", "/d.css", "gzip", "", "next"},
		{"by its own name", "/a.css.gz", "gzip", "", "in gzip"},
	}
	tags := map[string]string{}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := wsgitest.NewRequest("GET", tt.path)
			if tt.accept != "" {
				req.With("Accept-Encoding", tt.accept)
			}
			res := wsgitest.Do(t, app, req)
			if res.Headers.Get("Content-Encoding") != tt.coding || res.Text() != tt.want {
				t.Errorf("got the coding %q and %q, expected %q and %q", res.Headers.Get("Content-Encoding"), res.Text(), tt.coding, tt.want)
			}
			if tt.want == "next" {
				return
			}
			if res.Headers.Get("Vary") != "Accept-Encoding" { // Rack sets none
				t.Errorf("Vary is %q", res.Headers.Get("Vary"))
			}
			if tt.coding != "" && res.Headers.Get("Content-Type") != "text/css; charset=utf-8" {
				t.Errorf("the type is %q", res.Headers.Get("Content-Type"))
			}
			tags[tt.path+" "+tt.coding] = res.Headers.Get("ETag")
			if again := wsgitest.Do(t, app, req.With("If-None-Match", res.Headers.Get("ETag"))); again.Code != 304 || again.Headers.Get("Vary") != "Accept-Encoding" {
				t.Errorf("again: got %s, Vary %q", again.Status, again.Headers.Get("Vary"))
			}
		})
	}
	if a, b, c := tags["/a.css "], tags["/a.css gzip"], tags["/a.css br"]; a == b || b == c || a == c {
		t.Errorf("the tags of three bodies are %s, %s and %s", a, b, c)
	}
}

func TestStaticList(t *testing.T) {
	c := middleware.StaticConfig{FS: site, List: true}
	res := wsgitest.Do(t, middleware.Static(c)(fails(t)), wsgitest.NewRequest("GET", "/"))
	for _, want := range []string{`<a href="./a.txt">a.txt</a>`, `<a href="./sub/">sub/</a>`, `<a href="./a%20b&amp;%3Cc%3E.html">a b&amp;&lt;c&gt;.html</a>`, `<a href="./c:d">c:d</a>`, `<a href="./percent%252f">percent%2f</a>`} {
		if !strings.Contains(res.Text(), want) {
			t.Errorf("the list lacks %s:\n%s", want, res.Text())
		}
	}
	for _, hidden := range []string{".env", ".git", `"../"`, "<c>"} {
		if strings.Contains(res.Text(), hidden) {
			t.Errorf("the list has %s:\n%s", hidden, res.Text())
		}
	}
	res = wsgitest.Do(t, middleware.Static(c)(fails(t)), wsgitest.NewRequest("GET", "/bare/"))
	if !strings.Contains(res.Text(), `href="../"`) || strings.Contains(res.Text(), ".dot") || !strings.Contains(res.Text(), "Index of /bare") {
		t.Errorf("got %s", res.Text())
	}
	if res := wsgitest.Do(t, middleware.Static(c)(fails(t)), wsgitest.NewRequest("GET", "/sub/")); res.Text() != "<p>index" {
		t.Errorf("an index goes before a list, got %q", res.Text())
	}
	none := middleware.StaticConfig{FS: site, List: true, Index: "-"}
	if res := wsgitest.Do(t, middleware.Static(none)(fails(t)), wsgitest.NewRequest("GET", "/sub/")); !strings.Contains(res.Text(), "index.html") {
		t.Errorf("without an index, got %q", res.Text())
	}
}

// faulty is a file system whose files cannot be opened.
type faulty struct {
	fs.FS
	err error
}

func (f faulty) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: f.err}
}

// unopened is a file system of which no file may be opened: opening a pipe waits.
type unopened struct {
	fstest.MapFS
	t *testing.T
}

func (u unopened) Open(name string) (fs.File, error) {
	u.t.Errorf("%s was opened", name)
	return nil, fs.ErrNotExist
}

func (u unopened) Stat(name string) (fs.FileInfo, error) { return fs.Stat(u.MapFS, name) }

func TestStaticErrors(t *testing.T) {
	for err, want := range map[error]int{fs.ErrPermission: 200, fs.ErrNotExist: 200, syscall.ENOTDIR: 200, syscall.ENAMETOOLONG: 200, syscall.EMFILE: 500, syscall.ENFILE: 500} {
		app := middleware.Static(middleware.StaticConfig{FS: faulty{site, err}})(text("next"))
		res := wsgitest.Do(t, app, &wsgitest.Request{Target: "/a.txt", ExpectErrors: true})
		if res.Code != want || want == 200 && res.Text() != "next" {
			t.Errorf("%v: got %s %q, expected %d", err, res.Status, res.Text(), want)
		}
	}
	pipe := files("pipe", "")
	pipe["pipe"].Mode = fs.ModeNamedPipe
	if res := wsgitest.Do(t, middleware.Static(middleware.StaticConfig{FS: unopened{pipe, t}})(text("next")), wsgitest.NewRequest("GET", "/pipe")); res.Text() != "next" {
		t.Errorf("a pipe: got %s %q", res.Status, res.Text())
	}
}
