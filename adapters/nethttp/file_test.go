package nethttp_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/wsgi"
)

// passThrough is a middleware that wraps the body, so that the server does not
// see the file.
func passThrough(app wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := app.Call(environ, startResponse)
		return struct{ wsgi.Iterable }{body}, err
	})
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file.html")
	data := bytes.Repeat([]byte("<p>0123456789abcde\n"), 5000)
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { file.Close() })
		return file
	}
	size := len(data)
	for _, test := range []struct {
		name    string
		source  mapSource
		handler http.HandlerFunc
		files   int
		want    string
	}{
		{"ServeContent", get(), func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, name, time.Time{}, open())
		}, 1, string(data)},
		{"ServeFile", get(), func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, name) }, 1, string(data)},
		{"a range", get("HTTP_RANGE", "bytes=100-60000"), func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, name, time.Time{}, open())
		}, 1, string(data[100:60001])},
		{"io.Copy", get(), func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.Copy(w, open()); n != int64(size) || err != nil {
				t.Errorf("io.Copy returned %d, %v", n, err)
			}
		}, 1, string(data)},
		{"between blocks", get(), func(w http.ResponseWriter, r *http.Request) {
			file := open()
			io.WriteString(w, "a")
			io.CopyN(w, file, 20000)
			io.WriteString(w, "b")
			io.CopyN(w, file, 20000)
			io.WriteString(w, "c")
		}, 2, "a" + string(data[:20000]) + "b" + string(data[20000:40000]) + "c"},
		{"a small part", get(), func(w http.ResponseWriter, r *http.Request) { io.CopyN(w, open(), 1000) }, 0, string(data[:1000])},
		{"more than the length", get(), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "20000")
			if n, err := io.Copy(w, open()); n != 20000 || err != http.ErrContentLength {
				t.Errorf("io.Copy returned %d, %v", n, err)
			}
		}, 1, string(data[:20000])},
		{"more than the file has", get(), func(w http.ResponseWriter, r *http.Request) {
			if n, err := io.CopyN(w, open(), 1<<20); n != int64(size) || err != io.EOF {
				t.Errorf("io.CopyN returned %d, %v", n, err)
			}
		}, 1, string(data)},
		{"on 304", get(), func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(304)
			if n, err := io.Copy(w, open()); n != 0 || err != http.ErrBodyNotAllowed {
				t.Errorf("io.Copy returned %d, %v", n, err)
			}
		}, 0, ""},
		{"by another goroutine", get(), func(w http.ResponseWriter, r *http.Request) {
			elsewhere(func() { io.Copy(w, open()) })
		}, 0, string(data)},
		{"not a file", get(), func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, io.LimitReader(bytes.NewReader(data), 1<<20))
		}, 0, string(data)},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got fileRecorder
			err, log := run(t, nethttp.Application(test.handler), test.source, "", &got)
			if err != nil || log != "" {
				t.Errorf("error %v, log %q", err, log)
			}
			if len(got.files) != test.files {
				t.Errorf("files %q were handed over, want %d", got.files, test.files)
			}
			if got.body() != test.want {
				t.Errorf("body has %d bytes, want %d", len(got.body()), len(test.want))
			}

			var wrapped fileRecorder
			run(t, passThrough(nethttp.Application(test.handler)), test.source, "", &wrapped)
			if len(wrapped.files) != 0 {
				t.Error("a file went past a middleware")
			}
			if diff := cmp.Diff(got.headers, wrapped.headers); diff != "" || got.body() != wrapped.body() {
				t.Errorf("the answer is another behind a middleware: %s", diff)
			}
		})
	}
}

// TestFileFailure: a file that cannot be sent to its end fails the response,
// although the handler overlooks it.
func TestFileFailure(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, 20000), 0o644); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken disk")
	var returned error
	body, _ := handler(func(w http.ResponseWriter, r *http.Request) {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		_, returned = io.Copy(w, file)
		io.WriteString(w, "never")
	}).Call(wsgi.EnvironFromMap(nil), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	var blocks []string
	var failure error
	body.(wsgi.FileStreamer).StreamFiles(func(block []byte, err error) bool {
		blocks = append(blocks, string(block))
		failure = err
		return err == nil
	}, func(file *os.File, n int64) (int64, error) { return 7, broken })
	if !errors.Is(returned, broken) || !errors.Is(failure, broken) {
		t.Errorf("io.Copy returned %v, the body ended in %v, want %v from both", returned, failure, broken)
	}
	if strings.Contains(strings.Join(blocks, ""), "never") {
		t.Error("something was sent after the failure")
	}
}
