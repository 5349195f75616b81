//go:build unix

package static_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// A pipe is no file: to open it would wait until somebody writes into it.
func TestPipe(t *testing.T) {
	dir, root := folder(t, map[string]string{"a.txt": "a"})
	for _, name := range []string{"pipe", "a.txt.gz"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			t.Skip(err)
		}
	}
	app := linted(t, static.Config{Files: root, Encodings: []string{"gzip"}, List: true})
	for target, want := range map[string]string{"/pipe": "inside: GET |/pipe", "/a.txt": "a"} {
		if res := wsgitest.Do(t, app, get(target, "Accept-Encoding", "gzip")); res.Text() != want {
			t.Errorf("%s: got %q, expected %q", target, res.Text(), want)
		}
	}
}
