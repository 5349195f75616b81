package middleware_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// iterations wraps app and counts the blocks that are asked of its body.
func iterations(app wsgi.Application, blocks, closes *atomic.Int32) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := app.Call(environ, start)
		if body == nil {
			return nil, err
		}
		return tracked{func(yield func([]byte, error) bool) {
			body.Blocks(func(block []byte, err error) bool {
				blocks.Add(1)
				return yield(block, err)
			})
		}, closes, body.Close()}, err
	})
}

func TestHead(t *testing.T) {
	m := middleware.Head()
	tests := []struct {
		name    string
		app     wsgi.Application
		blocks  int32 // that are asked for
		headers []string
		status  string
	}{
		{"at once", answer("200 OK", "hello", "Content-Length", "5", "X", "1"), 0, []string{"content-length: 5", "x: 1"}, "200 OK"},
		{"no length is made up", streams(nil, "a", "b"), 0, []string{"content-type: text/plain"}, "200 OK"},
		{"late", late("404 Not Found", "a", "b", "c"), 2, []string{"content-type: text/plain"}, "404 Not Found"},
		{"write", writes("a", "b"), 0, []string{"content-type: text/plain"}, "200 OK"},
		{"empty", answer("200 OK", ""), 0, []string{}, "200 OK"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var blocks, closes atomic.Int32
			res := wsgitest.Do(t, m(iterations(tt.app, &blocks, &closes)), &wsgitest.Request{Method: "HEAD"})
			got := ownHeaders(res.Headers)
			if tt.name != "at once" { // the gateway states the length of what it knows to be empty
				got = slicesWithout(got, "content-length: 0")
			}
			if diff := cmp.Diff(tt.headers, append([]string{}, got...)); diff != "" || res.Status != tt.status || res.Text() != "" {
				t.Errorf("got %s %q; headers (-want +got):\n%s", res.Status, res.Text(), diff)
			}
			if blocks.Load() != tt.blocks || closes.Load() != 1 {
				t.Errorf("%d blocks were asked for and the body closed %d times, expected %d and 1", blocks.Load(), closes.Load(), tt.blocks)
			}
		})
	}
	t.Run("failures before the head", func(t *testing.T) {
		early := wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return blocks(errApp), nil })
		if res := wsgitest.Do(t, m(early), &wsgitest.Request{Method: "HEAD", ExpectErrors: true}); res.Code != 500 || !errors.Is(res.Fault, errApp) {
			t.Errorf("got %s, reported %v", res.Status, res.Fault)
		}
	})
	app, want := oneBody()
	if got := bodyOf(t, m(app)); got != want {
		t.Errorf("GET: got the body %T, expected that of the application", got)
	}
	keeps(t, m)
}

func slicesWithout(list []string, s string) (kept []string) {
	for _, one := range list {
		if one != s {
			kept = append(kept, one)
		}
	}
	return kept
}

const (
	dayOne = "Mon, 01 Jan 2024 00:00:00 GMT"
	dayTwo = "Tue, 02 Jan 2024 00:00:00 GMT"
)

