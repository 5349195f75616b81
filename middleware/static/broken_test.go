package static_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// A file that gets shorter cannot keep the promise of its Content-Length: the
// response is cut. One that grows is sent as long as it was.
func TestChanging(t *testing.T) {
	for _, header := range []string{"", "bytes=100-99999", "bytes=0-9,50000-99999"} {
		for _, size := range []int64{50, 60_000, 300_000} {
			for _, wrapped := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s to %d, wrapped %v", header, size, wrapped), func(t *testing.T) {
					dir, root := folder(t, map[string]string{"a.txt": strings.Repeat("0123456789", 10_000)})
					app := static.Application(static.Config{Files: root})
					changing := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
						body, err := app.Call(environ, start)
						if err := os.Truncate(filepath.Join(dir, "a.txt"), size); err != nil {
							t.Error(err)
						}
						if wrapped {
							body = struct{ wsgi.Iterable }{body}
						}
						return body, err
					})
					req := get("/a.txt")
					if header != "" {
						req.With("Range", header)
					}
					req.ExpectErrors = true
					res := wsgitest.Do(t, changing, req)
					if cut := errors.Is(res.Err, gateway.ErrCut) || res.Code == 500; cut != (size < 100_000) {
						t.Errorf("got %s, %d bytes, %v", res.Status, len(res.Body()), res.Err)
					}
					if res.Err == nil && res.Code != 500 && res.Headers.Get("Content-Length") != fmt.Sprint(len(res.Body())) {
						t.Errorf("Content-Length is %s, %d bytes came", res.Headers.Get("Content-Length"), len(res.Body()))
					}
				})
			}
		}
	}
}

// broken is a file system in which every call fails with the error.
type broken struct{ error }

func (b broken) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: b.error}
}

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		code   int
		report string
	}{
		{"not there", fs.ErrNotExist, 404, ""},
		{"not allowed", fs.ErrPermission, 404, "static: \"x\" is not served: permission denied\n"},
		{"out of order", errors.New("too many open files"), 500, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := get("/x")
			req.ExpectErrors = true
			res := wsgitest.Do(t, static.Application(static.Config{Files: broken{tt.err}}), req)
			if res.Code != tt.code || res.Errors != tt.report && tt.code != 500 {
				t.Errorf("got %s and the report %q, expected %d and %q", res.Status, res.Errors, tt.code, tt.report)
			}
			if strings.Contains(res.Text(), tt.err.Error()) {
				t.Errorf("the response tells the error: %q", res.Text())
			}
		})
	}
}

// A file that is refused when it is opened is for the next application too.
func TestUnreadable(t *testing.T) {
	files := openOrStat{broken{fs.ErrPermission}, memory(map[string]string{"x": "x"})}
	app := static.New(static.Config{Files: files})(inside)
	req := get("/x")
	req.ExpectErrors = true
	if res := wsgitest.Do(t, app, req); res.Text() != "inside: GET |/x" {
		t.Errorf("got %q", res.Text())
	}
}

type openOrStat struct {
	broken
	stat fs.StatFS
}

func (f openOrStat) Stat(name string) (fs.FileInfo, error) { return f.stat.Stat(name) }
