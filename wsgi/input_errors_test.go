package wsgi_test

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// once fails once and then would go on with other data, which nobody may see.
// That is finite, so that a loop which misses the error ends all the same.
type once struct {
	before string
	err    error
	failed int
}

func (r *once) Read(p []byte) (int, error) {
	if r.before != "" {
		n := copy(p, r.before)
		r.before = r.before[n:]
		return n, nil
	}
	if r.failed++; r.failed == 2 {
		return copy(p, "the next request\n"), nil
	}
	return 0, r.err
}

func TestInputErrors(t *testing.T) {
	failure := errors.New("connection reset")
	for _, failure := range []error{io.ErrUnexpectedEOF, io.EOF, failure, iotest.ErrTimeout} {
		tests := []struct {
			name string
			op   op
			want []string // before the error
		}{
			{"read", func(in wsgi.InputStream) ([]string, error) {
				all, err := io.ReadAll(in)
				return []string{string(all)}, err
			}, []string{"one\ntw"}},
			{"lines", next(-1), []string{"one\n", "tw"}},
			{"readlines", readlines(-1), []string{"one\n", "tw"}},
			{"sized lines", func(in wsgi.InputStream) (got []string, err error) {
				for err == nil {
					var line []byte
					if line, err = in.ReadLine(5); len(line) > 0 {
						got = append(got, string(line))
					}
				}
				return got, err
			}, []string{"one\n", "tw"}},
		}
		for _, tt := range tests {
			t.Run(fmt.Sprintf("INPUT-21/%s, %v", tt.name, failure), func(t *testing.T) {
				in := wsgi.NewInput(&once{before: "one\ntw", err: failure})
				got, err := tt.op(in)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("what had come (-want +got):\n%s", diff)
				}
				// io.EOF is the end and no error, except where the caller
				// is told by it.
				if err != failure && !(failure == io.EOF && err == nil) {
					t.Errorf("error %v, want %v", err, failure)
				}
				if _, err := in.Read(make([]byte, 9)); err != failure {
					t.Errorf("then Read: %v, want %v to stay", err, failure)
				}
				if line, err := in.ReadLine(-1); line != nil || err != failure {
					t.Errorf("then ReadLine = %q, %v; want %v to stay", line, err, failure)
				}
				if line, err := in.ReadLine(7); line != nil || err != failure {
					t.Errorf("then sized ReadLine = %q, %v; want %v to stay", line, err, failure)
				}
			})
		}
	}
	t.Run("INPUT-21/data and error at once", func(t *testing.T) {
		for range 2 {
			in := wsgi.NewInput(&dataAndError{"tw", failure})
			if line, err := in.ReadLine(-1); string(line) != "tw" || err != failure {
				t.Errorf("ReadLine = %q, %v; want the part of the line and the error", line, err)
			}
		}
		in := wsgi.NewInput(&dataAndError{"tw", failure})
		if n, err := in.Read(make([]byte, 9)); n != 2 || err != failure {
			t.Errorf("Read = %d, %v; want 2 and the error", n, err)
		}
	})
	t.Run("INPUT-21/iteration ends with the error", func(t *testing.T) {
		n := 0
		wsgi.NewInput(iotest.ErrReader(failure)).Lines()(func([]byte, error) bool { n++; return true })
		if n != 1 {
			t.Errorf("yielded %d times, want once, with the error", n)
		}
	})
}
