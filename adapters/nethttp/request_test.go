package nethttp_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// shown is what a handler is shown of a request.
type shown struct {
	Method, Path, RawPath, Query, URI, Host, Remote, Proto string
	Header                                                 http.Header
	Length                                                 int64
	TLS, Body                                              bool
}

func show(r *http.Request) shown {
	return shown{r.Method, r.URL.Path, r.URL.RawPath, r.URL.RawQuery, r.RequestURI, r.Host, r.RemoteAddr, r.Proto,
		r.Header, r.ContentLength, r.TLS != nil, r.Body != http.NoBody}
}

// TestBuiltRequest: the request that a handler receives on a server that has no
// *http.Request of its own.
func TestBuiltRequest(t *testing.T) {
	plain := func(change func(*shown)) shown {
		s := shown{Method: "GET", Path: "/", URI: "/", Host: "example.com", Proto: "HTTP/1.1", Header: http.Header{}, Body: true}
		change(&s)
		return s
	}
	for _, test := range []struct {
		name   string
		source mapSource
		want   shown
	}{
		{"plain", get(), plain(func(s *shown) {})},
		{"mounted", get("SCRIPT_NAME", "/app", "PATH_INFO", "/a b", "QUERY_STRING", "x=%20", "REQUEST_URI", "/app/a%20b?x=%20"),
			plain(func(s *shown) { s.Path, s.Query, s.URI = "/a b", "x=%20", "/app/a%20b?x=%20" })},
		{"mounted, without REQUEST_URI", get("SCRIPT_NAME", "/app", "PATH_INFO", "/a b", "QUERY_STRING", "x=%20"),
			plain(func(s *shown) { s.Path, s.Query, s.URI = "/a b", "x=%20", "/app/a%20b?x=%20" })},
		{"at the mount itself", get("SCRIPT_NAME", "/app", "PATH_INFO", "", "REQUEST_URI", "/app"),
			plain(func(s *shown) { s.Path, s.URI = "/", "/app" })},
		{"a slash in a segment", get("SCRIPT_NAME", "/a/b", "PATH_INFO", "/c/d", "REQUEST_URI", "/a%2fb/c%2Fd"),
			plain(func(s *shown) { s.Path, s.RawPath, s.URI = "/c/d", "/c%2Fd", "/a%2fb/c%2Fd" })},
		{"absolute form", get("PATH_INFO", "/c/d", "REQUEST_URI", "http://example.com/c%2Fd?q"),
			plain(func(s *shown) { s.Path, s.RawPath, s.URI = "/c/d", "/c%2Fd", "http://example.com/c%2Fd?q" })},
		{"PATH_INFO was changed", get("PATH_INFO", "/other", "REQUEST_URI", "/c%2Fd"),
			plain(func(s *shown) { s.Path, s.URI = "/other", "/c%2Fd" })},
		{"SCRIPT_NAME was changed", get("SCRIPT_NAME", "/x", "PATH_INFO", "/d", "REQUEST_URI", "/c/d"),
			plain(func(s *shown) { s.Path, s.URI = "/d", "/c/d" })},
		{"an escape is cut off", get("SCRIPT_NAME", "/abc", "PATH_INFO", "/d", "REQUEST_URI", "/a%"),
			plain(func(s *shown) { s.Path, s.URI = "/d", "/a%" })},
		{"an escape is cut off in SCRIPT_NAME", get("SCRIPT_NAME", "/ab", "PATH_INFO", "/d", "REQUEST_URI", "/a%"),
			plain(func(s *shown) { s.Path, s.URI = "/d", "/a%" })},
		{"asterisk", get("REQUEST_METHOD", "OPTIONS", "PATH_INFO", "", "REQUEST_URI", "*"),
			plain(func(s *shown) { s.Method, s.Path, s.URI = "OPTIONS", "*", "*" })},
		{"bytes that are not UTF-8", get("PATH_INFO", "/\xff", "REQUEST_URI", "/%ff"),
			plain(func(s *shown) { s.Path, s.RawPath, s.URI = "/\xff", "/%ff", "/%ff" })},
		{"headers", get("HTTP_X_FORWARDED_FOR", "1.1.1.1", "HTTP_COOKIE", "a=1; b=2", "CONTENT_TYPE", "a/b", "HTTP_TRANSFER_ENCODING", "chunked", "HTTP_", ""),
			plain(func(s *shown) {
				s.Header = http.Header{"X-Forwarded-For": {"1.1.1.1"}, "Cookie": {"a=1; b=2"}, "Content-Type": {"a/b"}}
			})},
		{"a body", get("REQUEST_METHOD", "POST", "CONTENT_LENGTH", "3"), plain(func(s *shown) {
			s.Method, s.Length, s.Header = "POST", 3, http.Header{"Content-Length": {"3"}}
		})},
		{"an empty body", get("REQUEST_METHOD", "POST", "CONTENT_LENGTH", "0"), plain(func(s *shown) {
			s.Method, s.Body, s.Header = "POST", false, http.Header{"Content-Length": {"0"}}
		})},
		{"a body of unknown length", get("REQUEST_METHOD", "POST"), plain(func(s *shown) { s.Method, s.Length = "POST", -1 })},
		{"addresses", get("REMOTE_ADDR", "::1", "REMOTE_PORT", "80"), plain(func(s *shown) { s.Remote = "[::1]:80" })},
		{"an address without a port", get("REMOTE_ADDR", "10.0.0.1"), plain(func(s *shown) { s.Remote = "10.0.0.1:0" })},
		{"HTTP/2", get("SERVER_PROTOCOL", "HTTP/2"), plain(func(s *shown) { s.Proto = "HTTP/2.0" })},
		{"no protocol", get("SERVER_PROTOCOL", "INCLUDED"), plain(func(s *shown) {})},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got shown
			run(t, handler(func(w http.ResponseWriter, r *http.Request) { got = show(r) }), test.source, "", new(recorder))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHTTPS(t *testing.T) {
	body, _ := handler(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || !r.TLS.HandshakeComplete {
			t.Errorf("TLS is %v", r.TLS)
		}
	}).Call(wsgi.EnvironFromMap(map[string]any{"wsgi.url_scheme": "https"}),
		func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	body.Blocks(func([]byte, error) bool { return true })
}

func TestBody(t *testing.T) {
	var kept io.Reader
	run(t, handler(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 5))
		if tooLarge := (*http.MaxBytesError)(nil); string(text) != "hello" || !errors.As(err, &tooLarge) {
			t.Errorf("read %q, %v", text, err)
		}
		kept = r.Body
	}), get("REQUEST_METHOD", "POST", "CONTENT_LENGTH", "12"), "hello, world", new(recorder))
	if n, err := kept.Read(make([]byte, 1)); n != 0 || err != http.ErrBodyReadAfterClose {
		t.Errorf("Read after the request returned %d, %v", n, err)
	}
}

