package middleware

import (
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/gowsgi/gowsgi/wsgi"
)

// BodyLimit returns a middleware that limits the body of a request to n bytes.
// One that declares more is answered with 413 and does not reach the application.
// One of undeclared length can be read up to n bytes; where the next byte would
// be, wsgi.input has an *HTTPError of status 413. A body of exactly n bytes ends
// as any other does.
//
// When the application fails with that error and nothing of its response was
// sent, status, headers and body are replaced by the 413; after that the server
// cuts the response. Other responses are left as they are, and the server still
// gets a single block, or a file, as such. An application that goes on after the
// error may answer as it likes.
//
// A negative n panics; 0 lets no body pass.
//
// Security: the limit is for the bytes on the wire. What a Content-Encoding makes
// of them is for whoever decodes it to limit.
func BodyLimit(n int64) wsgi.Middleware {
	if n < 0 {
		panic(fmt.Sprintf("middleware: BodyLimit: the limit is %d, expected 0 bytes or more", n))
	}
	tooLarge := &HTTPError{Code: 413, Detail: fmt.Sprintf("The body of the request has more than %d bytes.", n)}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			length, declared := environ.ContentLength()
			if declared && length > n {
				return tooLarge.Call(environ, start)
			}
			if declared && environ.Get("wsgi.input_terminated") == true {
				return next.Call(environ, start) // the server ends the body where it was said to
			}
			l := &limited{of: environ, left: n, over: tooLarge}
			environ.CloneInto(&l.inner, nil)
			l.inner.Set("wsgi.input", (*limitedInput)(l))
			g := guarded{environ: &l.inner, start: start, by: l}
			return g.call(next, start)
		})
	}
}

// limited is a request whose body fails where it becomes too long.
type limited struct {
	inner wsgi.Environ
	of    *wsgi.Environ
	from  io.Reader        // once something was read
	lines wsgi.InputStream // the same
	left  int64
	over  *HTTPError
}

func (l *limited) instead(_ *wsgi.Environ, err error) wsgi.Application {
	if errors.Is(err, l.over) {
		return l.over
	}
	return nil
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, l.over
	}
	if int64(len(p))-1 > l.left {
		p = p[:l.left+1] // one more, which tells the end from too much
	}
	if l.from == nil {
		l.from = l.of.Input()
	}
	n, err := l.from.Read(p)
	if int64(n) <= l.left {
		l.left -= int64(n)
		return n, err
	}
	n = int(l.left)
	l.left = -1
	return n, l.over
}

// limitedInput is a limited as the wsgi.input of the application. Most requests
// have no body, and so what reads lines of it is made when it is asked for.
type limitedInput limited

func (in *limitedInput) stream() wsgi.InputStream {
	if in.lines == nil {
		in.lines = wsgi.NewInput((*limited)(in))
	}
	return in.lines
}

func (in *limitedInput) Read(p []byte) (int, error)           { return in.stream().Read(p) }
func (in *limitedInput) ReadLine(size int) ([]byte, error)    { return in.stream().ReadLine(size) }
func (in *limitedInput) ReadLines(hint int) ([][]byte, error) { return in.stream().ReadLines(hint) }
func (in *limitedInput) Lines() iter.Seq2[[]byte, error]      { return in.stream().Lines() }
