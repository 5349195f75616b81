package static_test

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

var links = regexp.MustCompile(`<a href="([^"]*)">([^<]*)</a>`)

// What a folder holds is text of strangers: no name may become markup, or a URL
// other than that of the file (CVE-2026-25500: javascript:).
func TestListing(t *testing.T) {
	names := []string{
		"plain.txt", "javascript:alert(1)", "<script>alert(1)<", `"onmouseover="x`, "a&amp;b", "sp ace", "what?", "hash#x",
		"100%", "%2e%2e", "ü.txt", "'q'", "data:text", "sub/inner",
	}
	files := map[string]string{".env": "secret", `back\slash`: "x", "new\nline": "x"}
	for _, name := range names {
		files["d/"+name] = name
	}
	app := linted(t, static.Config{Files: memory(files), List: true})
	res := wsgitest.Do(t, app, get("/d/"))
	has(t, res, map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache",
	})
	if strings.Contains(res.Text(), "<script") || strings.Contains(res.Text(), `"onmouse`) {
		t.Errorf("a name became markup:\n%s", res.Text())
	}
	base, _ := url.Parse("http://h.example/d/")
	var shown []string
	for _, link := range links.FindAllStringSubmatch(res.Text(), -1) {
		target, text := html.UnescapeString(link[1]), html.UnescapeString(link[2])
		u, err := base.Parse(target)
		if err != nil || u.Host != "h.example" || u.Scheme != "http" || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%s leads to %v, %v", text, u, err)
			continue
		}
		if text == "../" {
			continue
		}
		shown = append(shown, text)
		if strings.HasSuffix(text, "/") {
			continue
		}
		if file := wsgitest.Do(t, app, get(u.RequestURI())); file.Text() != text {
			t.Errorf("the link of %q leads to %s, which has %q", text, u, file.Text())
		}
	}
	want := slices.Clone(names[:len(names)-1])
	want = append(want, "sub/")
	slices.Sort(want)
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	root := wsgitest.Do(t, app, get("/")).Text()
	if strings.Contains(root, ".env") || strings.Contains(root, "slash") || strings.Contains(root, "line") || strings.Contains(root, "../") {
		t.Errorf("the root shows what cannot be asked for:\n%s", root)
	}
	if res := wsgitest.Do(t, app, request("HEAD", "/d/")); res.Code != 200 || res.Text() != "" {
		t.Errorf("HEAD: got %s %q", res.Status, res.Text())
	}
	if res := wsgitest.Do(t, app, get("/d?x=<")); res.Code != 301 || res.Headers.Get("Location") != "/d/?x=<" {
		t.Errorf("without slash: got %s %v", res.Status, res.Headers)
	}
}

// The path of the request is in the title.
func TestListingTitle(t *testing.T) {
	files := fstest.MapFS{"<b>": {Mode: 0o755 | 1<<31}, "<b>/x": {Data: []byte("x")}}
	res := wsgitest.Do(t, static.Application(static.Config{Files: files, List: true}), get("/%3Cb%3E/"))
	if !strings.Contains(res.Text(), "<title>/&lt;b&gt;/</title>") {
		t.Errorf("got %s", res.Text())
	}
}

func TestListingIsBounded(t *testing.T) {
	files := map[string]string{}
	for i := range 2500 {
		files[fmt.Sprintf("f%04d", i)] = ""
	}
	_, root := folder(t, files)
	page := wsgitest.Do(t, static.Application(static.Config{Files: root, List: true}), get("/")).Text()
	if n := len(links.FindAllString(page, -1)); n != 2000 || !strings.Contains(page, "more than 2000 entries") {
		t.Errorf("%d of 2500 entries are shown", n)
	}
}