// onServer answers a request by the server of this module.
func onServer(app wsgi.Application, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	server.Handler(app).ServeHTTP(w, r)
	return w
}

type contextKey struct{}

// TestOriginalRequest: on our own server the handler gets the request itself,
// and nothing that a middleware did is bypassed by that.
func TestOriginalRequest(t *testing.T) {
	change := func(f func(*wsgi.Environ) *wsgi.Environ, app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
			return app.Call(f(environ), startResponse)
		})
	}
	same := func(e *wsgi.Environ) *wsgi.Environ { return e }
	for _, test := range []struct {
		name   string
		body   string
		change func(*wsgi.Environ) *wsgi.Environ
		check  func(t *testing.T, got, sent *http.Request)
	}{
		{"as it is", "", same, func(t *testing.T, got, sent *http.Request) {
			if got != sent {
				t.Error("it is another")
			}
		}},
		{"with a body it is a copy", "hello", same, func(t *testing.T, got, sent *http.Request) {
			text, err := io.ReadAll(got.Body)
			if string(text) != "hello" || err != nil {
				t.Errorf("body is %q, %v", text, err)
			}
			if got == sent || got.URL != sent.URL || got.Context() != sent.Context() {
				t.Error("it is no copy")
			}
		}},
		{"what a middleware has read is gone", "1\n2\n", func(e *wsgi.Environ) *wsgi.Environ {
			if line, _ := e.Input().ReadLine(-1); string(line) != "1\n" {
				t.Errorf("line is %q", line)
			}
			return e
		}, func(t *testing.T, got, sent *http.Request) {
			if text, _ := io.ReadAll(got.Body); string(text) != "2\n" {
				t.Errorf("body is %q", text)
			}
		}},
		{"another context", "", func(e *wsgi.Environ) *wsgi.Environ {
			return e.WithContext(context.WithValue(e.Context(), contextKey{}, 1))
		}, func(t *testing.T, got, sent *http.Request) {
			if got.Context().Value(contextKey{}) != 1 || got.URL != sent.URL {
				t.Error("the context is not the environ's, or the URL not the request's")
			}
		}},
		{"a changed method", "", func(e *wsgi.Environ) *wsgi.Environ { e.Set("REQUEST_METHOD", "PUT"); return e },
			func(t *testing.T, got, sent *http.Request) {
				if got.Method != "PUT" || sent.Method != "POST" {
					t.Errorf("method is %s, the server's %s", got.Method, sent.Method)
				}
			}},
		{"a header less", "", func(e *wsgi.Environ) *wsgi.Environ { e.Delete("HTTP_X_SECRET"); return e },
			func(t *testing.T, got, sent *http.Request) {
				if got.Header.Get("X-Secret") != "" || got.Header.Get("X-Other") != "1" {
					t.Errorf("header is %v", got.Header)
				}
			}},
		{"shifted", "", func(e *wsgi.Environ) *wsgi.Environ { e.ShiftPathInfo(); return e },
			func(t *testing.T, got, sent *http.Request) {
				if got.URL.Path != "/b c" || got.RequestURI != sent.RequestURI || got.RemoteAddr != sent.RemoteAddr {
					t.Errorf("request is %+v", got)
				}
			}},
	} {
		t.Run(test.name, func(t *testing.T) {
			sent := httptest.NewRequest("POST", "/a/b%20c", strings.NewReader(test.body))
			if test.body == "" {
				sent.Body = http.NoBody
			}
			sent.Header.Set("X-Secret", "1")
			sent.Header.Set("X-Other", "1")
			ran := false
			onServer(change(test.change, handler(func(w http.ResponseWriter, r *http.Request) {
				ran = true
				test.check(t, r, sent)
			})), sent)
			if !ran {
				t.Error("the handler did not run")
			}
		})
	}
}

