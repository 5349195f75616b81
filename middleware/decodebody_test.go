package middleware_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func gzipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func zlibbed(text string) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

func TestDecodeBody(t *testing.T) {
	// A MiB of zeros in a KiB: the ratio of gzip has an end at 1032.
	bomb := gzipped(strings.Repeat("\x00", 1<<20))
	var words strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&words, "%x ", i*i*7919)
	}
	noise := words.String()[:104_000]
	tests := []struct {
		name, coding, body string
		code               int
		text               string
	}{
		{"plain", "", "hello", 200, "hello"},
		{"identity", "identity", "hello", 200, "hello"},
		{"gzip", "gzip", gzipped("hello"), 200, "hello"},
		{"x-gzip, in another case", "X-GZIP", gzipped("hello"), 200, "hello"},
		{"deflate is zlib", "deflate", zlibbed("hello"), 200, "hello"},
		{"raw deflate is not", "deflate", "\xcbH\xcd\xc9\xc9\x07\x00", 400, ""},
		{"with no coding besides", "identity, gzip, ", gzipped("hello"), 200, "hello"},
		{"one upon the other", "gzip, deflate", zlibbed(gzipped("hello")), 415, ""},
		{"members", "gzip", gzipped("hel") + gzipped("lo"), 200, "hello"},
		{"nothing", "gzip", "", 200, ""},
		{"unknown", "br", "hello", 415, ""},
		{"one of them unknown", "gzip, br", "hello", 415, ""},
		{"malformed", "gzip", "hello, I am not gzip", 400, ""},
		{"cut", "gzip", gzipped(noise)[:100], 400, ""},
		{"a wrong sum", "gzip", gzipped("hello")[:len(gzipped("hello"))-8] + "12345678", 400, ""},
		{"more behind it, gzip", "gzip", gzipped("hello") + "and more", 400, ""},
		{"more behind it, deflate", "deflate", zlibbed("hello") + "and more", 400, ""},
		{"bomb by size", "gzip", bomb, 413, ""},
		{"bomb by ratio, not by size", "gzip", gzipped(strings.Repeat("\x00", 200_000)), 413, ""},
		{"a bomb of nothing", "gzip, gzip", gzipped(strings.Repeat(gzipped(""), 1<<16)), 415, ""},
		{"too large", "gzip", gzipped(strings.Repeat(noise, 3)), 413, ""},
		{"large enough", "gzip", gzipped(noise), 200, noise},
	}
	m := middleware.DecodeBody(middleware.DecodeBodyConfig{MaxBytes: 300_000, MaxRatio: 200})
	decoded := false // by the test under way
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, declared := environ.Lookup("CONTENT_LENGTH")
		if environ.Header("Content-Encoding") != "" || declared && decoded || environ.Get("wsgi.input_terminated") != true {
			t.Error("the environ has what the body no longer is")
		}
		return reads().Call(environ, start)
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			decoded = tt.coding != "" && tt.coding != "identity" && tt.body != ""
			req := wsgitest.NewRequest("POST", "/").With("Content-Encoding", tt.coding).Content("text/plain", tt.body)
			if tt.coding == "" {
				req.Headers.Del("Content-Encoding")
			}
			res := wsgitest.Do(t, m(app), req)
			if res.Code != tt.code || res.Err != nil || tt.code == 200 && res.Text() != tt.text {
				t.Errorf("got %s %.80q, error %v, expected %d", res.Status, res.Text(), res.Err, tt.code)
			}
			if tt.code == 415 && res.Headers.Get("Accept-Encoding") != "gzip, deflate" {
				t.Errorf("headers %v", res.Headers)
			}
		})
	}
	t.Run("limits of what was sent", func(t *testing.T) {
		both := middleware.Chain(middleware.BodyLimit(10), m)
		req := wsgitest.NewRequest("POST", "/").With("Content-Encoding", "gzip").With("Content-Type", "text/plain")
		req.Stream = strings.NewReader(gzipped("hello, hello, hello"))
		if res := wsgitest.Do(t, both(reads()), req); res.Code != 413 {
			t.Errorf("got %s, expected 413", res.Status)
		}
	})
	t.Run("the error lasts", func(t *testing.T) {
		app := m(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, first := io.ReadAll(environ.Input())
			_, second := io.ReadAll(environ.Input())
			ours := (*middleware.HTTPError)(nil)
			if !errors.As(first, &ours) || ours.Code != 413 || second != first {
				t.Errorf("the errors are %v and %v", first, second)
			}
			return text("all the same").Call(environ, start)
		}))
		if res := wsgitest.Do(t, app, wsgitest.NewRequest("POST", "/").With("Content-Encoding", "gzip").Content("a/b", bomb)); res.Text() != "all the same" {
			t.Errorf("got %s %q", res.Status, res.Text())
		}
	})
	panics(t, func() { middleware.DecodeBody(middleware.DecodeBodyConfig{MaxBytes: -1}) }, "DecodeBody", "-1")
	keeps(t, m)
}

// FuzzDecodeBody: whatever is sent, the application gets no more than is allowed.
func FuzzDecodeBody(f *testing.F) {
	for _, seed := range []string{"", "x", gzipped("hello"), zlibbed("hello"), gzipped(gzipped("hello")), gzipped(strings.Repeat("a", 1<<17))} {
		f.Add("gzip", seed)
		f.Add("deflate, gzip", seed)
	}
	m := middleware.DecodeBody(middleware.DecodeBodyConfig{MaxBytes: 1 << 16})
	f.Fuzz(func(t *testing.T, coding, body string) {
		environ := wsgitest.NewRequest("POST", "/").Content("a/b", body).Environ()
		environ.Set("HTTP_CONTENT_ENCODING", coding)
		res, err := m(reads()).Call(environ, func(status string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
			if status[:3] != "200" && status[:3] != "400" && status[:3] != "413" && status[:3] != "415" {
				t.Errorf("the status is %s", status)
			}
			return nil, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		defer res.Close()
		n := 0
		for block := range res.Blocks {
			n += len(block)
		}
		if coding != "" && n > 1<<16 && n > len(body) {
			t.Errorf("%d bytes were made of %d", n, len(body))
		}
	})
}
