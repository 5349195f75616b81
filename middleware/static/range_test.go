package static_test

import (
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// digits is a file of 1000 bytes in which every three tell where they are.
var digits = func() string {
	var b strings.Builder
	for i := range 334 {
		fmt.Fprintf(&b, "%03d", i)
	}
	return b.String()[:1000]
}()

// each runs a test with a file of the operating system and with one in memory.
func each(t *testing.T, files map[string]string, test func(t *testing.T, config static.Config)) {
	t.Run("os", func(t *testing.T) {
		_, root := folder(t, files)
		test(t, static.Config{Files: root})
	})
	t.Run("memory", func(t *testing.T) { test(t, static.Config{Files: memory(files)}) })
}

// net/http answers 206 to HEAD and POST, and 416 to a unit that it does not know.
func TestOneRange(t *testing.T) {
	each(t, map[string]string{"a.txt": digits, "empty.txt": ""}, func(t *testing.T, config static.Config) {
		app := linted(t, config)
		for _, tt := range []struct {
			name, header string
			want         string // Content-Range; "" for 200, "*" for 416
		}{
			{"first", "bytes=0-9", "0-9"},
			{"one byte", "bytes=999-999", "999-999"},
			{"to the end", "bytes=990-", "990-999"},
			{"past the end", "bytes=990-5000", "990-999"},
			{"last", "bytes=-10", "990-999"},
			{"more than all", "bytes=-5000", "0-999"},
			{"all", "bytes=0-", "0-999"},
			{"upper case unit", "BYTES=0-9", "0-9"},
			{"blanks", "bytes= 0-9 ", "0-9"},
			{"empty elements", "bytes=,0-9,,", "0-9"},
			{"huge", "bytes=1-99999999999999999999999999", "1-999"},
			{"overlapping", "bytes=0-50,40-60", "0-60"},
			{"nearly adjacent", "bytes=0-9,20-29", "0-29"},
			{"contained", "bytes=0-900,3-4,5-", "0-999"},
			{"one of two", "bytes=5000-,1-2", "1-2"},
			{"joined by a third", "bytes=0-9,200-209,5-205", "0-209"},

			{"after the end", "bytes=1000-", "*"},
			{"none of several", "bytes=1000-,2000-2001,-0", "*"},
			{"last none", "bytes=-0", "*"},
			{"overflowing first", "bytes=99999999999999999999999999-", "*"},

			{"unknown unit", "lines=0-9", ""},
			{"no unit", "0-9", ""},
			{"unit only", "bytes", ""},
			{"empty set", "bytes=", ""},
			{"only commas", "bytes=,,", ""},
			{"backwards", "bytes=9-0", ""},
			{"no number", "bytes=a-b", ""},
			{"hyphen", "bytes=-", ""},
			{"negative", "bytes=--1", ""},
			{"sign", "bytes=+1-2", ""},
			{"blank inside", "bytes=1 -2", ""},
			{"one bad of two", "bytes=0-9,x", ""},
			{"too many", "bytes=0-0" + strings.Repeat(",0-0", 16), ""},
		} {
			t.Run(tt.name, func(t *testing.T) {
				res := wsgitest.Do(t, app, get("/a.txt", "Range", tt.header))
				switch tt.want {
				case "":
					has(t, res, map[string]string{"Content-Range": "", "Content-Length": "1000"})
					if res.Code != 200 || res.Text() != digits {
						t.Errorf("got %s with %d bytes", res.Status, len(res.Text()))
					}
				case "*":
					has(t, res, map[string]string{"Content-Range": "bytes */1000"})
					if res.Code != 416 || strings.Contains(res.Text(), "000") {
						t.Errorf("got %s %q", res.Status, res.Text())
					}
				default:
					var first, last int
					fmt.Sscanf(tt.want, "%d-%d", &first, &last)
					want := digits[first : last+1]
					has(t, res, map[string]string{
						"Content-Range": "bytes " + tt.want + "/1000", "Content-Length": fmt.Sprint(len(want)),
						"Content-Type": "text/plain; charset=utf-8", "Last-Modified": thenDate, "Accept-Ranges": "bytes",
					})
					if res.Status != "206 Partial Content" || res.Text() != want {
						t.Errorf("got %s %q, expected %q", res.Status, res.Text(), want)
					}
				}
			})
		}
		t.Run("HEAD", func(t *testing.T) {
			res := wsgitest.Do(t, app, request("HEAD", "/a.txt", "Range", "bytes=0-9"))
			has(t, res, map[string]string{"Content-Range": "", "Content-Length": "1000"})
			if res.Code != 200 {
				t.Errorf("got %s", res.Status)
			}
		})
		t.Run("POST", func(t *testing.T) {
			if res := wsgitest.Do(t, app, request("POST", "/a.txt", "Range", "bytes=0-9")); res.Code != 405 {
				t.Errorf("got %s", res.Status)
			}
		})
		t.Run("empty file", func(t *testing.T) {
			if res := wsgitest.Do(t, app, get("/empty.txt", "Range", "bytes=0-")); res.Code != 200 || res.Headers.Get("Content-Length") != "0" {
				t.Errorf("got %s %v", res.Status, res.Headers)
			}
		})
	})
}

func TestIfRange(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{"a.txt": digits})})
	etag := wsgitest.Do(t, app, get("/a.txt")).Headers.Get("ETag")
	for _, tt := range []struct {
		name, value string
		want        int
	}{
		{"same tag", etag, 206},
		{"other tag", `"x"`, 200},
		{"weak tag", "W/" + etag, 200},
		{"list", etag + `, "x"`, 200},
		{"any", "*", 200},
		{"same date", thenDate, 206},
		{"later date", afterIt, 200}, // just that date: it is not If-Unmodified-Since
		{"earlier date", earlier, 200},
		{"neither", "x", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if res := wsgitest.Do(t, app, get("/a.txt", "Range", "bytes=0-9", "If-Range", tt.value)); res.Code != tt.want {
				t.Errorf("got %s, expected %d", res.Status, tt.want)
			}
			if res := wsgitest.Do(t, app, get("/a.txt", "If-Range", tt.value)); res.Code != 200 {
				t.Errorf("without Range: got %s", res.Status)
			}
			if tt.want == 200 { // not even a 416, for the range is of something else
				if res := wsgitest.Do(t, app, get("/a.txt", "Range", "bytes=5000-", "If-Range", tt.value)); res.Code != 200 {
					t.Errorf("unsatisfiable: got %s", res.Status)
				}
			}
		})
	}
	if res := wsgitest.Do(t, app, get("/a.txt", "Range", "bytes=0-9", "If-None-Match", etag)); res.Code != 304 {
		t.Errorf("conditions come before ranges: got %s", res.Status)
	}
}

