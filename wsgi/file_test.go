package wsgi_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

var _ wsgi.FileWrapper = wsgi.WrapFile

func openFile(t *testing.T, content string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() }) // closing twice is harmless here
	return file
}

// untouched is a file-like that nobody may touch.
type untouched struct{ t *testing.T }

func (u untouched) Read([]byte) (int, error) {
	u.t.Error("the file was read")
	return 0, io.EOF
}

func (u untouched) Close() error {
	u.t.Error("the file was closed")
	return nil
}

func TestWrapFile(t *testing.T) {
	// A wrapper that is never returned has no effect; whether its file is
	// closed is the application's own business.
	for _, id := range []string{"FILE-06", "FILE-17"} {
		t.Run(id+"/nothing happens before the iteration", func(t *testing.T) {
			wsgi.WrapFile(untouched{t}, 10)
		})
	}
	t.Run("FILE-04/any block size gives the same bytes", func(t *testing.T) {
		for _, size := range []int{-1, 0, 1, 3, 10, 1 << 20} { // FILE-03: <= 0 is no size
			body := wsgi.WrapFile(openFile(t, "0123456789"), size)
			if got := strings.Join(blocks(t, body), ""); got != "0123456789" {
				t.Errorf("block size %d: %q", size, got)
			}
		}
	})
	t.Run("FILE-05/a middleware can iterate it", func(t *testing.T) {
		app := wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return wsgi.WrapFile(openFile(t, "one\ntwo\n"), 0), nil
		})
		if diff := cmp.Diff([]string{"ONE\nTWO\n"}, serve(upper(app), request("/")).Blocks); diff != "" {
			t.Errorf("blocks, not lines (-want +got):\n%s", diff)
		}
	})
	t.Run("FILE-11/from the position of the moment", func(t *testing.T) {
		file := openFile(t, "0123456789")
		file.Seek(3, io.SeekStart)
		body := wsgi.WrapFile(file, 4)
		file.Seek(5, io.SeekStart) // after wrapping still counts
		if diff := cmp.Diff([]string{"5678", "9"}, blocks(t, body)); diff != "" {
			t.Errorf("blocks (-want +got):\n%s", diff)
		}
	})
	t.Run("FILE-08/an open file is closed", func(t *testing.T) {
		file := openFile(t, "x")
		if err := wsgi.WrapFile(file, 0).Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if _, err := file.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read after Close: %v, want os.ErrClosed", err)
		}
	})
}

func TestFileStreamer(t *testing.T) {
	failure := errors.New("connection lost")
	// stream runs StreamFiles with a sendFile that reads the file, as a server
	// without the operating system's help would.
	stream := func(body wsgi.Iterable, sendErr error) (got []string, errs []error) {
		body.(wsgi.FileStreamer).StreamFiles(
			func(block []byte, err error) bool {
				if err != nil {
					errs = append(errs, err)
				} else {
					got = append(got, "block:"+string(block))
				}
				return true
			},
			func(file *os.File, n int64) (int64, error) {
				if n >= 0 {
					got = append(got, "a part")
				}
				rest, _ := io.ReadAll(file)
				got = append(got, "file:"+string(rest))
				return int64(len(rest)), sendErr
			})
		return got, errs
	}
	tests := []struct {
		name    string
		body    func(t *testing.T) wsgi.Iterable
		sendErr error
		want    []string
		errs    []error
		reason  string
	}{
		{
			name:   "FILE-10/open file",
			body:   func(t *testing.T) wsgi.Iterable { return wsgi.WrapFile(openFile(t, "0123456789"), 4) },
			want:   []string{"file:0123456789"},
			reason: "an *os.File is handed over whole",
		},
		{
			name: "FILE-11/open file at a position",
			body: func(t *testing.T) wsgi.Iterable {
				file := openFile(t, "0123456789")
				file.Seek(7, io.SeekStart)
				return wsgi.WrapFile(file, 4)
			},
			want:   []string{"file:789"},
			reason: "the position of the moment counts, not the beginning",
		},
		{
			name:   "FILE-14/file-like",
			body:   func(t *testing.T) wsgi.Iterable { return wsgi.WrapFile(strings.NewReader("01234"), 4) },
			want:   []string{"block:0123", "block:4"},
			reason: "what is no *os.File is read block by block",
		},
		{
			name: "FILE-14/embedded file",
			body: func(t *testing.T) wsgi.Iterable {
				return wsgi.WrapFile(struct{ *os.File }{openFile(t, "01234")}, 4)
			},
			want:   []string{"block:0123", "block:4"},
			reason: "a type that only looks like an *os.File may have its own Read",
		},
		{
			name:    "BODY-09/send fails",
			body:    func(t *testing.T) wsgi.Iterable { return wsgi.WrapFile(openFile(t, "01234"), 4) },
			sendErr: failure,
			want:    []string{"file:01234"},
			errs:    []error{failure},
			reason:  "an error ends the body and is told to the server once",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, errs := stream(tt.body(t), tt.sendErr)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
			if len(errs) != len(tt.errs) || len(errs) == 1 && errs[0] != tt.errs[0] {
				t.Errorf("errors %v, want %v", errs, tt.errs)
			}
		})
	}
	t.Run("MW-17/a wrapping middleware loses it", func(t *testing.T) {
		var body wsgi.Iterable = &closeCounter{Iterable: wsgi.WrapFile(strings.NewReader("x"), 0)}
		if _, ok := body.(wsgi.FileStreamer); ok {
			t.Error("a transformation could be bypassed")
		}
	})
	t.Run("FILE-02/the fallback is no FileStreamer", func(t *testing.T) {
		if _, ok := wsgi.Reader(strings.NewReader("x"), 0).(wsgi.FileStreamer); ok {
			t.Error("Reader is a FileStreamer: only the server's wrapper may be")
		}
	})
}
