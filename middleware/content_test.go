package middleware_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

const digits = "0123456789"

var contentTime = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) // dayOne

// closing is a reader that tells whether it was closed.
type closing struct {
	io.ReadSeeker
	closed int
}

func (c *closing) Close() error { c.closed++; return nil }

// contents is an application that answers with digits.
func contents(last **closing) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		*last = &closing{ReadSeeker: strings.NewReader(digits)}
		return middleware.Content{
			Reader: *last, Size: 10, ModTime: contentTime, ETag: `"v1"`,
			Headers: headers("Content-Type", "text/x", "Vary", "Cookie", "Content-Encoding", "x"),
		}.Call(environ, start)
	})
}

func TestContentRange(t *testing.T) {
	many := func(n int) string { return "bytes=" + strings.Repeat("0-0,", n-1) + "0-0" }
	tests := []struct {
		name, asked, ifRange string
		want                 string // status and Content-Range and body, or the parts
		differs              bool   // from net/http, which is wrong or only different
	}{
		{"first bytes", "bytes=0-3", "", "206 bytes 0-3/10 0123", false},
		{"one byte", "bytes=9-9", "", "206 bytes 9-9/10 9", false},
		{"to the end", "bytes=7-", "", "206 bytes 7-9/10 789", false},
		{"last bytes", "bytes=-2", "", "206 bytes 8-9/10 89", false},
		{"more than there are", "bytes=5-99", "", "206 bytes 5-9/10 56789", false},
		{"more last bytes than there are", "bytes=-99", "", "206 bytes 0-9/10 0123456789", false},
		{"all", "bytes=0-", "", "206 bytes 0-9/10 0123456789", false},
		{"beyond any number", "bytes=5-99999999999999999999", "", "206 bytes 5-9/10 56789", true},
		{"blanks", "bytes= 0-1 ,, ", "", "206 bytes 0-1/10 01", false},
		{"unit in capitals", "Bytes=0-1", "", "206 bytes 0-1/10 01", true},
		{"beyond the end", "bytes=10-", "", "416 bytes */10 ", false},
		{"no last bytes", "bytes=-0", "", "416 bytes */10 ", true},
		{"none of several", "bytes=10-11,20-", "", "416 bytes */10 ", false},
		{"one of several is one", "bytes=0-1,20-", "", "206 bytes 0-1/10 01", true},
		{"net/http: unknown unit", "lines=0-1", "", "200  0123456789", true},
		{"malformed: no unit", "0-1", "", "200  0123456789", true},
		{"malformed: no dash", "bytes=1", "", "200  0123456789", true},
		{"malformed: backwards", "bytes=3-1", "", "200  0123456789", true},
		{"malformed: letters", "bytes=a-b", "", "200  0123456789", true},
		{"malformed: sign", "bytes=+1-2", "", "200  0123456789", true},
		{"malformed: minus twice", "bytes=--2", "", "200  0123456789", true},
		{"malformed: nothing", "bytes=", "", "200  0123456789", true},
		{"malformed: dash", "bytes=-", "", "200  0123456789", true},
		{"two parts", "bytes=0-1,-2", "", "206 [bytes 0-1/10 01][bytes 8-9/10 89]", false},
		{"any order", "bytes=8-9,0-0,4-5", "", "206 [bytes 8-9/10 89][bytes 0-0/10 0][bytes 4-5/10 45]", false},
		{"more than the whole", "bytes=0-9,0-0", "", "200  0123456789", false},
		{"too many", many(17), "", "200  0123456789", false},
		{"If-Range", "bytes=0-1", `"v1"`, "206 bytes 0-1/10 01", false},
		{"If-Range, another", "bytes=0-1", `"v2"`, "200  0123456789", false},
		{"If-Range, weak", "bytes=0-1", `W/"v1"`, "200  0123456789", false},
		{"If-Range, date", "bytes=0-1", dayOne, "206 bytes 0-1/10 01", false},
		{"If-Range, a later date is another", "bytes=0-1", dayTwo, "200  0123456789", false},
		{"If-Range, nonsense", "bytes=0-1", "yes", "200  0123456789", false},
		{"If-Range, before 416", "bytes=99-", `"v2"`, "200  0123456789", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var last *closing
			app := conformance.NewLinter(t).Lint(contents(&last))
			h := headers("Range", tt.asked)
			if tt.ifRange != "" {
				h.Add("If-Range", tt.ifRange)
			}
			res := wsgitest.Do(t, app, &wsgitest.Request{Headers: h})
			if got := shownRange(t, res.HTTP()); got != tt.want {
				t.Errorf("got %q, expected %q", got, tt.want)
			}
			if last.closed != 1 {
				t.Errorf("the reader was closed %d times", last.closed)
			}
			// HEAD and POST have no parts: net/http sends them.
			head := wsgitest.Do(t, app, &wsgitest.Request{Method: "HEAD", Headers: h})
			if head.Code != 200 || head.Headers.Get("Content-Length") != "10" || last.closed != 1 {
				t.Errorf("HEAD: got %s, Content-Length %q, closed %d times", head.Status, head.Headers.Get("Content-Length"), last.closed)
			}
			if post := wsgitest.Do(t, app, &wsgitest.Request{Method: "POST", Headers: h}); post.Code != 200 {
				t.Errorf("POST: got %s", post.Status)
			}
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			for _, f := range h {
				r.Header.Set(f.Name, f.Value)
			}
			w.Header().Set("ETag", `"v1"`)
			w.Header().Set("Content-Type", "text/x")
			http.ServeContent(w, r, "", contentTime, strings.NewReader(digits))
			if got := shownRange(t, w.Result()); !tt.differs && got != tt.want {
				t.Errorf("net/http says %q", got)
			}
		})
	}
}

