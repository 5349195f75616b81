package wsgitest_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

var errBoom = errors.New("boom")

// text is the head of most cases.
var text = wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}

func length(n string) wsgi.Headers {
	return append(text.Clone(), wsgi.Header{Name: "Content-Length", Value: n})
}

func get() *wsgitest.Request  { return wsgitest.NewRequest("GET", "/") }
func head() *wsgitest.Request { return wsgitest.NewRequest("HEAD", "/") }

// answer is an application that starts with status and headers and returns body.
func answer(status string, headers wsgi.Headers, body wsgi.Iterable) wsgi.AppFunc {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start(status, headers, nil); err != nil {
			return nil, err
		}
		return body, nil
	}
}

// fails yields the blocks and then an error.
func fails(err error, blocks ...string) wsgi.Iterable {
	return wsgi.Generator(func(yield func([]byte, error) bool) {
		for _, block := range blocks {
			if !yield([]byte(block), nil) {
				return
			}
		}
		yield(nil, err)
	})
}

// generate yields the blocks and has no length.
func generate(blocks ...string) wsgi.Iterable {
	return wsgi.Generator(func(yield func([]byte, error) bool) {
		for _, block := range blocks {
			if !yield([]byte(block), nil) {
				return
			}
		}
	})
}

// sendFile answers with a file that is read from its sixth byte.
func sendFile(dir string, headers wsgi.Headers) wsgi.AppFunc {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		file, err := os.Open(filepath.Join(dir, "hello"))
		if err != nil {
			return nil, err
		}
		body := environ.FileWrapper()(file, 0)
		if _, err := file.Seek(5, io.SeekStart); err != nil {
			return body, err
		}
		_, err = start("200 OK", headers, nil)
		return body, err
	}
}

// show answers with the named variables, "-" for an absent one, and the body.
func show(keys ...string) wsgi.AppFunc {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		var b strings.Builder
		for _, key := range keys {
			value, ok := environ.Lookup(key)
			if !ok {
				value = "-"
			}
			fmt.Fprintln(&b, value)
		}
		if _, err := io.Copy(&b, environ.Input()); err != nil {
			return nil, err
		}
		_, err := start("200 OK", text, nil)
		return generate(b.String()), err
	}
}

// files returns a directory with the files of the cases.
func files(t *testing.T) string {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "hello"), []byte("helloworld"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
