package conformance

import (
	"fmt"
	"io"
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverLineProbes look at what a line of wsgi.input is.
var serverLineProbes = []probe[*serverSubject]{
	onServer("INPUT-05", "a line ends in a newline", func(s *serverRun) {
		// As in a binary file: the other ends that text has are bytes of a line.
		want := []string{"one\r\n", "two\rtoo\v\f\x1c\x85\n", "end\r\n"}
		s.input(want[0]+want[1]+want[2], func(in wsgi.InputStream) {
			line, err := in.ReadLine(-1)
			s.same("ReadLine", string(line), want[0], err)
			for line, err := range in.Lines() {
				s.same("Lines", string(line), want[1], err)
				break
			}
			end := make([]byte, len(want[2]))
			n, err := io.ReadFull(in, end)
			s.same("read of the rest", string(end[:n]), want[2], err)
		})
	}),
	onServer("INPUT-02", "readline of a last line without a newline", func(s *serverRun) {
		s.lastLine(func(in wsgi.InputStream) (lines []string, err error) {
			for range 2 {
				line, err := in.ReadLine(-1)
				if lines = append(lines, string(line)); err != nil {
					return lines, err
				}
			}
			return lines, nil
		})
	}),
	onServer("INPUT-03", "readlines with a last line without a newline", func(s *serverRun) {
		s.lastLine(func(in wsgi.InputStream) (lines []string, err error) {
			all, err := in.ReadLines(0)
			for _, line := range all {
				lines = append(lines, string(line))
			}
			return lines, err
		})
	}),
	onServer("INPUT-04", "iteration with a last line without a newline", func(s *serverRun) {
		s.lastLine(func(in wsgi.InputStream) (lines []string, err error) {
			for line, err := range in.Lines() {
				if err != nil {
					return lines, err
				}
				lines = append(lines, string(line))
			}
			return lines, nil
		})
	}),
}

// lastLine checks that read gives all lines of a body whose last one has no
// newline. It is known by the end of the body alone, which a stream need not have
// (INPUT-06), and so by a read to the end it is seen first that this one has it.
func (s *serverRun) lastLine(read func(in wsgi.InputStream) ([]string, error)) {
	const body = "line\nend"
	var whole bool
	s.untilEnd(body, s.reader(func(in wsgi.InputStream) {
		all, err := io.ReadAll(in)
		whole = err == nil && string(all) == body
	}))
	if !whole {
		s.skipf(endless)
	}
	s.untilEnd(body, s.reader(func(in wsgi.InputStream) {
		lines, err := read(in)
		if want := []string{"line\n", "end"}; err != nil || !slices.Equal(lines, want) {
			s.faultf("expected the lines %q, got %s", want, got(fmt.Sprintf("%q", lines), err))
		}
	}))
}
