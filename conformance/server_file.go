package conformance

import (
	"bytes"
	"io"
	"os"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverFileProbes look at wsgi.file_wrapper. A server need not have one
// (FILE-01), and then keeps and breaks nothing here.
var serverFileProbes = []probe[*serverSubject]{
	onServer("FILE-05", "iterable", func(s *serverRun) {
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			body := wrap(&memoryFile{Reader: bytes.NewReader([]byte("file content"))}, 5)
			defer body.Close()
			var all []byte
			for block, err := range body.Blocks {
				if err != nil {
					s.faultf("expected the blocks of a wrapped file, got %v", err)
				}
				all = append(all, block...)
			}
			return wsgi.Strings(string(all))
		}), 200, "file content")
	}),
	onServer("FILE-06", "nothing before it is returned", func(s *serverRun) {
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			wrap(&memoryFile{Reader: bytes.NewReader([]byte("not this"))}, 5)
			start("200 OK", plainText(), nil)
			return wsgi.Strings("but this")
		}), 200, "but this")
	}),
	onServer("FILE-08", "closes the file", func(s *serverRun) {
		file := &memoryFile{Reader: bytes.NewReader([]byte("file content")), record: s.record}
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			return wrap(file, 5)
		}), 200, "file content")
		s.closed()
	}),
	onServer("FILE-11", "from the position", func(s *serverRun) {
		file := s.tempFile("0123456789abcdef")
		defer os.Remove(file.Name())
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			body := wrap(file, 3)
			file.Seek(10, io.SeekStart)
			return body
		}), 200, "abcdef")
	}),
	onServer("FILE-11", "to the Content-Length", func(s *serverRun) {
		file := s.tempFile("0123456789")
		defer os.Remove(file.Name())
		headers := plainText("Content-Length", "4")
		s.needWrapper()
		if s.spoils("GET", s.answer("200 OK", headers, blocksOf("0123456789"))) {
			s.left("LEN-01", "a body without a file is longer than its Content-Length too")
		}
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", headers.Clone(), nil)
			return wrap(file, 3)
		}), 200, "0123")
	}),
	onServer("FILE-12", "without the variable", func(s *serverRun) {
		file := s.tempFile("0123456789")
		defer os.Remove(file.Name())
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, environ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			environ.Delete("wsgi.file_wrapper")
			start("200 OK", plainText(), nil)
			return wrap(file, 4)
		}), 200, "0123456789")
	}),
	onServer("FILE-14", "no file but its methods", func(s *serverRun) {
		s.expect(s.wrapped("GET", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			return wrap(lyingFile{&memoryFile{Reader: bytes.NewReader([]byte("no file at all"))}}, 5)
		}), 200, "no file at all")
	}),
	onServer("FILE-16", "HEAD", func(s *serverRun) {
		s.onHTTP()
		s.needWrapper()
		for _, headers := range []wsgi.Headers{plainText(), plainText("Content-Length", "10")} {
			if s.spoils("HEAD", s.answer("200 OK", headers, blocksOf("0123456789"))) {
				s.left("HTTP-15", "a response to HEAD has a body without a file too")
			}
		}
		file := s.tempFile("0123456789")
		defer os.Remove(file.Name())
		s.expect(s.wrapped("HEAD", func(wrap wsgi.FileWrapper, _ *wsgi.Environ, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			return wrap(file, 4)
		}), 200, "")
	}),
}

const noWrapper = "the server offers no wsgi.file_wrapper (FILE-01)"

// needWrapper ends the probe where the server has no wsgi.file_wrapper: what
// Environ.FileWrapper returns then is not the server's.
func (s *serverRun) needWrapper() {
	var missing atomic.Bool
	s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		missing.Store(environ.Get("wsgi.file_wrapper") == nil)
		return s.sized("ok")(environ, start)
	})
	if s.ask("GET", ""); missing.Load() {
		s.skipf(noWrapper)
	}
}

// wrapped sends a request for an application that uses the server's
// wsgi.file_wrapper, and returns the response.
func (s *serverRun) wrapped(method string, use func(wsgi.FileWrapper, *wsgi.Environ, wsgi.StartResponse) wsgi.Iterable) *wireResponse {
	s.needWrapper()
	return s.do(method, "", func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		return use(environ.FileWrapper(), environ, start), nil
	})
}

// spoils reports whether what an application without a file does damages the
// next response: then a file is not what it takes.
func (s *serverRun) spoils(method string, a app) bool {
	s.install(a)
	c, r := s.ask(method, "")
	return !r.complete() || s.next(c) != nil
}

// memoryFile is a file-like object that is no file.
type memoryFile struct {
	*bytes.Reader
	record *record
}

func (f *memoryFile) Close() error {
	if f.record != nil {
		f.record.add("close")
	}
	return nil
}

// lyingFile claims to be a file of the system.
type lyingFile struct{ *memoryFile }

func (lyingFile) Fd() uintptr  { return 1 << 20 }
func (lyingFile) Name() string { return "/no/such/file" }

func (s *serverRun) tempFile(content string) *os.File {
	file, err := os.CreateTemp("", "conformance")
	if err == nil {
		_, err = file.WriteString(content)
	}
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		s.fatalf("expected a temporary file for the probe, got %v", err)
	}
	return file
}
