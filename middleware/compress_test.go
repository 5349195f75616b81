package middleware_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// unpack returns the body of a response in the clear.
func unpack(t testing.TB, res *wsgitest.Response) string {
	t.Helper()
	var r io.Reader
	var err error
	switch coding := res.Headers.Get("Content-Encoding"); coding {
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(res.Body()))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(res.Body()))
	case "":
		return res.Text()
	default:
		t.Fatalf("the coding is %q", coding)
	}
	if err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

var page = strings.Repeat("<p>a paragraph that repeats itself</p>\n", 100)

func TestCompress(t *testing.T) {
	html := func(status, body string, more ...string) wsgi.Application {
		return answer(status, body, append([]string{"Content-Type", "text/html; charset=utf-8"}, more...)...)
	}
	tests := []struct {
		name string
		app  wsgi.Application
		want []string // headers
		body string
	}{
		{"headers of the body", html("200 OK", page, "Content-Length", fmt.Sprint(len(page)), "Accept-Ranges", "bytes", "ETag", `"1"`, "Repr-Digest", "x", "X", "1"),
			[]string{"content-encoding: gzip", "content-type: text/html; charset=utf-8", `etag: W/"1"`, "vary: Accept-Encoding", "x: 1"}, page},
		{"a weak tag", html("200 OK", page, "ETag", `W/"1"`), []string{"content-encoding: gzip", "content-type: text/html; charset=utf-8", `etag: W/"1"`, "vary: Accept-Encoding"}, page},
		{"Vary is kept", html("200 OK", page, "Vary", "Cookie"), []string{"content-encoding: gzip", "content-type: text/html; charset=utf-8", "vary: Cookie, Accept-Encoding"}, page},
		{"an error page", html("404 Not Found", page), []string{"content-encoding: gzip", "content-type: text/html; charset=utf-8", "vary: Accept-Encoding"}, page},
		{"small", html("200 OK", "small"), []string{"content-length: 5", "content-type: text/html; charset=utf-8"}, "small"},
		{"small, declared", answer("200 OK", "small", "Content-Type", "text/x", "Content-Length", "5"), []string{"content-length: 5", "content-type: text/x"}, "small"},
		{"empty", answer("200 OK", "", "Content-Type", "text/x"), []string{"content-length: 0", "content-type: text/x"}, ""},
		{"gorilla: encoded already", html("200 OK", page, "Content-Encoding", "br"), []string{"content-encoding: br", fmt.Sprint("content-length: ", len(page)), "content-type: text/html; charset=utf-8"}, page},
		{"gorilla: an image", answer("200 OK", page, "Content-Type", "image/png"), []string{fmt.Sprint("content-length: ", len(page)), "content-type: image/png"}, page},
		{"no type", answer("200 OK", page), []string{fmt.Sprint("content-length: ", len(page))}, page},
		{"chi: no-transform", html("200 OK", page, "Cache-Control", "public, No-Transform"), []string{"cache-control: public, No-Transform", fmt.Sprint("content-length: ", len(page)), "content-type: text/html; charset=utf-8"}, page},
		{"chi: 206 under a Content-Range", html("206 Partial Content", page, "Content-Range", "bytes 0-1/9"), []string{fmt.Sprint("content-length: ", len(page)), "content-range: bytes 0-1/9", "content-type: text/html; charset=utf-8"}, page},
		{"206 alone", html("206 Partial Content", page), []string{fmt.Sprint("content-length: ", len(page)), "content-type: text/html; charset=utf-8"}, page},
		{"Content-Range alone", html("200 OK", page, "Content-Range", "bytes 0-1/9"), []string{fmt.Sprint("content-length: ", len(page)), "content-range: bytes 0-1/9", "content-type: text/html; charset=utf-8"}, page},
		{"chi: 304", wsgi.Response{Status: "304 Not Modified", Headers: headers("ETag", `"1"`)}, []string{`etag: W/"1"`, "vary: Accept-Encoding"}, ""},
		{"gorilla: 204", wsgi.Response{Status: "204 No Content"}, nil, ""},
		{"205, of whatever length", wsgi.Response{Status: "205 Reset Content", Headers: headers("Content-Type", "text/html"), Body: wsgi.Blocks()}, []string{"content-length: 0", "content-type: text/html"}, ""},
		{"json", answer("200 OK", page, "Content-Type", "application/problem+JSON"), []string{"content-encoding: gzip", "content-type: application/problem+JSON", "vary: Accept-Encoding"}, page},
		{"stream", streams(nil, "a", "", "b"), []string{"content-encoding: gzip", "content-type: text/plain", "vary: Accept-Encoding"}, "ab"},
		{"write", writes("a", "b"), []string{"content-encoding: gzip", "content-type: text/plain", "vary: Accept-Encoding"}, "ab"},
		{"late", late("200 OK", "a", "b"), []string{"content-encoding: gzip", "content-type: text/plain", "vary: Accept-Encoding"}, "ab"},
		{"file", file(t, page), []string{"content-encoding: gzip", "content-type: text/plain", "vary: Accept-Encoding"}, page},
	}
	m := middleware.Compress(middleware.CompressConfig{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, m(tt.app), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip")})
			if diff := cmp.Diff(tt.want, ownHeaders(res.Headers)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			got := res.Text()
			if res.Headers.Get("Content-Encoding") == "gzip" {
				got = unpack(t, res)
			}
			if got != tt.body {
				t.Errorf("got a body of %d bytes, expected %d", len(got), len(tt.body))
			}
			head := wsgitest.Do(t, m(tt.app), &wsgitest.Request{Method: "HEAD", Headers: headers("Accept-Encoding", "gzip")})
			wantHead := slicesWithout(ownHeaders(res.Headers), "content-length: "+fmt.Sprint(len(tt.body)))
			if gotHead := slicesWithout(ownHeaders(head.Headers), "content-length: "+fmt.Sprint(len(tt.body))); cmp.Diff(wantHead, gotHead) != "" && tt.name != "empty" {
				t.Errorf("HEAD has other headers than GET (-GET +HEAD):\n%s", cmp.Diff(wantHead, gotHead))
			}
		})
	}
	t.Run("HEAD of an application that knows it", func(t *testing.T) {
		res := wsgitest.Do(t, m(html("200 OK", "")), &wsgitest.Request{Method: "HEAD", Headers: headers("Accept-Encoding", "gzip")})
		if res.Headers.Get("Content-Encoding") != "gzip" || res.Headers.Get("Vary") != "Accept-Encoding" {
			t.Errorf("headers: %v, expected those of a GET with a body", res.Headers)
		}
	})
	t.Run("the client's no-transform", func(t *testing.T) {
		res := wsgitest.Do(t, m(html("200 OK", page)), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip", "Cache-Control", "no-transform")})
		if res.Headers.Has("Content-Encoding") || res.Text() != page {
			t.Errorf("headers: %v", res.Headers)
		}
	})
	t.Run("not compressed: the same body", func(t *testing.T) {
		app, want := oneBody()
		if got := bodyOf(t, m(app)); got != want {
			t.Errorf("got the body %T, expected that of the application", got)
		}
	})
	t.Run("each block can be read at once", func(t *testing.T) {
		for _, lazy := range []bool{false, true} {
			m := middleware.Compress(middleware.CompressConfig{Lazy: lazy})
			res := wsgitest.Do(t, m(streams(nil, "first ", "second ", "", "third")), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip")})
			var seen []string
			for n := range res.Blocks {
				r, err := gzip.NewReader(bytes.NewReader(bytes.Join(res.Blocks[:n+1], nil)))
				if err != nil {
					continue
				}
				text, _ := io.ReadAll(r)
				seen = append(seen, string(text))
			}
			want := []string{"first ", "first second ", "first second ", "first second third", "first second third"}
			if lazy { // the head of the stream comes with the first block, the rest when there is nothing for a while
				want = []string{"", "first second ", "first second third"}
			}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("lazy %v: what can be read after each block (-want +got):\n%s", lazy, diff)
			}
		}
	})
	t.Run("an error page in the place of half a page", func(t *testing.T) {
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", headers("Content-Type", "text/html"), nil)
			_, err := start("503 Sorry", headers("Content-Type", "text/html", "Content-Length", fmt.Sprint(len(page))), errApp)
			return wsgi.Strings(page[:1000], page[1000:]), err
		})
		res := wsgitest.Do(t, m(app), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip")})
		if res.Code != 503 || unpack(t, res) != page || len(res.Headers.Values("Content-Encoding")) != 1 {
			t.Errorf("got %s, headers %v", res.Status, res.Headers)
		}
	})
	t.Run("one block becomes one", func(t *testing.T) {
		res := wsgitest.Do(t, m(html("200 OK", page)), get("/").With("Accept-Encoding", "gzip"))
		if len(res.Blocks) != 1 || unpack(t, res) != page {
			t.Errorf("%d blocks, expected one", len(res.Blocks))
		}
	})
	t.Run("an error page in the place of an image", func(t *testing.T) {
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, _ := start("200 OK", headers("Content-Type", "image/png"), nil)
			if _, err := start("503 Sorry", headers("Content-Type", "text/html"), errApp); err != nil {
				return nil, err
			}
			_, err := write([]byte(page)) // the first one is as good as the second
			return wsgi.Empty(), err
		})
		res := wsgitest.Do(t, m(app), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip")})
		if res.Code != 503 || unpack(t, res) != page {
			t.Errorf("got %s, headers %v", res.Status, res.Headers)
		}
	})
	t.Run("a head that comes too late is refused at once", func(t *testing.T) {
		for _, mediaType := range []string{"image/png", "text/html"} {
			var late error
			app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", headers("Content-Type", mediaType), nil)
				write([]byte(page))
				_, late = start("503 Sorry", headers("Content-Type", "text/html"), errApp)
				return wsgi.Empty(), late
			})
			res := wsgitest.Do(t, m(app), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip"), ExpectErrors: true})
			if !errors.Is(late, errApp) || res.Code != 200 || res.Err == nil {
				t.Errorf("%s: the second start_response has the error %v, the response is %s and ends with %v", mediaType, late, res.Status, res.Err)
			}
		}
	})
	t.Run("replaced when the body was passed on", func(t *testing.T) {
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := start("200 OK", headers("Content-Type", "image/png"), nil); err != nil {
				return nil, err
			}
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				_, err := start("503 Sorry", headers("Content-Type", "text/html"), errApp)
				yield([]byte(page), err)
			}), nil
		})
		res := wsgitest.Do(t, m(app), get("/").With("Accept-Encoding", "gzip"))
		if res.Code != 503 || res.Headers.Has("Content-Encoding") || res.Text() != page {
			t.Errorf("got %s with %v and %d bytes, expected the page as it is: nobody is there any more to compress it", res.Status, res.Headers, len(res.Text()))
		}
	})
	t.Run("a body that fails has no end", func(t *testing.T) {
		res := wsgitest.Do(t, m(streams(errApp, "begun")), &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip"), ExpectErrors: true})
		r, err := gzip.NewReader(bytes.NewReader(res.Body()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, io.ErrUnexpectedEOF) || res.Err == nil {
			t.Errorf("the stream ends with %v, the response with %v", err, res.Err)
		}
	})
	t.Run("compressors are used again", func(t *testing.T) {
		app := m(html("200 OK", page))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				for range 10 {
					req := &wsgitest.Request{Headers: headers("Accept-Encoding", "gzip"), LeaveAfter: 1, ExpectErrors: true}
					wsgitest.Do(t, app, req)
					res := wsgitest.Do(t, app, &wsgitest.Request{Headers: headers("Accept-Encoding", "deflate")})
					if unpack(t, res) != page {
						t.Error("a body is not whole")
					}
				}
			})
		}
		all.Wait()
	})
	t.Run("after a large body too", func(t *testing.T) {
		random := rand.NewChaCha8([32]byte{})
		large := make([]byte, 1<<20) // that stays as large
		random.Read(large)
		made := 0
		one := middleware.Coding{Name: "gzip", New: func(w io.Writer) middleware.Compressor {
			made++
			c, _ := gzip.NewWriterLevel(w, gzip.NoCompression)
			return c
		}}
		app := middleware.Compress(middleware.CompressConfig{Codings: []middleware.Coding{one}})(html("200 OK", string(large)))
		for range 30 {
			res := wsgitest.Do(t, app, get("/").With("Accept-Encoding", "gzip"))
			if unpack(t, res) != string(large) {
				t.Fatal("the body is not whole")
			}
		}
		if made == 30 { // the collector may take some, and so does the race detector
			t.Error("each response had a compressor of its own")
		}
	})
	t.Run("a coding of one's own", func(t *testing.T) {
		m := middleware.Compress(middleware.CompressConfig{
			Codings: []middleware.Coding{{Name: "br", New: func(w io.Writer) middleware.Compressor { return gzip.NewWriter(w) }}, middleware.Gzip(9)},
			Types:   []string{"image/*", "Text/HTML"}, MinBytes: 1,
		})
		for mediaType, want := range map[string]string{"image/png": "br", "text/html": "br", "text/plain": "", "application/x+json": ""} {
			res := wsgitest.Do(t, m(answer("200 OK", "x", "Content-Type", mediaType)), &wsgitest.Request{Headers: headers("Accept-Encoding", "br, gzip")})
			if got := res.Headers.Get("Content-Encoding"); got != want {
				t.Errorf("%s: the coding is %q, expected %q", mediaType, got, want)
			}
		}
	})
	for want, c := range map[string]middleware.CompressConfig{
		"MinBytes is -1": {MinBytes: -1},
		`the coding ""`:  {Codings: []middleware.Coding{{}}},
		`the type "*"`:   {Types: []string{"*"}},
		`"text/a b"`:     {Types: []string{"text/a b"}},
		`the type "+"`:   {Types: []string{"+ json"}},
	} {
		if want == `the type "+"` {
			want = `"+ json"`
		}
		panics(t, func() { middleware.Compress(c) }, "Compress", want)
	}
	panics(t, func() { middleware.Gzip(99) }, "gzip")
	panics(t, func() { middleware.Deflate(99) }, "deflate")
	keeps(t, m)
	keeps(t, middleware.Chain(middleware.SetEnv(map[string]any{"HTTP_ACCEPT_ENCODING": "gzip"}), m))
	keeps(t, middleware.Chain(middleware.SetEnv(map[string]any{"HTTP_ACCEPT_ENCODING": "deflate"}), middleware.Compress(middleware.CompressConfig{Lazy: true})))
}