func TestManyRanges(t *testing.T) {
	each(t, map[string]string{"a.txt": digits}, func(t *testing.T, config static.Config) {
		app := linted(t, config)
		var boundaries []string
		for range 2 {
			res := wsgitest.Do(t, app, get("/a.txt", "Range", "bytes=500-509, 0-9, -10, 5000-"))
			mediaType, params, err := mime.ParseMediaType(res.Headers.Get("Content-Type"))
			if res.Code != 206 || mediaType != "multipart/byteranges" || err != nil {
				t.Fatalf("got %s %v", res.Status, res.Headers)
			}
			has(t, res, map[string]string{"Content-Length": fmt.Sprint(len(res.Body())), "Content-Range": ""})
			boundary := params["boundary"]
			boundaries = append(boundaries, boundary)
			want := "--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 500-509/1000\r\n\r\n" + digits[500:510] +
				"\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-9/1000\r\n\r\n" + digits[:10] +
				"\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 990-999/1000\r\n\r\n" + digits[990:] +
				"\r\n--B--\r\n"
			if diff := cmp.Diff(want, strings.ReplaceAll(res.Text(), boundary, "B")); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			reader := multipart.NewReader(strings.NewReader(res.Text()), boundary)
			for n := 0; ; n++ {
				p, err := reader.NextPart()
				if err == io.EOF && n == 3 {
					break
				} else if err != nil {
					t.Fatalf("part %d: %v", n, err)
				}
				if content, err := io.ReadAll(p); err != nil || len(content) != 10 {
					t.Errorf("part %d is %q, %v", n, content, err)
				}
			}
		}
		// Rack's boundary is a constant: whoever writes a file can end a part in it.
		if boundaries[0] == boundaries[1] || len(boundaries[0]) < 20 {
			t.Errorf("boundaries are %q", boundaries)
		}
	})
}

// However often a part is asked for, it is sent once (CVE-2024-26141,
// CVE-2026-34826).
func TestRangesDoNotMultiply(t *testing.T) {
	app := linted(t, static.Config{Files: memory(map[string]string{"a.txt": strings.Repeat(digits, 100)})})
	for _, header := range []string{
		"bytes=0-" + strings.Repeat(",0-", 15),
		"bytes=0-99999,0-99998,0-99997,1-,2-,3-,-99999,-99998",
		"bytes=" + strings.Repeat("0-,", 20_000),
		"bytes=0-0,1000-1000,2000-2000,3000-3000,0-99999,5000-5000",
	} {
		begin := time.Now()
		res := wsgitest.Do(t, app, get("/a.txt", "Range", header))
		if n := len(res.Body()); n > 100_000 || time.Since(begin) > 5*time.Second {
			t.Errorf("%.40s: got %s with %d bytes of a file of 100000 in %v", header, res.Status, n, time.Since(begin))
		}
	}
}
