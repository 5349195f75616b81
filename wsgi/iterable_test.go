package wsgi_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Compile-time: what the constructors return for their fixed types.
var (
	_ wsgi.Iterable = wsgi.Generator(nil)
	_ wsgi.Iterable = wsgi.Block(nil)
	_ wsgi.Sized    = wsgi.Block(nil)
)

// blocks collects a body, which must end without an error.
func blocks(t *testing.T, body wsgi.Iterable) []string {
	t.Helper()
	var got []string
	for block, err := range body.Blocks {
		if err != nil {
			t.Fatalf("the body failed: %v", err)
		}
		got = append(got, string(block))
	}
	return got
}

type closingReader struct {
	io.Reader
	closed int
	err    error
}

func (r *closingReader) Close() error {
	r.closed++
	return r.err
}

func generate(parts ...string) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		for _, part := range parts {
			if !yield([]byte(part), nil) {
				return
			}
		}
	}
}

func TestIterable(t *testing.T) {
	tests := []struct {
		name string
		body func() wsgi.Iterable
		want []string
		len  int // -1 when it is not Sized
	}{
		{"Bytes", func() wsgi.Iterable { return wsgi.Bytes([]byte("abc")) }, []string{"abc"}, 1},
		// One empty block is not the same as no block: Len counts blocks.
		{"Bytes of nothing", func() wsgi.Iterable { return wsgi.Bytes(nil) }, []string{""}, 1},
		{"Block", func() wsgi.Iterable { return wsgi.Block("abc") }, []string{"abc"}, 1},
		{"Strings", func() wsgi.Iterable { return wsgi.Strings("a", "", "b") }, []string{"a", "", "b"}, 3},
		{"Strings of one", func() wsgi.Iterable { return wsgi.Strings("a") }, []string{"a"}, 1},
		{"Strings of one empty", func() wsgi.Iterable { return wsgi.Strings("") }, []string{""}, 1},
		{"Strings of none", func() wsgi.Iterable { return wsgi.Strings() }, nil, 0},
		{"Blocks", func() wsgi.Iterable { return wsgi.Blocks([]byte("a"), nil, []byte("b")) }, []string{"a", "", "b"}, 3},
		{"Blocks of none", func() wsgi.Iterable { return wsgi.Blocks() }, nil, 0},
		{"Empty", wsgi.Empty, nil, 0},
		{"Generator", func() wsgi.Iterable { return generate("a", "", "b") }, []string{"a", "", "b"}, -1},
		{"Generator of none", func() wsgi.Iterable { return generate() }, nil, -1},
		{"Reader", func() wsgi.Iterable { return wsgi.Reader(strings.NewReader("abcde"), 2) }, []string{"ab", "cd", "e"}, -1},
		{"Reader of none", func() wsgi.Iterable { return wsgi.Reader(strings.NewReader(""), 2) }, nil, -1},
		{"Reader of short reads", func() wsgi.Iterable {
			return wsgi.Reader(iotest.OneByteReader(strings.NewReader("abc")), 2)
		}, []string{"a", "b", "c"}, -1},
		{"Reader that ends with data", func() wsgi.Iterable {
			return wsgi.Reader(iotest.DataErrReader(strings.NewReader("abc")), 2)
		}, []string{"ab", "c"}, -1},
		{"Reader with the usual size", func() wsgi.Iterable { return wsgi.Reader(strings.NewReader("abc"), 0) }, []string{"abc"}, -1},
		{"Reader with a negative size", func() wsgi.Iterable { return wsgi.Reader(strings.NewReader("abc"), -1) }, []string{"abc"}, -1},
		{"WrapFile", func() wsgi.Iterable { return wsgi.WrapFile(strings.NewReader("abcde"), 2) }, []string{"ab", "cd", "e"}, -1},
		{"LEG-02 lines are not blocks", func() wsgi.Iterable {
			return wsgi.WrapFile(strings.NewReader("a\nb\nc\n"), 4)
		}, []string{"a\nb\n", "c\n"}, -1},
	}
	for _, tt := range tests {
		t.Run("BODY-02/"+tt.name, func(t *testing.T) {
			body := tt.body()
			if diff := cmp.Diff(tt.want, blocks(t, body)); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
			if err := body.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		t.Run("BODY-07/"+tt.name, func(t *testing.T) {
			n := -1
			if sized, ok := tt.body().(wsgi.Sized); ok {
				n = sized.Len()
			}
			if n != tt.len {
				t.Errorf("Len = %d, want %d (-1: not Sized)", n, tt.len)
			}
		})
		// A body stops when it is told to, at whichever block that is.
		t.Run("BODY-15/"+tt.name, func(t *testing.T) {
			for stop := range tt.want {
				body, n := tt.body(), 0
				body.Blocks(func([]byte, error) bool { n++; return n <= stop })
				if n != stop+1 {
					t.Errorf("yield returned false at block %d and was called %d times", stop+1, n)
				}
				body.Close()
			}
		})
		t.Run("BODY-13/"+tt.name, func(t *testing.T) {
			if err := tt.body().Close(); err != nil {
				t.Errorf("Close without iteration: %v", err)
			}
		})
	}

	t.Run("BODY-21/empty blocks are blocks", func(t *testing.T) {
		for name, body := range map[string]wsgi.Iterable{
			"Blocks": wsgi.Blocks(nil, []byte{}, []byte("a"), nil), "Strings": wsgi.Strings("", "", "a", ""),
			"Generator": generate("", "", "a", ""),
		} {
			if diff := cmp.Diff([]string{"", "", "a", ""}, blocks(t, body)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
	t.Run("BODY-05/every byte survives", func(t *testing.T) {
		all := allBytes()
		for name, body := range map[string]wsgi.Iterable{
			"Bytes": wsgi.Bytes([]byte(all)), "Strings": wsgi.Strings(all), "Reader": wsgi.Reader(strings.NewReader(all), 0),
		} {
			if got := blocks(t, body); len(got) != 1 || got[0] != all {
				t.Errorf("%s changed the bytes: %q", name, got)
			}
		}
	})
	t.Run("BODY-20/a bytestring is no body", func(t *testing.T) {
		if reflect.TypeFor[[]byte]().Implements(reflect.TypeFor[wsgi.Iterable]()) {
			t.Error("[]byte is an Iterable")
		}
	})
	t.Run("STR-03/bodies are bytes", func(t *testing.T) {
		for block := range wsgi.Strings("é").Blocks {
			if !bytes.Equal(block, []byte("\xc3\xa9")) {
				t.Errorf("block %q, want the string's own bytes", block)
			}
		}
	})
	t.Run("BODY-22/blocks are not copied", func(t *testing.T) {
		b := []byte("abc")
		for name, body := range map[string]wsgi.Iterable{"Bytes": wsgi.Bytes(b), "Blocks": wsgi.Blocks(b)} {
			for block := range body.Blocks {
				if &block[0] != &b[0] {
					t.Errorf("%s copied the block", name)
				}
			}
		}
	})
	t.Run("BODY-22/Reader reuses one block", func(t *testing.T) {
		seen := make(map[*byte]bool)
		for block := range wsgi.Reader(strings.NewReader("abcdef"), 2).Blocks {
			seen[&block[0]] = true
		}
		if len(seen) != 1 {
			t.Errorf("%d buffers for one body, want 1", len(seen))
		}
	})
}

// An error ends the body; what had come before it is delivered.
func TestIterableErrors(t *testing.T) {
	failure := errors.New("disk gone")
	tests := []struct {
		name string
		r    io.Reader
		want []string
		err  error
	}{
		{"at once", iotest.ErrReader(failure), nil, failure},
		{"after data", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(failure)), []string{"ab", "c"}, failure},
		{"with data", &dataAndError{"abc", failure}, []string{"ab", "c"}, failure},
		{"timeout", iotest.TimeoutReader(strings.NewReader("abc")), []string{"ab"}, iotest.ErrTimeout},
		{"cut short", io.MultiReader(strings.NewReader("a"), iotest.ErrReader(io.ErrUnexpectedEOF)), []string{"a"}, io.ErrUnexpectedEOF},
	}
	for _, tt := range tests {
		t.Run("ERR-08/"+tt.name, func(t *testing.T) {
			var got []string
			var errs []error
			wsgi.Reader(tt.r, 2).Blocks(func(block []byte, err error) bool {
				if err != nil {
					errs = append(errs, err)
				} else {
					got = append(got, string(block))
				}
				return true // even to a loop that goes on, nothing more comes
			})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("blocks (-want +got):\n%s", diff)
			}
			if len(errs) != 1 || errs[0] != tt.err {
				t.Errorf("errors %v, want exactly %v", errs, tt.err)
			}
		})
	}
}

// dataAndError returns its error together with the last of its data.
type dataAndError struct {
	data string
	err  error
}

func (r *dataAndError) Read(p []byte) (int, error) {
	n := copy(p, r.data)
	if r.data = r.data[n:]; r.data == "" {
		return n, r.err
	}
	return n, nil
}

func TestIterableClose(t *testing.T) {
	failure := errors.New("close failed")
	for name, wrap := range map[string]func(io.Reader, int) wsgi.Iterable{"Reader": wsgi.Reader, "WrapFile": wsgi.WrapFile} {
		t.Run("FILE-08/"+name, func(t *testing.T) {
			r := &closingReader{Reader: strings.NewReader("abc"), err: failure}
			body := wrap(r, 1)
			for range body.Blocks {
				break
			}
			if r.closed != 0 {
				t.Error("closed before Close")
			}
			if err := body.Close(); err != failure || r.closed != 1 {
				t.Errorf("Close = %v and closed %d times; want the reader's error and once", err, r.closed)
			}
		})
		t.Run("FILE-07/"+name+" without Close", func(t *testing.T) {
			if err := wrap(iotest.OneByteReader(strings.NewReader("abc")), 1).Close(); err != nil {
				t.Errorf("Close = %v, want nil", err)
			}
		})
	}
	// A Generator's defers are its finally blocks: they run however it ends.
	t.Run("BODY-15/Generator", func(t *testing.T) {
		finally := 0
		body := wsgi.Generator(func(yield func([]byte, error) bool) {
			defer func() { finally++ }()
			for yield([]byte("again"), nil) {
			}
		})
		for range body.Blocks {
			break
		}
		if finally != 1 {
			t.Errorf("deferred function ran %d times, want once", finally)
		}
	})
}
