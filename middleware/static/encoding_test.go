package static_test

import (
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// A compressed file is another representation: it has a tag of its own, and
// caches are told of the choice. Rack's Static does neither.
func TestEncodings(t *testing.T) {
	_, root := folder(t, map[string]string{
		"app.js": "plain", "app.js.br": "as br", "app.js.gz": "as gz", "app.js.zst": "as zst",
		"a.txt": "plain", "a.txt.gz": "as gz", "b.txt": "plain", "c.txt.gz": "alone",
		"d.txt": "plain", "d.txt.gz/x": "a folder", "site/index.html": "plain", "site/index.html.gz": "as gz",
	})
	app := linted(t, static.Config{Files: root, Encodings: []string{"zstd", "br", "gzip"}})
	for _, tt := range []struct {
		name, target, accept string
		text, coding         string
	}{
		{"no header", "/app.js", "", "plain", ""},
		{"gzip", "/app.js", "gzip", "as gz", "gzip"},
		{"x-gzip", "/app.js", "x-gzip", "as gz", "gzip"},
		{"upper case", "/app.js", "GZIP", "as gz", "gzip"},
		{"a browser's", "/app.js", "gzip, deflate, br, zstd", "as zst", "zstd"},
		{"the client's wish", "/app.js", "gzip;q=1.0, br;q=0.5, zstd;q=0.1", "as gz", "gzip"},
		{"equal wishes", "/app.js", "gzip;q=0.5, br;q=0.5", "as br", "br"},
		{"q=0", "/app.js", "gzip;q=0", "plain", ""},
		{"q=0.000", "/app.js", "gzip;q=0.000, br;q=0.0", "plain", ""},
		{"blanks", "/app.js", "gzip ; q=0.5 ,br ;Q=0", "as gz", "gzip"},
		{"star", "/app.js", "*", "as zst", "zstd"},
		{"star but", "/app.js", "*, zstd;q=0", "as br", "br"},
		{"star none", "/app.js", "*;q=0, gzip", "as gz", "gzip"},
		{"identity preferred", "/app.js", "gzip;q=0.5, identity", "plain", ""},
		{"identity as much", "/app.js", "gzip;q=0.5, identity;q=0.5", "as gz", "gzip"},
		{"identity refused", "/a.txt", "br, identity;q=0", "plain", ""},
		{"unknown", "/app.js", "compress, snappy", "plain", ""},
		{"part of a name", "/app.js", "notgzip, gzipped", "plain", ""},
		{"malformed weight", "/app.js", "gzip;q=2, br;q=x, zstd;q=0.1234", "plain", ""},
		{"weight above 1", "/app.js", "gzip;q=1.001", "plain", ""},
		{"other parameter", "/app.js", "gzip;level=9", "plain", ""},
		{"best is not there", "/a.txt", "br, gzip;q=0.2", "as gz", "gzip"},
		{"none is there", "/b.txt", "br, gzip", "plain", ""},
		{"a folder", "/d.txt", "gzip", "plain", ""},
		{"index", "/site/", "gzip", "as gz", "gzip"},
		{"asked for by name", "/c.txt.gz", "gzip", "alone", ""},
		{"only compressed", "/c.txt", "gzip", "inside: GET |/c.txt", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := get(tt.target)
			if tt.accept != "" {
				req.With("Accept-Encoding", tt.accept)
			}
			res := wsgitest.Do(t, app, req)
			if res.Text() != tt.text || res.Headers.Get("Content-Encoding") != tt.coding {
				t.Errorf("got %q as %q, expected %q as %q", res.Text(), res.Headers.Get("Content-Encoding"), tt.text, tt.coding)
			}
			if tt.name != "only compressed" {
				has(t, res, map[string]string{"Vary": "Accept-Encoding"})
			}
		})
	}
	t.Run("representation", func(t *testing.T) {
		plain := wsgitest.Do(t, app, get("/app.js"))
		zipped := wsgitest.Do(t, app, get("/app.js", "Accept-Encoding", "gzip"))
		tag := zipped.Headers.Get("ETag")
		has(t, zipped, map[string]string{"Content-Type": "text/javascript; charset=utf-8", "Content-Length": "5"})
		if tag == plain.Headers.Get("ETag") {
			t.Errorf("both have the ETag %s", tag)
		}
		for _, tt := range []struct {
			accept, tag string
			want        int
		}{{"gzip", tag, 304}, {"gzip", plain.Headers.Get("ETag"), 200}, {"br", tag, 200}, {"identity", tag, 200}} {
			res := wsgitest.Do(t, app, get("/app.js", "Accept-Encoding", tt.accept, "If-None-Match", tt.tag))
			has(t, res, map[string]string{"Vary": "Accept-Encoding"})
			if res.Code != tt.want {
				t.Errorf("%s with %s: got %s, expected %d", tt.accept, tt.tag, res.Status, tt.want)
			}
			if res.Code == 304 {
				has(t, res, map[string]string{"Content-Encoding": "", "Content-Type": ""})
			}
		}
		part := wsgitest.Do(t, app, get("/app.js", "Accept-Encoding", "gzip", "Range", "bytes=3-", "If-Range", tag))
		has(t, part, map[string]string{"Content-Encoding": "gzip", "Content-Range": "bytes 3-4/5"})
		if part.Text() != "gz" {
			t.Errorf("the range is %q", part.Text())
		}
		asked := wsgitest.Do(t, app, get("/app.js.gz"))
		has(t, asked, map[string]string{"Content-Type": "application/gzip", "Content-Encoding": ""})
	})
	t.Run("of what the file was before", func(t *testing.T) {
		files := memory(map[string]string{"a.js": "new", "a.js.gz": "old", "b.js": "same", "b.js.gz": "same, as gz"})
		files["a.js.gz"].ModTime = then.Add(-time.Second)
		for target, want := range map[string]string{"/a.js": "new", "/b.js": "same, as gz"} {
			res := wsgitest.Do(t, linted(t, static.Config{Files: files, Encodings: []string{"gzip"}}), get(target, "Accept-Encoding", "gzip"))
			has(t, res, map[string]string{"Vary": "Accept-Encoding"})
			if res.Text() != want {
				t.Errorf("%s: got %q, expected %q", target, res.Text(), want)
			}
		}
	})
	t.Run("off", func(t *testing.T) {
		res := wsgitest.Do(t, linted(t, static.Config{Files: root}), get("/app.js", "Accept-Encoding", "gzip"))
		has(t, res, map[string]string{"Vary": "", "Content-Encoding": ""})
		if res.Text() != "plain" {
			t.Errorf("got %q", res.Text())
		}
	})
}
