package adaptertest

import (
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// bodyAsItComes: the application gets the first part before the second is
// sent.
func (s Subject) bodyAsItComes(t *testing.T) {
	got := make(chan string)
	addr := s.start(t, backend.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		b := make([]byte, 5)
		for range 2 {
			if _, err := io.ReadFull(environ.Input(), b); err != nil {
				return nil, err
			}
			got <- string(b)
		}
		if n, err := environ.Input().Read(b); n != 0 || err != io.EOF {
			t.Errorf("at the end Read returns %d, %v", n, err)
		}
		return respond("read")(environ, start)
	})
	c := Dial(t, addr)
	c.Write(Request(s.Protocol, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "10"))
	for _, part := range []string{"first", "later"} {
		c.Write(Body(s.Protocol, part))
		if text := <-got; text != part {
			t.Errorf("got %q, expected %q", text, part)
		}
	}
	c.Write(Body(s.Protocol, ""))
	Receive(s.Protocol, c).expect(t, 200, "read")
}

// cutBody: a body that ends before its declared length is an error, and never a
// short one (INPUT-21).
func (s Subject) cutBody(t *testing.T) {
	got := make(chan error, 1)
	addr := s.start(t, backend.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := io.ReadAll(environ.Input())
		got <- err
		return nil, err
	})
	for _, text := range []string{"", "half"} {
		c := Dial(t, addr)
		c.Write(append(Request(s.Protocol, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "10"), Body(s.Protocol, text)...))
		c.(*net.TCPConn).CloseWrite()
		if err := <-got; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a body of 10 bytes that ends after %q is read with %v, expected %v", text, err, io.ErrUnexpectedEOF)
		}
		Receive(s.Protocol, c)
	}
}

// surplus: what comes behind the declared body is nobody's, and does not keep
// the answer from the web server.
func (s Subject) surplus(t *testing.T) {
	addr := s.start(t, backend.Options{}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		b, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return respond(string(b))(environ, start)
	})
	for _, behind := range []int{1, 100_000} {
		text := "abc" + strings.Repeat("x", behind)
		s.call(t, addr, text, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "3").expect(t, 200, "abc")
	}
	s.call(t, addr, "none", "CONTENT_LENGTH", "0").expect(t, 200, "")
}

// earlyAnswer: a web server that sends the whole body before it reads gets the
// answer all the same.
func (s Subject) earlyAnswer(t *testing.T) {
	addr := s.start(t, backend.Options{}, respond("not read"))
	body := strings.Repeat("x", 32<<20)
	s.call(t, addr, body, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "33554432").expect(t, 200, "not read")
}

func (s Subject) limits(t *testing.T) {
	addr := s.start(t, backend.Options{MaxBodyBytes: 100, MaxHeaderBytes: 1000}, func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		b, err := io.ReadAll(environ.Input())
		if err != nil {
			return nil, err
		}
		return respond(string(b))(environ, start)
	})
	text := strings.Repeat("x", 100)
	s.call(t, addr, text, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "100").expect(t, 200, text)
	s.call(t, addr, text+"x", "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "101").expect(t, 413, "413 Content Too Large\n")
	// All of the body is sent before the answer is read: it must not be lost.
	s.call(t, addr, strings.Repeat("x", 8<<20), "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "8388608").expect(t, 413, "413 Content Too Large\n")
	if r := s.call(t, addr, "", "HTTP_X", strings.Repeat("x", 1000)); s.Protocol == "uwsgi" && r.Code != 0 || s.Protocol != "uwsgi" && r.Code != 431 {
		t.Errorf("more variables than allowed are answered by %v", r)
	}
}

// lyingLengths: memory is taken for what comes, and not for what is promised.
func (s Subject) lyingLengths(t *testing.T) {
	addr := s.start(t, backend.Options{MaxHeaderBytes: -1, MaxBodyBytes: -1}, respond("not called"))
	promise := map[string]string{
		"scgi": "1999999999:CONTENT_LENGTH\x000\x00", "uwsgi": "\x00\xff\xff\x00\xff\xffA",
		"fastcgi": "\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00" +
			"\x01\x04\x00\x01\x00\x08\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff" + "\x01\x04\x00\x01\x00\x00\x00\x00",
	}[s.Protocol]
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const n = 20
	for range n {
		c := Dial(t, addr)
		io.WriteString(c, promise)
		c.(*net.TCPConn).CloseWrite()
		Receive(s.Protocol, c)
		c.Close()
	}
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) / n; got > 64<<10 {
		t.Errorf("a request that promises much and has little makes %d bytes be allocated", got)
	}
}
