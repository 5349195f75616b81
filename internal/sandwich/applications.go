package sandwich

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// ErrApp is what the applications fail with that do.
var ErrApp = errors.New("the application failed")

// Headers makes a list of names and values.
func Headers(pairs ...string) wsgi.Headers {
	var h wsgi.Headers
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// Answer is an application with a fixed response.
func Answer(status, body string, pairs ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start(status, Headers(pairs...), nil)
		return wsgi.Strings(body), err
	})
}

// Text is an application that answers 200 and body.
func Text(body string) wsgi.Application { return Answer("200 OK", body, "Content-Type", "text/plain") }

// Blocks is a generator of blocks, which fails after them unless err is nil.
func Blocks(err error, list ...string) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		for _, block := range list {
			if !yield([]byte(block), nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// Streams is an application that yields blocks, then fails unless err is nil.
func Streams(err error, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", Headers("Content-Type", "text/plain"), nil); err != nil {
			return nil, err
		}
		return Blocks(err, list...), nil
	})
}

// Writes is an application that sends the first text by write and yields the
// others.
func Writes(first string, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", Headers("Content-Type", "text/plain"), nil)
		if err != nil {
			return nil, err
		}
		if _, err := write([]byte(first)); err != nil {
			return nil, err
		}
		return Blocks(nil, list...), nil
	})
}

// Late is an application that starts its response when it is iterated.
func Late(status string, list ...string) wsgi.Application {
	return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if !yield(nil, nil) {
				return
			}
			if _, err := start(status, Headers("Content-Type", "text/plain"), nil); err != nil {
				yield(nil, err)
				return
			}
			Blocks(nil, list...)(yield)
		}), nil
	})
}

// File is an application whose body is an open file.
func File(t testing.TB, content string) wsgi.Application {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if _, err := start("200 OK", Headers("Content-Type", "text/plain"), nil); err != nil {
			f.Close()
			return nil, err
		}
		return environ.FileWrapper()(f, 0), nil
	})
}

// shortFile is File where there is no test to end: the file has no name.
func shortFile(content string) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		f, err := os.CreateTemp("", "sandwich")
		if err != nil {
			return nil, err
		}
		os.Remove(f.Name())
		if _, err := f.WriteString(content); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if _, err := start("200 OK", Headers("Content-Type", "text/plain"), nil); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return environ.FileWrapper()(f, 0), nil
	})
}

// Reads is an application that answers with the body of the request.
func Reads() wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		_, err = start("200 OK", Headers("Content-Type", "text/plain"), nil)
		return wsgi.Bytes(body), err
	})
}
