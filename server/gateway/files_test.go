package gateway_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// open returns a file with the given contents.
func open(t *testing.T, contents string) *os.File {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(contents), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// A fileLike is what an application may wrap besides files.
type fileLike struct {
	io.Reader
	p *probe
}

func (f fileLike) Close() error { f.p.note("close"); return nil }

// pipe returns the reading end of a pipe through which contents come.
func pipe(t *testing.T, contents string) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	io.WriteString(w, contents)
	w.Close()
	return r
}

// A parts body is a FileStreamer of a block, n bytes of a file, and another
// block; it is deaf to what becomes of them.
type parts struct {
	p    *probe
	file *os.File
	n    int64
}

func (b parts) Blocks(func([]byte, error) bool) { b.p.t.Error("Blocks was called") }
func (b parts) Close() error                    { b.p.note("close"); return nil }

func (b parts) StreamFiles(yield func([]byte, error) bool, sendFile func(*os.File, int64) (int64, error)) {
	yield([]byte("before"), nil)
	n, err := sendFile(b.file, b.n)
	b.p.note("sent %d, error: %t", n, err != nil)
	b.p.note("more: %t", yield([]byte("after"), nil))
}
