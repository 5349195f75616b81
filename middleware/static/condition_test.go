package static_test

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

const (
	earlier = "Mon, 06 May 2024 07:08:08 GMT"
	afterIt = "Mon, 06 May 2024 07:08:10 GMT"
)

// Rack and Plack compare the whole header with the tag, and Plack wants both
// If-None-Match and If-Modified-Since to hold.
func TestConditions(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{"a.txt": "content"}), Encodings: []string{"gzip"}})
	etag := wsgitest.Do(t, app, get("/a.txt")).Headers.Get("ETag")
	for _, tt := range []struct {
		name    string
		headers []string
		want    int
	}{
		{"none", nil, 200},
		{"same tag", []string{"If-None-Match", etag}, 304},
		{"other tag", []string{"If-None-Match", `"x"`}, 200},
		{"weak", []string{"If-None-Match", "W/" + etag}, 304},
		{"list", []string{"If-None-Match", `"x", W/"y,z" ,, ` + etag}, 304},
		{"list without blanks", []string{"If-None-Match", `"x",` + etag + `,"z"`}, 304},
		{"two lines", []string{"If-None-Match", `"x"`, "If-None-Match", etag}, 304},
		{"any", []string{"If-None-Match", "*"}, 304},
		{"star in a list", []string{"If-None-Match", `"x", *`}, 200},
		{"without quotes", []string{"If-None-Match", strings.Trim(etag, `"`)}, 200},
		{"a part of it", []string{"If-None-Match", etag[:len(etag)-2] + `"`}, 200},
		{"after a malformed one", []string{"If-None-Match", `x, ` + etag}, 200},
		{"no comma", []string{"If-None-Match", etag + etag}, 200},
		{"unclosed", []string{"If-None-Match", etag[:len(etag)-1]}, 200},
		{"lower case w", []string{"If-None-Match", "w/" + etag}, 200},

		{"same date", []string{"If-Modified-Since", thenDate}, 304},
		{"later date", []string{"If-Modified-Since", afterIt}, 304},
		{"earlier date", []string{"If-Modified-Since", earlier}, 200},
		{"no date", []string{"If-Modified-Since", "yesterday"}, 200},
		{"RFC 850", []string{"If-Modified-Since", "Monday, 06-May-24 07:08:09 GMT"}, 304},
		{"asctime", []string{"If-Modified-Since", "Mon May  6 07:08:09 2024"}, 304},

		{"the tag wins over a date that holds", []string{"If-None-Match", `"x"`, "If-Modified-Since", thenDate}, 200},
		{"the tag wins over a date that does not", []string{"If-None-Match", etag, "If-Modified-Since", earlier}, 304},

		{"If-Match", []string{"If-Match", etag}, 200},
		{"If-Match list", []string{"If-Match", `"x", ` + etag}, 200},
		{"If-Match any", []string{"If-Match", "*"}, 200},
		{"If-Match other", []string{"If-Match", `"x"`}, 412},
		{"If-Match is strong", []string{"If-Match", "W/" + etag}, 412},
		{"If-Match malformed", []string{"If-Match", "x"}, 412},
		{"If-Match before If-None-Match", []string{"If-Match", `"x"`, "If-None-Match", etag}, 412},
		{"If-Match and If-None-Match", []string{"If-Match", etag, "If-None-Match", etag}, 304},
		{"If-Unmodified-Since", []string{"If-Unmodified-Since", thenDate}, 200},
		{"If-Unmodified-Since earlier", []string{"If-Unmodified-Since", earlier}, 412},
		{"If-Unmodified-Since malformed", []string{"If-Unmodified-Since", "x"}, 200},
		{"If-Match wins over its date", []string{"If-Match", etag, "If-Unmodified-Since", earlier}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, method := range []string{"GET", "HEAD"} {
				res := wsgitest.Do(t, app, request(method, "/a.txt", tt.headers...))
				if res.Code != tt.want {
					t.Errorf("%s: got %s, expected %d", method, res.Status, tt.want)
				}
				if res.Code == 304 {
					want := wsgi.Headers{{Name: "ETag", Value: etag}, {Name: "Cache-Control", Value: "no-cache"}, {Name: "Vary", Value: "Accept-Encoding"}}
					if diff := cmp.Diff(want, res.Headers); diff != "" || res.Text() != "" {
						t.Errorf("%s: body %q, headers (-want +got):\n%s", method, res.Text(), diff)
					}
				}
			}
		})
	}
}