func TestConditionalGet(t *testing.T) {
	validators := []string{"ETag", `"a,b"`, "Last-Modified", dayOne}
	weak := []string{"ETag", `W/"w"`}
	tests := []struct {
		name string
		app  []string // headers
		sent []string
		want int
	}{
		{"no condition", validators, nil, 200},
		{"the tag", validators, []string{"If-None-Match", `"a,b"`}, 304},
		{"another tag", validators, []string{"If-None-Match", `"a"`}, 200},
		{"Rack, Plack: a list", validators, []string{"If-None-Match", `"x", "a,b" ,"y"`}, 304},
		{"several headers", validators, []string{"If-None-Match", `"x"`, "If-None-Match", `"a,b"`}, 304},
		{"any", validators, []string{"If-None-Match", " * "}, 304},
		{"any, without a tag", nil, []string{"If-None-Match", "*"}, 304},
		{"weak in the request", validators, []string{"If-None-Match", `W/"a,b"`}, 304},
		{"weak in the response", weak, []string{"If-None-Match", `"w"`}, 304},
		{"a tag without quotes", validators, []string{"If-None-Match", `a,b`}, 200},
		{"a list that is malformed at its end", validators, []string{"If-None-Match", `"a,b", x`}, 304},
		{"a list that is malformed before", validators, []string{"If-None-Match", `x, "a,b"`}, 200},
		{"no tag in the response", []string{"Last-Modified", dayOne}, []string{"If-None-Match", `"a"`}, 200},
		{"a tag in the response that is none", []string{"ETag", "a"}, []string{"If-None-Match", "a"}, 200},
		{"not modified", validators, []string{"If-Modified-Since", dayOne}, 304},
		{"not modified, later", validators, []string{"If-Modified-Since", dayTwo}, 304},
		{"modified", []string{"Last-Modified", dayTwo}, []string{"If-Modified-Since", dayOne}, 200},
		{"a date in another form", validators, []string{"If-Modified-Since", "Monday, 01-Jan-24 00:00:00 GMT"}, 304},
		{"no date", validators, []string{"If-Modified-Since", "yesterday"}, 200},
		{"no Last-Modified", []string{"ETag", `"a"`}, []string{"If-Modified-Since", dayOne}, 200},
		{"Plack: the tag wins over the date", validators, []string{"If-None-Match", `"other"`, "If-Modified-Since", dayTwo}, 200},
		{"Plack: the tag alone is enough", validators, []string{"If-None-Match", `"a,b"`, "If-Modified-Since", "Sun, 31 Dec 2023 00:00:00 GMT"}, 304},
		{"If-Match", validators, []string{"If-Match", `"x", "a,b"`}, 200},
		{"If-Match, any", validators, []string{"If-Match", "*"}, 200},
		{"If-Match, another", validators, []string{"If-Match", `"x"`}, 412},
		{"If-Match is strong", weak, []string{"If-Match", `W/"w"`}, 412},
		{"If-Match goes before If-None-Match", validators, []string{"If-Match", `"x"`, "If-None-Match", `"a,b"`}, 412},
		{"If-Match wins over the date", validators, []string{"If-Match", `"a,b"`, "If-Unmodified-Since", "Sun, 31 Dec 2023 00:00:00 GMT"}, 200},
		{"unmodified", validators, []string{"If-Unmodified-Since", dayOne}, 200},
		{"modified since", []string{"Last-Modified", dayTwo}, []string{"If-Unmodified-Since", dayOne}, 412},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "HEAD"} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				var blocks, closes atomic.Int32
				app := iterations(answer("200 OK", "body", tt.app...), &blocks, &closes)
				req := &wsgitest.Request{Method: method, Headers: headers(tt.sent...)}
				res := wsgitest.Do(t, middleware.ConditionalGet()(app), req)
				if res.Code != tt.want || (res.Text() == "body") != (tt.want == 200 && method == "GET") {
					t.Errorf("got %s %q, expected %d", res.Status, res.Text(), tt.want)
				}
				if tt.want != 200 && (blocks.Load() > 0 || closes.Load() != 1) {
					t.Errorf("%d blocks were asked for and the body closed %d times, expected 0 and 1", blocks.Load(), closes.Load())
				}
			})
		}
		// net/http, of another mind only where a tag is no tag at all, agrees.
		t.Run(tt.name+" net/http", func(t *testing.T) {
			w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
			for _, h := range headers(tt.sent...) {
				if old := r.Header.Get(h.Name); old != "" {
					h.Value = old + ", " + h.Value
				}
				r.Header.Set(h.Name, h.Value)
			}
			var modified time.Time
			for _, h := range headers(tt.app...) {
				w.Header().Set(h.Name, h.Value)
				if h.Name == "Last-Modified" {
					modified, _ = http.ParseTime(h.Value)
				}
			}
			http.ServeContent(w, r, "x.txt", modified, strings.NewReader("body"))
			if w.Code != tt.want {
				t.Errorf("net/http says %d, expected %d", w.Code, tt.want)
			}
		})
	}
	t.Run("headers", func(t *testing.T) {
		all := []string{
			"Cache-Control", "no-cache", "Content-Encoding", "gzip", "Content-Language", "en", "Content-Length", "4", "Content-Location", "/x",
			"Content-Type", "text/plain", "ETag", `"a"`, "Expires", dayTwo, "Last-Modified", dayOne, "Repr-Digest", "x", "Set-Cookie", "a=b", "Vary", "Accept", "X-Mine", "1",
		}
		for match, want := range map[string][]string{
			"If-None-Match": {`cache-control: no-cache`, `content-location: /x`, `etag: "a"`, `expires: ` + dayTwo, `last-modified: ` + dayOne, `set-cookie: a=b`, `vary: Accept`, `x-mine: 1`},
			"If-Match":      {`cache-control: no-cache`, `content-length: 0`, `content-location: /x`, `expires: ` + dayTwo, `set-cookie: a=b`, `vary: Accept`, `x-mine: 1`},
		} {
			tag := `"a"`
			if match == "If-Match" {
				tag = `"b"`
			}
			res := wsgitest.Do(t, middleware.ConditionalGet()(answer("200 OK", "body", all...)), &wsgitest.Request{Headers: headers(match, tag)})
			if diff := cmp.Diff(want, ownHeaders(res.Headers)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", match, diff)
			}
		}
	})
	t.Run("Plack: only a 200", func(t *testing.T) {
		for _, status := range []string{"201 Created", "206 Partial Content", "301 Moved Permanently", "404 Not Found", "500 Failed"} {
			res := wsgitest.Do(t, middleware.ConditionalGet()(answer(status, "body", "ETag", `"a"`)), &wsgitest.Request{Headers: headers("If-None-Match", `"a"`)})
			if res.Status != status {
				t.Errorf("got %s, expected %s", res.Status, status)
			}
		}
	})
	t.Run("other methods", func(t *testing.T) {
		for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
			res := wsgitest.Do(t, middleware.ConditionalGet()(answer("200 OK", "body", "ETag", `"a"`)), &wsgitest.Request{Method: method, Headers: headers("If-None-Match", `"a"`)})
			if res.Code != 200 {
				t.Errorf("%s: got %s", method, res.Status)
			}
		}
	})
	t.Run("late and written", func(t *testing.T) {
		tagged := middleware.MapHeaders(func(_ *wsgi.Environ, _ string, h wsgi.Headers) wsgi.Headers { h.Set("ETag", `"a"`); return h })
		for name, app := range map[string]wsgi.Application{"late": late("200 OK", "a", "b"), "written": writes("a", "b")} {
			res := wsgitest.Do(t, middleware.Chain(middleware.ConditionalGet(), tagged)(app), &wsgitest.Request{Headers: headers("If-None-Match", `"a"`)})
			if res.Code != 304 || res.Text() != "" {
				t.Errorf("%s: got %s %q", name, res.Status, res.Text())
			}
		}
	})
	t.Run("replaced when the body was passed on", func(t *testing.T) {
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", headers("ETag", `"b"`), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if _, err := start("200 OK", headers("ETag", `"a"`), errApp); err != nil {
					yield(nil, err)
					return
				}
				yield([]byte("body"), nil)
			}), nil
		})
		res := wsgitest.Do(t, middleware.ConditionalGet()(app), &wsgitest.Request{Headers: headers("If-None-Match", `"a"`)})
		if res.Code != 200 || res.Text() != "body" {
			t.Errorf("got %s %q, expected no 304 with a body", res.Status, res.Text())
		}
	})
	app, want := oneBody()
	if got := bodyOf(t, middleware.ConditionalGet()(app)); got != want {
		t.Errorf("got the body %T, expected that of the application", got)
	}
	keeps(t, middleware.ConditionalGet())
	keeps(t, middleware.Chain(middleware.SetEnv(map[string]any{"HTTP_IF_NONE_MATCH": fmt.Sprintf("%q", "x")}), middleware.ConditionalGet()))
}
