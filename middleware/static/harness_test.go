package static_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// then is the modification time of the files of these tests.
var then = time.Date(2024, 5, 6, 7, 8, 9, 500, time.UTC)

const thenDate = "Mon, 06 May 2024 07:08:09 GMT"

// folder makes a folder with files, and returns its path and the FS of its root.
func folder(t testing.TB, files map[string]string) (dir string, root fs.FS) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "public")
	for name, content := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), content)
	}
	r, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return dir, r.FS()
}

func write(t testing.TB, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, then, then); err != nil {
		t.Fatal(err)
	}
}

// memory is a file system in memory.
func memory(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{}
	for name, content := range files {
		m[name] = &fstest.MapFile{Data: []byte(content), ModTime: then}
	}
	return m
}

// inside is the application inside. It tells what reached it.
var inside = wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
	return wsgi.Strings("inside: " + environ.Var("REQUEST_METHOD") + " " + environ.Var("SCRIPT_NAME") + "|" + environ.Var("PATH_INFO")), err
})

// linted puts the middleware of config between two observers.
func linted(t *testing.T, config static.Config) wsgi.Application {
	l := conformance.NewLinter(t)
	return l.Lint(static.New(config)(l.Lint(inside)))
}

func get(target string, pairs ...string) *wsgitest.Request {
	return request("GET", target, pairs...)
}

func request(method, target string, pairs ...string) *wsgitest.Request {
	req := wsgitest.NewRequest(method, target)
	for i := 0; i < len(pairs); i += 2 {
		req.With(pairs[i], pairs[i+1])
	}
	return req
}

// tracking is a file system that counts the files that are open, and fails
// where it is told to.
type tracking struct {
	fs.FS
	opened, closed atomic.Int32
	fail           error // of reading
}

type trackedFile struct {
	fs.File
	of *tracking
}

func (f *tracking) Open(name string) (fs.File, error) {
	file, err := f.FS.Open(name)
	if err != nil {
		return nil, err
	}
	f.opened.Add(1)
	return trackedFile{file, f}, nil
}

// Stat keeps fs.Stat from opening the file.
func (f *tracking) Stat(name string) (fs.FileInfo, error) { return fs.Stat(f.FS, name) }

func (f trackedFile) Close() error {
	f.of.closed.Add(1)
	return f.File.Close()
}

func (f trackedFile) Read(p []byte) (int, error) {
	if f.of.fail != nil {
		return 0, f.of.fail
	}
	return f.File.Read(p)
}

func (f trackedFile) Seek(offset int64, whence int) (int64, error) {
	return f.File.(io.Seeker).Seek(offset, whence)
}

func (f trackedFile) ReadDir(n int) ([]fs.DirEntry, error) {
	return f.File.(fs.ReadDirFile).ReadDir(n)
}

func (f *tracking) check(t *testing.T, opened int32) {
	t.Helper()
	if o, c := f.opened.Load(), f.closed.Load(); o != opened || c != opened {
		t.Errorf("%d files were opened and %d closed, expected %d", o, c, opened)
	}
}

var errRefused = errors.New("start_response refuses")

// has checks that the header fields of res that want names have its values, ""
// for one that must be absent.
func has(t *testing.T, res *wsgitest.Response, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := strings.Join(res.Headers.Values(name), " + "); got != value {
			t.Errorf("%s is %q, expected %q", name, got, value)
		}
	}
}
