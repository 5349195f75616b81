package middleware_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// upper chooses a filter that makes letters large and adds what is at the end.
func upper(_ *wsgi.Environ, _ string, h *wsgi.Headers) middleware.BodyFilter {
	if !strings.HasPrefix(h.Get("Content-Type"), "text/") {
		return nil
	}
	h.Set("Content-Type", "text/loud")
	return func(block []byte, end bool) ([]byte, error) {
		if end {
			return []byte("!"), nil
		}
		return bytes.ToUpper(block), nil
	}
}

// keepBack chooses a filter that gives everything at the end.
func keepBack(*wsgi.Environ, string, *wsgi.Headers) middleware.BodyFilter {
	var all []byte
	return func(block []byte, end bool) ([]byte, error) {
		all = append(all, block...)
		if end {
			return all, nil
		}
		return nil, nil
	}
}

// dogs chooses a filter that makes dogs of cats. It keeps what might be the beginning
// of one, as the comment of Filter says.
func dogs(*wsgi.Environ, string, *wsgi.Headers) middleware.BodyFilter {
	var kept []byte
	return func(block []byte, end bool) ([]byte, error) {
		all := bytes.ReplaceAll(append(kept, block...), []byte("cat"), []byte("dog"))
		n := 0
		for _, beginning := range []string{"ca", "c"} {
			if !end && bytes.HasSuffix(all, []byte(beginning)) {
				n = len(beginning)
				break
			}
		}
		kept = bytes.Clone(all[len(all)-n:])
		return all[:len(all)-n], nil
	}
}

