package conformance

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverExpectProbes look at 100 Continue.
var serverExpectProbes = []probe[*serverSubject]{
	onServer("EXP-01", "100 Continue", func(s *serverRun) {
		s.onHTTP1()
		s.onNewHTTP()
		s.install(s.reader(func(in wsgi.InputStream) { s.declared(in, "body") }))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 4", "Expect: 100-continue"))
		c.within(s.patience)
		r := new(wireResponse)
		if err := c.head(r); err != nil || r.code != 100 {
			s.fatalf("expected 100 Continue before the body is sent, got %s", got(quote(r.line), err))
		}
		c.send("body")
		s.answered(c, "POST")
		s.follow(c)
	}),
	onServer("EXP-05", "not for HTTP/1.0", func(s *serverRun) {
		s.onHTTP1()
		s.install(s.reader(func(in wsgi.InputStream) { io.ReadFull(in, make([]byte, 4)) }))
		c := s.dial().send("POST " + s.path + " HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody")
		if r := s.receive(c, "POST"); len(r.interim) > 0 {
			s.faultf("expected no interim response for HTTP/1.0, got %v", r.interim)
		}
	}),
	onServer("EXP-06", "not after the final head", func(s *serverRun) {
		s.onHTTP1()
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText("Content-Length", "8"), nil)
			return s.body(func(yield func([]byte, error) bool) {
				if yield([]byte("head"), nil) {
					io.ReadFull(environ.Input(), make([]byte, 4))
					yield([]byte("tail"), nil)
				}
			}), nil
		})
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 4", "Expect: 100-continue"))
		// The first that comes is the head, or 100 Continue of a server that
		// sends it at once or reads the body before it calls.
		c.within(s.patience)
		c.r.Peek(1)
		c.send("body")
		r := s.receive(c, "POST") // a 100 before the head is the server's good right
		if r.complete() {
			s.follow(c)
		}
		if bytes.Contains([]byte(r.body), []byte("HTTP/1.1 100")) {
			s.faultf("expected no interim response after the final head, got %v", r)
		}
	}),
}

// serverFileProbes look at wsgi.file_wrapper where the server has it.
var serverFileProbes = []probe[*serverSubject]{
	onServer("FILE-05", "iterable", func(s *serverRun) {
		s.file(func(wrap wsgi.FileWrapper, start wsgi.StartResponse) wsgi.Iterable {
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
		}, "file content")
	}),
	onServer("FILE-06", "nothing before it is returned", func(s *serverRun) {
		s.file(func(wrap wsgi.FileWrapper, start wsgi.StartResponse) wsgi.Iterable {
			wrap(&memoryFile{Reader: bytes.NewReader([]byte("not this"))}, 5)
			start("200 OK", plainText(), nil)
			return wsgi.Strings("but this")
		}, "but this")
	}),
	onServer("FILE-08", "closes the file", func(s *serverRun) {
		file := &memoryFile{Reader: bytes.NewReader([]byte("file content")), record: s.record}
		if s.file(func(wrap wsgi.FileWrapper, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			return wrap(file, 5)
		}, "file content") {
			s.closed()
		}
	}),
	onServer("FILE-11", "from the position to the Content-Length", func(s *serverRun) {
		file := s.tempFile("0123456789abcdef")
		defer os.Remove(file.Name())
		s.file(func(wrap wsgi.FileWrapper, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText("Content-Length", "4"), nil)
			body := wrap(file, 3)
			file.Seek(10, io.SeekStart)
			return body
		}, "abcd")
	}),
	onServer("FILE-12", "without the variable", func(s *serverRun) {
		file := s.tempFile("0123456789")
		defer os.Remove(file.Name())
		s.expect(s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			wrap := environ.FileWrapper()
			environ.Delete("wsgi.file_wrapper")
			start("200 OK", plainText(), nil)
			return wrap(file, 4), nil
		}), 200, "0123456789")
	}),
	onServer("FILE-14", "no file but its methods", func(s *serverRun) {
		s.file(func(wrap wsgi.FileWrapper, start wsgi.StartResponse) wsgi.Iterable {
			start("200 OK", plainText(), nil)
			return wrap(lyingFile{&memoryFile{Reader: bytes.NewReader([]byte("no file at all"))}}, 5)
		}, "no file at all")
	}),
	onServer("FILE-16", "HEAD", func(s *serverRun) {
		s.onHTTP()
		file := s.tempFile("0123456789")
		defer os.Remove(file.Name())
		s.expect(s.do("HEAD", "", func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return environ.FileWrapper()(file, 4), nil
		}), 200, "")
	}),
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

// file runs an application that uses wsgi.file_wrapper, and reports whether
// the server has one (FILE-01).
func (s *serverRun) file(use func(wsgi.FileWrapper, wsgi.StartResponse) wsgi.Iterable, want string) bool {
	offered := true
	r := s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if offered = environ.Get("wsgi.file_wrapper") != nil; !offered {
			return s.sized(want)(environ, start)
		}
		return use(environ.FileWrapper(), start), nil
	})
	s.expect(r, 200, want)
	return offered
}

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

// serverThreadProbes look at requests that run at the same time.
var serverThreadProbes = []probe[*serverSubject]{
	onServer("ENV-18", "wsgi.multithread", func(s *serverRun) {
		var mu sync.Mutex
		inside, met, flag, processes := 0, false, false, false
		together := make(chan struct{})
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			mu.Lock()
			flag = environ.Get("wsgi.multithread") == true
			processes = environ.Get("wsgi.multiprocess") == true
			if inside++; inside == 2 {
				met = true
				close(together)
			}
			mu.Unlock()
			select {
			case <-together:
			case <-time.After(5 * moment): // nobody else: the server runs one at a time
			}
			mu.Lock()
			inside--
			mu.Unlock()
			return s.sized("ok")(environ, start)
		})
		a := s.dial().send(s.request("GET", s.path))
		b := s.dial().send(s.request("GET", s.path))
		s.receive(a, "GET")
		s.receive(b, "GET")
		switch {
		case met && !flag && processes:
			s.skipf("the server has several processes, and two requests at once may have been in two of them")
		case met && !flag:
			s.faultf("expected wsgi.multithread to be true where two requests are in the application at once, it is false")
		}
	}),
	onServer("THR-02", "requests do not mix", func(s *serverRun) {
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			id := environ.Var("QUERY_STRING")
			body := make([]byte, len(id))
			if _, err := io.ReadFull(environ.Input(), body); err != nil {
				return nil, err
			}
			return s.answer("200 OK", plainText("X-Id", id), blocksOf(id, " ", string(body)))(environ, start)
		})
		// Each connection has its request at once: a server that takes one
		// after the other would wait for the first to speak.
		// There are no more of them than the shortest queue of connections holds.
		s.together(4, func(i int) {
			for round := range 4 {
				id := fmt.Sprint("request-", i, "-", round)
				c := s.dial()
				c.send(s.request("POST", s.path+"?"+id, fmt.Sprintf("Content-Length: %d", len(id))) + id)
				r, err := c.receive("POST")
				c.Close()
				if err != nil || r.headers.Get("X-Id") != id || r.body != id+" "+id {
					s.faultf("expected the answer to %s, got %s", id, got(r, err))
				}
			}
		})
	}),
}
