package wsgi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

func TestErrors(t *testing.T) {
	tests := []struct {
		name string
		do   func(errs wsgi.ErrorStream) error
		want []string // one for each write that reached the log
	}{
		{"LOG-01/flush", func(errs wsgi.ErrorStream) error { return errs.Flush() }, nil},
		{"LOG-02/write of text", func(errs wsgi.ErrorStream) error {
			_, err := errs.WriteString("a\n")
			return err
		}, []string{"a\n"}},
		{"LOG-02/io.Writer", func(errs wsgi.ErrorStream) error {
			_, err := fmt.Fprintf(errs, "%d\n", 1)
			return err
		}, []string{"1\n"}},
		{"LOG-03/writelines adds no newlines", func(errs wsgi.ErrorStream) error {
			return errs.WriteLines("a", "b\n", "c")
		}, []string{"a", "b\n", "c"}},
		{"LOG-03/no lines", func(errs wsgi.ErrorStream) error { return errs.WriteLines() }, nil},
		{"LOG-05/any text", func(errs wsgi.ErrorStream) error {
			_, err := errs.WriteString("\u20ac \U0001F600 \xff\xfe \x00")
			return err
		}, []string{"\u20ac \U0001F600 \xff\xfe \x00"}},
		{"LOG-15/lines are passed on as they are", func(errs wsgi.ErrorStream) error {
			return errs.WriteLines("a\nb\n", "\r\n")
		}, []string{"a\nb\n", "\r\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log recordWriter
			if err := tt.do(wsgi.NewErrors(&log)); err != nil {
				t.Errorf("error %v", err)
			}
			if diff := cmp.Diff(tt.want, log.writes); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("LOG-07/forwarded at once", func(t *testing.T) {
		var log recordWriter
		errs := wsgi.NewErrors(&log)
		io.WriteString(errs, "no newline, no flush")
		if len(log.writes) != 1 {
			t.Error("the write was held back")
		}
	})
	t.Run("LOG-05/the log's own failure", func(t *testing.T) {
		failure := errors.New("disk full")
		log := recordWriter{failAfter: 1, err: failure}
		errs := wsgi.NewErrors(&log)
		if err := errs.WriteLines("a", "b", "c"); err != failure {
			t.Errorf("WriteLines: %v, want %v", err, failure)
		}
		if _, err := errs.WriteString("d"); err != failure {
			t.Errorf("WriteString: %v, want %v", err, failure)
		}
		if _, err := errs.Write([]byte("d")); err != failure {
			t.Errorf("Write: %v, want %v", err, failure)
		}
		if diff := cmp.Diff([]string{"a"}, log.writes); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
	t.Run("LOG-09/only the listed methods", func(t *testing.T) {
		want := []string{"Flush", "Write", "WriteLines", "WriteString"}
		for _, typ := range []reflect.Type{reflect.TypeFor[wsgi.ErrorStream](), reflect.TypeOf(wsgi.NewErrors(io.Discard))} {
			if diff := cmp.Diff(want, methods(typ)); diff != "" {
				t.Errorf("methods of %v (-want +got):\n%s", typ, diff)
			}
		}
	})
	t.Run("LOG-10/the application cannot close it", func(t *testing.T) {
		if _, ok := wsgi.NewErrors(struct{ io.WriteCloser }{}).(io.Closer); ok {
			t.Error("the stream is an io.Closer because the writer is one")
		}
	})
	t.Run("LOG-14/text", func(t *testing.T) {
		method, _ := reflect.TypeFor[wsgi.ErrorStream]().MethodByName("WriteLines")
		if got := method.Type.In(0); got != reflect.TypeFor[[]string]() {
			t.Errorf("WriteLines takes %v, want text", got)
		}
	})
}

// LOG-13: under -race this fails when a write reaches the log while another is
// on its way, for bytes.Buffer has no lock.
func TestErrorsAtomic(t *testing.T) {
	var log bytes.Buffer
	errs := wsgi.NewErrors(&log)
	const writers, each = 4, 50
	var wg sync.WaitGroup
	for i := range writers {
		line := strings.Repeat(string(rune('a'+i)), 60) + "\n"
		half := line[:30]
		wg.Go(func() {
			for range each {
				errs.Write([]byte(line))
				errs.WriteString(line)
				errs.WriteLines(half, line[30:]) // one call is one unit
				errs.Flush()
			}
		})
	}
	wg.Wait()
	lines := strings.SplitAfter(log.String(), "\n")
	if got, want := len(lines)-1, writers*each*3; got != want {
		t.Errorf("%d lines, want %d", got, want)
	}
	for _, line := range lines[:len(lines)-1] {
		if line != strings.Repeat(line[:1], 60)+"\n" {
			t.Fatalf("torn line %q", line)
		}
	}
}

// recordWriter records each write, and fails after some when it has an error.
type recordWriter struct {
	writes    []string
	failAfter int
	err       error
}

func (w *recordWriter) Write(p []byte) (int, error) {
	if w.err != nil && len(w.writes) >= w.failAfter {
		return 0, w.err
	}
	w.writes = append(w.writes, string(p))
	return len(p), nil
}