// TestStripPrefixAround: server.Handler mounted by net/http's own means.
func TestStripPrefixAround(t *testing.T) {
	r := httptest.NewRequest("GET", "/app/a%2Fb?q", nil)
	w := httptest.NewRecorder()
	app := handler(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path+" "+r.URL.RawPath+" "+r.RequestURI)
	})
	http.StripPrefix("/app", server.Handler(app)).ServeHTTP(w, r)
	if got, want := w.Body.String(), "/a/b /a%2Fb /app/a%2Fb?q"; got != want {
		t.Errorf("request is %q, want %q", got, want)
	}
}

// TestMultipartFiles: the files of a form are removed, although net/http does
// not know the request that was parsed.
func TestMultipartFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var file io.Closer
	run(t, handler(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseMultipartForm(1); err != nil {
			t.Fatal(err)
		}
		file, _ = r.MultipartForm.File["f"][0].Open()
	}), get("REQUEST_METHOD", "POST", "CONTENT_TYPE", "multipart/form-data; boundary=xyz"),
		strings.Replace(upload, "hello", strings.Repeat("x", 11<<20), 1), new(recorder))
	if file == nil {
		t.Fatal("no file was uploaded")
	}
	file.Close()
	if left := dirNames(t); len(left) != 0 {
		t.Errorf("files %v are left", left)
	}
}

func dirNames(t *testing.T) (names []string) {
	entries, err := os.ReadDir(os.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
