package middleware_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestSendfile(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"files/a b.txt": "content", "files/deep/é.txt": "deep", "files/%41.txt": "percent", "other/x.txt": "elsewhere", "files-not/y.txt": "near"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	files := filepath.Join(dir, "files")
	open := func(name string, change func(f *os.File, h *wsgi.Headers)) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				return nil, err
			}
			h := headers("Content-Type", "text/plain", "ETag", `"e"`, "Accept-Ranges", "bytes")
			if change != nil {
				change(f, &h)
			}
			if _, err := start("200 OK", h, nil); err != nil {
				return nil, err
			}
			return environ.FileWrapper()(f, 0), nil
		})
	}
	accel := middleware.SendfileConfig{Header: "X-Accel-Redirect", Folders: map[string]string{files: "/internal/", filepath.Join(files, "deep"): "/deeper"}}
	plain := middleware.SendfileConfig{Header: "X-Sendfile", Folders: map[string]string{files: ""}}
	tests := []struct {
		name   string
		config middleware.SendfileConfig
		app    wsgi.Application
		method string
		want   string // the header, "" for a response as it is
	}{
		{"nginx", accel, open("files/a b.txt", nil), "GET", "/internal/a%20b.txt"},
		{"nginx, the longest folder", accel, open("files/deep/é.txt", nil), "GET", "/deeper/%C3%A9.txt"},
		{"Apache", plain, open("files/a b.txt", nil), "GET", filepath.Join(files, "a b.txt")},
		{"nginx, what looks escaped", accel, open("files/%41.txt", nil), "GET", "/internal/%2541.txt"},
		{"lighttpd: what looks escaped names A.txt there", plain, open("files/%41.txt", nil), "GET", ""},
		{"another folder", accel, open("other/x.txt", nil), "GET", ""},
		{"a folder that begins alike", accel, open("files-not/y.txt", nil), "GET", ""},
		{"another method", accel, open("files/a b.txt", nil), "POST", ""},
		{"a part of it", accel, open("files/a b.txt", func(f *os.File, h *wsgi.Headers) { h.Add("Content-Length", "3") }), "GET", ""},
		{"nginx, mod_xsendfile: the coding would be lost", plain, open("files/a b.txt", func(f *os.File, h *wsgi.Headers) { h.Add("content-encoding", "gzip") }), "GET", ""},
		{"from the middle", accel, open("files/a b.txt", func(f *os.File, h *wsgi.Headers) { f.Seek(2, io.SeekStart) }), "GET", ""},
		{"a name that leads to another file by now", accel, open("files/a b.txt", func(f *os.File, h *wsgi.Headers) {
			os.Rename(f.Name(), f.Name()+".old")
			os.WriteFile(f.Name(), []byte("content"), 0o666)
		}), "GET", ""},
		{"text", accel, text("hello"), "GET", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// What a client says has no say.
			req := wsgitest.NewRequest(tt.method, "/").With("X-Sendfile-Type", "X-Accel-Redirect").With("X-Accel-Mapping", "/=/internal/")
			res := wsgitest.Do(t, middleware.Sendfile(tt.config)(tt.app), req)
			if got := res.Headers.Get(tt.config.Header); got != tt.want || res.Code != 200 || res.Err != nil {
				t.Errorf("%s with %q, error %v, expected %q", res.Status, got, res.Err, tt.want)
			}
			if tt.want == "" {
				if len(res.Text()) == 0 {
					t.Error("the body is gone")
				}
				return
			}
			if res.Text() != "" || res.Headers.Get("Content-Length") != "0" || res.Headers.Has("Accept-Ranges") || res.Headers.Get("ETag") != `"e"` {
				t.Errorf("headers %v, body %q", res.Headers, res.Text())
			}
		})
	}
	t.Run("a folder is no file", func(t *testing.T) {
		res := wsgitest.Do(t, middleware.Sendfile(accel)(open("files/deep", nil)), &wsgitest.Request{ExpectErrors: true})
		if res.Headers.Has("X-Accel-Redirect") {
			t.Errorf("headers %v", res.Headers)
		}
	})
	t.Run("static", func(t *testing.T) {
		root, err := os.OpenRoot(files)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		app := middleware.Sendfile(accel)(static.Application(static.Config{Files: root.FS()}))
		if res := wsgitest.Do(t, app, get("/deep/%C3%A9.txt")); res.Headers.Get("X-Accel-Redirect") != "/deeper/%C3%A9.txt" {
			t.Errorf("headers %v", res.Headers)
		}
		part := wsgitest.Do(t, app, get("/deep/%C3%A9.txt").With("Range", "bytes=0-1"))
		if part.Code != 206 || part.Text() != "de" || part.Headers.Has("X-Accel-Redirect") {
			t.Errorf("%s %q", part.Status, part.Text())
		}
	})
	for _, bad := range []middleware.SendfileConfig{
		{}, {Header: "X-Sendfile"}, {Header: "Location", Folders: accel.Folders},
		{Header: "X-Sendfile", Folders: map[string]string{"relative": ""}}, {Header: "X-Accel-Redirect", Folders: map[string]string{files: "x"}},
	} {
		panics(t, func() { middleware.Sendfile(bad) }, "Sendfile")
		if bad.Validate() == nil {
			t.Errorf("Validate accepts %v", bad)
		}
	}
	keeps(t, middleware.Sendfile(plain))
	t.Run("offloading", func(t *testing.T) {
		keeps(t, middleware.Sendfile(middleware.SendfileConfig{Header: "X-Sendfile", Folders: map[string]string{strings.TrimSuffix(os.TempDir(), "/"): ""}}))
	})
}
