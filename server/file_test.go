package server_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// sendsFile answers with the file that QUERY_STRING names, through
// wsgi.file_wrapper. The path says how.
func sendsFile(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	file, err := os.Open(e.Var("QUERY_STRING"))
	if err != nil {
		return nil, err
	}
	headers := wsgi.Headers{{Name: "Content-Type", Value: "application/octet-stream"}}
	switch e.Var("PATH_INFO") {
	case "/length":
		headers.Set("Content-Length", "10")
	case "/too-long":
		headers.Set("Content-Length", "1000000000")
	}
	write, err := start("200 OK", headers, nil)
	if err != nil {
		return nil, err
	}
	body := e.FileWrapper()(file, 0)
	switch e.Var("PATH_INFO") {
	case "/seek": // FILE-11: the position when transmission begins counts
		file.Seek(52, io.SeekStart)
	case "/write-first":
		write([]byte("before,"))
	case "/wrapped":
		return upper{body}, nil
	case "/forget": // FILE-12
		e.Delete("wsgi.file_wrapper")
	case "/discard": // FILE-06, FILE-17
		file.Close()
		return wsgi.Strings("something else"), nil
	}
	return body, nil
}

// upper transforms a body; it must not be bypassed (MW-17).
type upper struct{ wsgi.Iterable }

func (u upper) Blocks(yield func([]byte, error) bool) {
	for block, err := range u.Iterable.Blocks {
		if !yield(bytes.ToUpper(block), err) {
			return
		}
	}
}

func TestServerFile(t *testing.T) {
	content := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 5000) // 180 kB
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	size := strconv.Itoa(len(content))
	tests := []struct{ name, path, body, length string }{
		{"FILE-13/length", "/", content, size},
		{"FILE-11/position", "/seek", content[52:], strconv.Itoa(len(content) - 52)},
		{"FILE-11/shorter", "/length", content[:10], "10"},
		{"FILE-16/write-first", "/write-first", "before," + content, ""},
		{"FILE-12/forgotten", "/forget", content, size},
		{"FILE-05/wrapped", "/wrapped", strings.ToUpper(content), ""},
		{"FILE-06/discarded", "/discard", "something else", "14"},
	}
	for _, p := range protocols {
		_, url := p.serve(t, &server.Server{App: wsgi.AppFunc(sendsFile)})
		c := p.client(t)
		for _, tt := range tests {
			t.Run(tt.name+"/"+p.name, func(t *testing.T) {
				r, err := c.Get(url + tt.path + "?" + path)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				b, err := io.ReadAll(r.Body)
				if string(b) != tt.body || err != nil {
					t.Errorf("got %d bytes, %v, expected %d", len(b), err, len(tt.body))
				}
				if got := r.Header.Get("Content-Length"); got != tt.length {
					t.Errorf("Content-Length is %q, expected %q", got, tt.length)
				}
			})
		}
		t.Run("FILE-16/HEAD/"+p.name, func(t *testing.T) {
			r, err := c.Head(url + "/length?" + path)
			if err != nil {
				t.Fatal(err)
			}
			r.Body.Close()
			if r.Header.Get("Content-Length") != "10" {
				t.Errorf("Content-Length is %q", r.Header.Get("Content-Length"))
			}
		})
		t.Run("AMB-32/too-long/"+p.name, func(t *testing.T) {
			r, err := c.Get(url + "/too-long?" + path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if b, err := io.ReadAll(r.Body); err == nil || string(b) != content {
				t.Errorf("got %d bytes, %v, expected the file and a cut", len(b), err)
			}
		})
	}
	noDescriptors(t, path)
}

// shrinking is a body that has fewer bytes in its file than it says.
type shrinking struct {
	wsgi.Iterable
	file *os.File
	n    int64
}

func (s shrinking) StreamFiles(_ func([]byte, error) bool, sendFile func(*os.File, int64) (int64, error)) {
	sendFile(s.file, s.n)
}

// TestServerShrinkingFile cuts a file while it is sent: that is nobody's fault, but
// no client has left.
func TestServerShrinkingFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range protocols {
		t.Run("LEN-04/"+p.name, func(t *testing.T) {
			l, url := p.serve(t, &server.Server{App: wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				file, err := os.Open(path)
				if err != nil {
					return nil, err
				}
				start("200 OK", withLength("15"), nil)
				return shrinking{e.FileWrapper()(file, 0), file, 15}, nil
			})})
			r, err := p.client(t).Get(url)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			if b, err := io.ReadAll(r.Body); err == nil || string(b) != "0123456789" {
				t.Errorf("got %q, %v, expected the file and a cut", b, err)
			}
			eventually(t, "the report", func() bool { return strings.Contains(l.log.String(), "LEN-04") })
		})
	}
}

// noDescriptors sees to it that no response kept the file open (FILE-08).
func noDescriptors(t *testing.T, path string) {
	if runtime.GOOS != "linux" {
		return
	}
	eventually(t, "FILE-08: every file is closed", func() bool {
		entries, _ := os.ReadDir("/proc/self/fd")
		for _, e := range entries {
			if target, _ := os.Readlink("/proc/self/fd/" + e.Name()); target == path {
				return false
			}
		}
		return true
	})
}
