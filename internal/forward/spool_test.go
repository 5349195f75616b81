package forward

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// counted counts what is read.
type counted struct {
	io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// TestSpool: a body without a length is read as far as its limit, and what it was
// kept in is gone in the end.
func TestSpool(t *testing.T) {
	const most = 1 << 20
	for _, tt := range []struct {
		name  string
		size  int
		files int // while it is open
		err   error
	}{
		{"nothing", 0, 0, nil},
		{"in memory", mostInMemory - 1, 0, nil},
		{"in a file", mostInMemory, 1, nil},
		{"as much as it may have", most, 1, nil},
		{"one more", most + 1, 0, ErrTooLong},
		{"much more", 8 * most, 0, ErrTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range []string{"TMPDIR", "TMP"} { // the second is Windows's
				t.Setenv(name, dir)
			}
			files := func() int {
				list, err := os.ReadDir(dir)
				if err != nil {
					t.Fatal(err)
				}
				return len(list)
			}
			in := &counted{Reader: strings.NewReader(strings.Repeat("x", tt.size))}
			u, err := Open(wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "POST", "wsgi.input": wsgi.NewInput(in)}), most)
			if err != tt.err || files() != tt.files {
				t.Fatalf("got %v and %d files, expected %v and %d", err, files(), tt.err, tt.files)
			}
			if in.n > most+64<<10 {
				t.Errorf("%d bytes were read, expected not many more than %d", in.n, most)
			}
			if err != nil {
				return
			}
			if text, err := io.ReadAll(u); len(text) != tt.size || u.Length != int64(tt.size) || err != nil {
				t.Errorf("the body has %d bytes, said to be %d, %v, expected %d", len(text), u.Length, err, tt.size)
			}
			u.Close()
			if n := files(); n != 0 {
				t.Errorf("%d files are left", n)
			}
		})
	}
}

// TestTooLong: what is too long is answered for, and no backend is asked.
func TestTooLong(t *testing.T) {
	c := dialled(t, "a", func(context.Context, string) (Stream, error) {
		t.Error("the backend is asked")
		return answering(), nil
	})
	c.MaxBodyBytes = mostInMemory + 1
	environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "POST", "wsgi.errors": wsgi.NewErrors(io.Discard),
		"wsgi.input": wsgi.NewInput(strings.NewReader(strings.Repeat("x", mostInMemory+2)))})
	body, err := c.Call(environ, func(status string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
		if status != "413 Content Too Large" {
			t.Errorf("answered by %s, expected 413", status)
		}
		return nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
}
