package conformance

import (
	"cmp"
	"fmt"
	"io"
	"iter"

	"github.com/gowsgi/gowsgi/wsgi"
)

// reader is an application that uses wsgi.input, and then answers "read".
func (s *serverRun) reader(use func(in wsgi.InputStream)) app {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		use(observedInput{environ.Input(), s.script.current()})
		return s.sized("read")(environ, start)
	}
}

// answered expects the answer of reader.
func (s *serverRun) answered(c *wireConn, method string) {
	s.expect(s.receive(c, method), 200, "read")
}

// declared reads as many bytes as want has, and expects these.
func (s *serverRun) declared(in wsgi.InputStream, want string) {
	b := make([]byte, len(want))
	n, err := io.ReadFull(in, b)
	s.same(fmt.Sprintf("read of %d bytes", len(want)), string(b[:n]), want, err)
}

// observedInput tells the transcript what is done with wsgi.input: a method
// that never returns is the last thing that is seen.
type observedInput struct {
	in wsgi.InputStream
	x  *exchange
}

func (o observedInput) Read(p []byte) (int, error) {
	o.x.note("calls read(%d) of wsgi.input", len(p))
	n, err := o.in.Read(p)
	o.x.note("read gives %s", given(p[:n], err))
	return n, err
}

func (o observedInput) ReadLine(size int) ([]byte, error) {
	o.x.note("calls readline(%s) of wsgi.input", sized(size))
	line, err := o.in.ReadLine(size)
	o.x.note("readline gives %s", given(line, err))
	return line, err
}

func (o observedInput) ReadLines(hint int) ([][]byte, error) {
	o.x.note("calls readlines(%s) of wsgi.input", sized(cmp.Or(max(hint, 0), -1)))
	lines, err := o.in.ReadLines(hint)
	o.x.note("readlines gives %d lines, %s", len(lines), ending(err))
	return lines, err
}

func (o observedInput) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		o.x.note("iterates over wsgi.input")
		for line, err := range o.in.Lines() {
			o.x.note("the iteration gives %s", given(line, err))
			if !yield(line, err) {
				return
			}
		}
		o.x.note("the iteration over wsgi.input ends")
	}
}

// sized is the argument for a size, none where there is no limit.
func sized(size int) string {
	if size < 0 {
		return ""
	}
	return fmt.Sprint(size)
}

// given shows what a read gave.
func given(b []byte, err error) string {
	switch {
	case err == nil:
		return sample(b)
	case err == io.EOF && len(b) == 0:
		return "the end"
	}
	return sample(b) + " and " + ending(err)
}