// shownRange is what came of a Range, as text.
func shownRange(t *testing.T, res *http.Response) string {
	t.Helper()
	mediaType, parameters, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == 416 {
		body = nil // net/http has a text here
	}
	if mediaType != "multipart/byteranges" {
		return fmt.Sprint(res.StatusCode, " ", res.Header.Get("Content-Range"), " ", string(body))
	}
	if length := res.Header.Get("Content-Length"); length != fmt.Sprint(len(body)) {
		t.Errorf("Content-Length is %s for %d bytes", length, len(body))
	}
	shown := fmt.Sprint(res.StatusCode, " ")
	r := multipart.NewReader(bytes.NewReader(body), parameters["boundary"])
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return shown
		}
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(p)
		if got := p.Header.Get("Content-Type"); got != "text/x" {
			t.Errorf("a part has the type %q", got)
		}
		shown += "[" + p.Header.Get("Content-Range") + " " + string(text) + "]"
	}
}

func TestContent(t *testing.T) {
	var last *closing
	app := contents(&last)
	tests := []struct {
		name, method string
		sent         []string
		status       int
		headers      []string
	}{
		{"whole", "GET", nil, 200, []string{"accept-ranges: bytes", "content-encoding: x", "content-length: 10", "content-type: text/x", `etag: "v1"`, "last-modified: " + dayOne, "vary: Cookie"}},
		{"304", "GET", []string{"If-None-Match", `W/"v1"`, "Range", "bytes=0-1"}, 304, []string{`etag: "v1"`, "last-modified: " + dayOne, "vary: Cookie"}},
		{"304 by date", "HEAD", []string{"If-Modified-Since", dayOne}, 304, []string{`etag: "v1"`, "last-modified: " + dayOne, "vary: Cookie"}},
		{"412", "GET", []string{"If-Match", `"v2"`}, 412, []string{"content-length: 0", "vary: Cookie"}},
		{"416", "GET", []string{"Range", "bytes=10-"}, 416, []string{"content-length: 0", "content-range: bytes */10", "vary: Cookie"}},
		{"a part", "GET", []string{"Range", "bytes=0-0"}, 206, []string{"accept-ranges: bytes", "content-encoding: x", "content-length: 1", "content-range: bytes 0-0/10", "content-type: text/x", `etag: "v1"`, "last-modified: " + dayOne, "vary: Cookie"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, app, &wsgitest.Request{Method: tt.method, Headers: headers(tt.sent...)})
			if diff := cmp.Diff(tt.headers, ownHeaders(res.Headers)); diff != "" || res.Code != tt.status || last.closed != 1 {
				t.Errorf("got %s, closed %d times; headers (-want +got):\n%s", res.Status, last.closed, diff)
			}
		})
	}
	t.Run("no Seek, no parts", func(t *testing.T) {
		res := wsgitest.Do(t, middleware.Content{Reader: io.MultiReader(strings.NewReader(digits)), Size: 10}, &wsgitest.Request{Headers: headers("Range", "bytes=0-1")})
		if res.Code != 200 || res.Headers.Has("Accept-Ranges") || res.Headers.Has("Last-Modified") || res.Text() != digits {
			t.Errorf("got %s, headers %v", res.Status, res.Headers)
		}
	})
	t.Run("empty", func(t *testing.T) {
		res := wsgitest.Do(t, middleware.Content{Reader: strings.NewReader("")}, &wsgitest.Request{Headers: headers("Range", "bytes=0-")})
		if res.Code != 200 || res.Headers.Get("Content-Length") != "0" {
			t.Errorf("got %s", res.Status)
		}
	})
	t.Run("shorter than it says", func(t *testing.T) {
		for _, asked := range []string{"", "bytes=5-", "bytes=0-0,8-9"} {
			res := wsgitest.Do(t, middleware.Content{Reader: strings.NewReader("short"), Size: 10}, &wsgitest.Request{Headers: headers("Range", asked), ExpectErrors: true})
			if res.Err == nil && res.Code < 500 {
				t.Errorf("Range %q: got %s and a response that looks whole", asked, res.Status)
			}
		}
	})
	t.Run("refused by the server", func(t *testing.T) {
		c := &closing{ReadSeeker: strings.NewReader(digits)}
		_, err := middleware.Content{Reader: c, Size: 10}.Call(wsgitest.NewRequest("GET", "/").Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, errApp })
		if !errors.Is(err, errApp) || c.closed != 1 {
			t.Errorf("error %v, closed %d times", err, c.closed)
		}
	})
	t.Run("so many parts and no more", func(t *testing.T) {
		for n, want := range map[int]int{16: 206, 17: 200, 5000: 200} {
			asked := "bytes=" + strings.Repeat("0-0,", n-1) + "0-0"
			res := wsgitest.Do(t, middleware.Content{Reader: strings.NewReader(page), Size: int64(len(page))}, &wsgitest.Request{Headers: headers("Range", asked)})
			if res.Code != want {
				t.Errorf("%d parts: got %s, expected %d", n, res.Status, want)
			}
		}
	})
	t.Run("boundaries are random", func(t *testing.T) {
		seen := map[string]bool{}
		for range 10 {
			seen[wsgitest.Do(t, app, &wsgitest.Request{Headers: headers("Range", "bytes=0-0,2-2")}).Headers.Get("Content-Type")] = true
		}
		if len(seen) != 10 {
			t.Errorf("%d boundaries in 10 responses", len(seen))
		}
	})
	t.Run("files are sent by the system", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "digits")
		if err := os.WriteFile(name, []byte(digits), 0o666); err != nil {
			t.Fatal(err)
		}
		app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f, err := os.Open(name)
			if err != nil {
				return nil, err
			}
			return middleware.Content{Reader: f, Size: 10, Headers: headers("Content-Type", "text/x")}.Call(environ, start)
		})
		send := live(t, app)
		for asked, want := range map[string]int64{"": 10, "bytes=3-5": 3, "bytes=0-1,4-5,9-": 5} {
			req := &wsgitest.Request{}
			if asked != "" {
				req.With("Range", asked)
			}
			res := wsgitest.Do(t, app, req)
			if res.FileBytes != want {
				t.Errorf("Range %q: %d bytes as a file, expected %d", asked, res.FileBytes, want)
			}
			if got, expected := shownRange(t, send(req).HTTP()), shownRange(t, res.HTTP()); got != expected {
				t.Errorf("Range %q: live %q, expected %q", asked, got, expected)
			}
		}
	})
}

func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-", "bytes=-5,3-4", "bytes=9999999999999999999999-", "bytes=0-0,0-0", "x=1-2", "bytes=5-4", "bytes=,,-1"} {
		f.Add(s, uint16(10))
		f.Add(s, uint16(0))
	}
	f.Fuzz(func(t *testing.T, asked string, size uint16) {
		body := bytes.Repeat([]byte("x"), int(size))
		environ := wsgitest.NewRequest("GET", "/").Environ()
		environ.Set("HTTP_RANGE", asked)
		var length string
		b, err := middleware.Content{Reader: bytes.NewReader(body), Size: int64(size)}.Call(environ, func(status string, h wsgi.Headers, _ error) (wsgi.Write, error) {
			length = h.Get("Content-Length")
			if err := h.Validate(); err != nil {
				t.Error(err)
			}
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		b.Blocks(func(block []byte, err error) bool {
			if err != nil {
				t.Error(err)
			}
			n += len(block)
			return true
		})
		if length != fmt.Sprint(n) || n > int(size)+16*200 {
			t.Errorf("%d bytes of %d, Content-Length %s", n, size, length)
		}
	})
}