func TestFilter(t *testing.T) {
	loud := middleware.Filter(upper)
	dependent := []string{
		"Content-Type", "text/plain", "Content-Length", "5", "content-md5", "x", "ETag", `"1"`, "Accept-Ranges", "bytes",
		"Content-Digest", "x", "Repr-Digest", "x", "Digest", "x", "Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT", "X-Mine", "1",
	}
	kept := headers("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT", "X-Mine", "1", "Content-Type", "text/loud")
	loudType := headers("Content-Type", "text/loud")
	tests := []struct {
		name    string
		app     wsgi.Application
		method  string
		status  string
		headers wsgi.Headers
		text    string
	}{
		{"one block", text("hello"), "GET", "200 OK", loudType, "HELLO!"},
		{"stream", streams(nil, "a", "", "b"), "GET", "200 OK", loudType, "AB!"},
		{"write comes first", writes("a", "b"), "GET", "200 OK", loudType, "AB!"},
		{"late", late("404 Not Found", "a"), "GET", "404 Not Found", loudType, "A!"},
		{"file", file(t, "contents"), "GET", "200 OK", loudType, "CONTENTS!"},
		{"empty", answer("200 OK", "", "Content-Type", "text/plain"), "GET", "200 OK", loudType, "!"},
		{"headers of the body", answer("200 OK", "hello", dependent...), "GET", "200 OK", kept, "HELLO!"},
		{"HEAD has GET's headers", answer("200 OK", "", dependent...), "HEAD", "200 OK", kept, ""},
		{"HEAD, late", late("200 OK", "a"), "HEAD", "200 OK", loudType, ""},
		{"not chosen", answer("200 OK", "hello", "Content-Type", "image/png", "Content-Length", "5"), "GET", "200 OK",
			headers("Content-Type", "image/png", "Content-Length", "5"), "hello"},
		{"304 is left alone", answer("304 Not Modified", "", "ETag", `"1"`, "Content-Type", "text/x"), "GET", "304 Not Modified",
			headers("ETag", `"1"`, "Content-Type", "text/x"), ""},
		{"204 is left alone", answer("204 No Content", "", "Content-Type", "text/x"), "GET", "204 No Content", headers("Content-Type", "text/x"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, loud(tt.app), wsgitest.NewRequest(tt.method, "/"))
			if res.Status != tt.status || res.Text() != tt.text {
				t.Errorf("got %s %q, expected %s %q", res.Status, res.Text(), tt.status, tt.text)
			}
			if diff := cmp.Diff(ownHeaders(tt.headers), ownHeaders(res.Headers)); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
	keeps(t, loud)
	keeps(t, middleware.Filter(keepBack))
	keeps(t, middleware.Filter(func(*wsgi.Environ, string, *wsgi.Headers) middleware.BodyFilter { return nil }))
	panics(t, func() { middleware.Filter(nil) }, "Filter", "nil")

	t.Run("not chosen: the same body", func(t *testing.T) {
		app, want := oneBody()
		if got := bodyOf(t, loud(app)); got != want {
			t.Errorf("got the body %T, expected that of the application", got)
		}
	})
	t.Run("a block for each block", func(t *testing.T) {
		res := wsgitest.Do(t, loud(streams(nil, "a", "b")), wsgitest.NewRequest("GET", "/"))
		if diff := cmp.Diff([][]byte{[]byte("A"), []byte("B"), []byte("!")}, res.Blocks); diff != "" {
			t.Errorf("blocks (-want +got):\n%s", diff)
		}
	})
	t.Run("Plack: what lies across two blocks", func(t *testing.T) {
		for _, list := range [][]string{{"a cat."}, {"a c", "at."}, {"a ", "c", "a", "t", "."}, {"a ca", "", "t."}} {
			res := wsgitest.Do(t, middleware.Filter(dogs)(streams(nil, list...)), get("/"))
			if res.Text() != "a dog." {
				t.Errorf("blocks %q: got %q", list, res.Text())
			}
		}
		if res := wsgitest.Do(t, middleware.Filter(dogs)(streams(nil, "a c", "a")), get("/")); res.Text() != "a ca" {
			t.Errorf("a beginning at the end: got %q", res.Text())
		}
	})
	// Plack keeps what the first filter has.
	t.Run("a replaced head has a new filter", func(t *testing.T) {
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", headers("Content-Type", "text/plain"), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if !yield([]byte("half a page"), nil) {
					return
				}
				if _, err := start("503 Sorry", headers("Content-Type", "text/plain", "Content-Length", "5"), errApp); err != nil {
					yield(nil, err)
					return
				}
				yield([]byte("sorry"), nil)
			}), nil
		})
		res := wsgitest.Do(t, middleware.Filter(keepBack)(app), wsgitest.NewRequest("GET", "/"))
		if res.Code != 503 || res.Text() != "sorry" {
			t.Errorf("got %s %q, expected 503 and nothing of the first page", res.Status, res.Text())
		}
	})
	t.Run("replaced after the body was passed on", func(t *testing.T) {
		app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", headers("Content-Type", "image/png"), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if _, err := start("503 Sorry", headers("Content-Type", "text/plain"), errApp); err != nil {
					yield(nil, err)
					return
				}
				yield([]byte("not filtered"), nil)
			}), nil
		})
		res := wsgitest.Do(t, loud(app), &wsgitest.Request{ExpectErrors: true})
		if res.Code != 500 || strings.Contains(res.Text(), "not filtered") {
			t.Errorf("got %s %q, expected nothing that is not filtered", res.Status, res.Text())
		}
	})
	t.Run("ranges", func(t *testing.T) {
		part := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if environ.Var("HTTP_RANGE")+environ.Var("HTTP_IF_RANGE") != "" {
				t.Error("the application is asked for a part")
			}
			return text("whole").Call(environ, start)
		})
		req := wsgitest.NewRequest("GET", "/").With("Range", "bytes=0-1").With("If-Range", `"x"`)
		if res := wsgitest.Do(t, loud(part), req); res.Text() != "WHOLE!" || res.Environ.Var("HTTP_RANGE") == "" {
			t.Errorf("got %q, Range outside is %q", res.Text(), res.Environ.Var("HTTP_RANGE"))
		}
		unasked := answer("206 Partial Content", "ab", "Content-Type", "text/plain", "Content-Range", "bytes 0-1/5")
		req.ExpectErrors = true
		if res := wsgitest.Do(t, loud(unasked), req); res.Code != 500 || res.Text() == "ab" {
			t.Errorf("got %s %q, expected a part that cannot be filtered to fail", res.Status, res.Text())
		}
	})
	t.Run("errors", func(t *testing.T) {
		broken := middleware.Filter(func(*wsgi.Environ, string, *wsgi.Headers) middleware.BodyFilter {
			failed := false
			return func([]byte, bool) ([]byte, error) {
				if failed {
					return nil, nil
				}
				failed = true
				return nil, errApp
			}
		})
		ignores := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			write([]byte("x")) // and does not look at the error
			return wsgi.Empty(), err
		})
		for _, app := range []wsgi.Application{text("x"), writes("x"), ignores, answer("200 OK", "")} {
			res := wsgitest.Do(t, broken(app), &wsgitest.Request{ExpectErrors: true})
			if res.Code == 200 && res.Err == nil || !errors.Is(res.Fault, errApp) {
				t.Errorf("got %s %q, reported %v; expected the failure of the filter", res.Status, res.Text(), res.Fault)
			}
		}
	})
	t.Run("no end of a body that failed", func(t *testing.T) {
		res := wsgitest.Do(t, loud(streams(errApp, "a")), &wsgitest.Request{ExpectErrors: true})
		if res.Text() != "A" || res.Err == nil {
			t.Errorf("got %q, error %v; expected a response that is cut", res.Text(), res.Err)
		}
	})
	t.Run("the application's list of headers is not changed", func(t *testing.T) {
		shared := append(make(wsgi.Headers, 0, 16), wsgi.Header{Name: "Content-Type", Value: "text/plain"}, wsgi.Header{Name: "Content-Length", Value: "5"})
		app := loud(wsgi.Response{Status: "200 OK", Headers: shared, Body: wsgi.Strings("hello")})
		direct := middleware.Filter(keepBack)(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", shared, nil)
			return wsgi.Strings("hello"), err
		}))
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() { wsgitest.Do(t, app, &wsgitest.Request{}); wsgitest.Do(t, direct, &wsgitest.Request{}) })
		}
		all.Wait()
		if diff := cmp.Diff(headers("Content-Type", "text/plain", "Content-Length", "5"), shared); diff != "" {
			t.Errorf("the application's list (-want +got):\n%s", diff)
		}
	})
}