//go:embed testdata/site
var embedded embed.FS

// An embedded file has no time. Its tag is one of its content.
func TestEmbedded(t *testing.T) {
	site, err := fs.Sub(embedded, "testdata/site")
	if err != nil {
		t.Fatal(err)
	}
	app := linted(t, static.Config{Files: site, Encodings: []string{"gzip"}})
	tags := map[string]string{}
	for _, target := range []string{"/", "/style.css", "/copy.css"} {
		first, again := wsgitest.Do(t, app, get(target)), wsgitest.Do(t, app, get(target))
		tag := first.Headers.Get("ETag")
		if first.Code != 200 || first.Headers.Has("Last-Modified") || len(tag) < 10 || again.Headers.Get("ETag") != tag {
			t.Errorf("%s: got %s with %v, and then %v", target, first.Status, first.Headers, again.Headers)
		}
		if res := wsgitest.Do(t, app, get(target, "If-None-Match", tag)); res.Code != 304 {
			t.Errorf("%s: got %s", target, res.Status)
		}
		if res := wsgitest.Do(t, app, get(target, "Range", "bytes=1-2", "If-Range", tag)); res.Code != 206 || res.Text() != first.Text()[1:3] {
			t.Errorf("%s: got %s %q", target, res.Status, res.Text())
		}
		tags[target] = tag
	}
	if tags["/"] == tags["/style.css"] || tags["/style.css"] != tags["/copy.css"] {
		t.Errorf("tags are %v, expected one for each content", tags)
	}
}

// Files without a time that somebody could change have no validators at all.
func TestUndated(t *testing.T) {
	for name, modified := range map[string]time.Time{"zero": {}, "epoch": time.Unix(0, 0), "reproducible": time.Unix(1, 0)} {
		t.Run(name, func(t *testing.T) {
			app := linted(t, static.Config{Files: fstest.MapFS{"a.txt": {Data: []byte("abc"), ModTime: modified}}})
			has(t, wsgitest.Do(t, app, get("/a.txt")), map[string]string{"ETag": "", "Last-Modified": ""})
			for _, tt := range []struct {
				header, value string
				want          int
			}{
				{"If-None-Match", `"x"`, 200}, {"If-None-Match", "*", 304}, {"If-None-Match", `""`, 200},
				{"If-Match", `""`, 412}, {"If-Match", "*", 200},
				{"If-Modified-Since", afterIt, 200}, {"If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT", 200},
			} {
				if res := wsgitest.Do(t, app, get("/a.txt", tt.header, tt.value)); res.Code != tt.want {
					t.Errorf("%s: %s: got %s, expected %d", tt.header, tt.value, res.Status, tt.want)
				}
			}
		})
	}
}

// A file that was written a moment ago could change again without a trace, and
// a time from the future says nothing.
func TestUnsettled(t *testing.T) {
	dir, root := folder(t, map[string]string{"a.txt": "abc"})
	app := linted(t, static.Config{Files: root})
	set := func(at time.Time) *wsgitest.Response {
		if err := os.Chtimes(filepath.Join(dir, "a.txt"), at, at); err != nil {
			t.Fatal(err)
		}
		return wsgitest.Do(t, app, get("/a.txt"))
	}
	res := set(time.Now().Add(time.Hour))
	has(t, res, map[string]string{"Last-Modified": ""})
	tag := res.Headers.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) {
		t.Errorf("ETag of a file of the future is %s, expected a weak one", tag)
	}
	for _, tt := range []struct {
		header, value string
		want          int
	}{{"If-None-Match", tag, 304}, {"If-Match", tag, 412}, {"If-Range", tag, 200}, {"If-Range", tag[2:], 200}} {
		if res := wsgitest.Do(t, app, get("/a.txt", tt.header, tt.value, "Range", "bytes=0-0")); res.Code != tt.want {
			t.Errorf("%s: %s: got %s, expected %d", tt.header, tt.value, res.Status, tt.want)
		}
	}
	res = set(time.Now().Add(-time.Hour))
	if tag := res.Headers.Get("ETag"); !strings.HasPrefix(tag, `"`) || !res.Headers.Has("Last-Modified") {
		t.Errorf("a file of an hour ago has %v", res.Headers)
	}
}
