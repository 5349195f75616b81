package wsgi_test

import (
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// readers are the ways in which the same bytes may come from a server.
var readers = map[string]func(data string) io.Reader{
	"at once":           func(data string) io.Reader { return strings.NewReader(data) },
	"byte by byte":      func(data string) io.Reader { return iotest.OneByteReader(strings.NewReader(data)) },
	"in halves":         func(data string) io.Reader { return iotest.HalfReader(strings.NewReader(data)) },
	"end with the data": func(data string) io.Reader { return iotest.DataErrReader(strings.NewReader(data)) },
}

// The operations of a script, in the words of Python's file objects. The end
// of the stream is "" to readline and read, as in Python.

type op func(in wsgi.InputStream) ([]string, error)

func readline(size int) op {
	return func(in wsgi.InputStream) ([]string, error) {
		line, err := in.ReadLine(size)
		if err == io.EOF && line == nil {
			err = nil
		}
		return []string{string(line)}, err
	}
}

func readlines(hint int) op {
	return func(in wsgi.InputStream) ([]string, error) {
		lines, err := in.ReadLines(hint)
		return text(lines), err
	}
}

func read(size int) op {
	return func(in wsgi.InputStream) ([]string, error) {
		if size < 0 {
			all, err := io.ReadAll(in)
			return []string{string(all)}, err
		}
		p := make([]byte, size)
		n, err := io.ReadFull(in, p)
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = nil
		}
		return []string{string(p[:n])}, err
	}
}

// next iterates over at most n lines and leaves the loop.
func next(n int) op {
	return func(in wsgi.InputStream) (got []string, err error) {
		for line, err := range in.Lines() {
			got = append(got, string(line))
			if err != nil || len(got) == n {
				return got, err
			}
		}
		return got, nil
	}
}

func text(lines [][]byte) (got []string) {
	for _, line := range lines {
		got = append(got, string(line))
	}
	return got
}

func TestInput(t *testing.T) {
	const body = "one\ntwo\n\nthree"
	type step struct {
		op   op
		want []string
	}
	// The answers are those of Python's io.BytesIO.
	tests := []struct {
		name, body string
		steps      []step
	}{
		{"INPUT-01/read", body, []step{
			{read(2), []string{"on"}}, {read(4), []string{"e\ntw"}}, {read(0), []string{""}},
			{read(100), []string{"o\n\nthree"}}, {read(5), []string{""}}}},
		{"INPUT-02/readline", body, []step{
			{readline(-1), []string{"one\n"}}, {readline(-1), []string{"two\n"}}, {readline(-1), []string{"\n"}},
			{readline(-1), []string{"three"}}, {readline(-1), []string{""}}, {readline(-1), []string{""}}}},
		{"INPUT-02/only newlines are ends of lines", "a\r\nb\rc\x00\xff\nd", []step{
			{readlines(0), []string{"a\r\n", "b\rc\x00\xff\n", "d"}}}},
		{"INPUT-03/readlines", body, []step{
			{readlines(-1), []string{"one\n", "two\n", "\n", "three"}}, {readlines(-1), nil}}},
		{"INPUT-04/iteration", body, []step{
			{next(-1), []string{"one\n", "two\n", "\n", "three"}}, {next(-1), nil}}},
		{"INPUT-04/iteration left and resumed", body, []step{
			{next(1), []string{"one\n"}}, {next(2), []string{"two\n", "\n"}}, {next(-1), []string{"three"}}}},
		{"INPUT-05/all on one cursor", body, []step{
			{read(2), []string{"on"}}, {readline(-1), []string{"e\n"}}, {read(1), []string{"t"}},
			{readlines(4), []string{"wo\n", "\n"}}, {next(1), []string{"three"}}, {read(-1), []string{""}}}},
		{"INPUT-05/the rest after a line", body, []step{
			{readline(-1), []string{"one\n"}}, {read(-1), []string{"two\n\nthree"}}, {readline(-1), []string{""}}}},
		{"INPUT-07/more than there is", body, []step{{read(1000), []string{body}}, {read(1000), []string{""}}}},
		{"INPUT-09/the rest", body, []step{{read(-1), []string{body}}, {read(-1), []string{""}}}},
		{"INPUT-10/the end is told again and again", "x", []step{
			{read(-1), []string{"x"}}, {read(-1), []string{""}}, {read(5), []string{""}}, {readline(-1), []string{""}},
			{readline(3), []string{""}}, {readlines(0), nil}, {next(-1), nil}, {read(1), []string{""}}}},
		{"INPUT-11/sizes of readline", body, []step{
			{readline(2), []string{"on"}}, {readline(2), []string{"e\n"}}, {readline(2), []string{"tw"}},
			{readline(1), []string{"o"}}, {readline(0), []string{""}}, {readline(-1), []string{"\n"}},
			{readline(100), []string{"\n"}}, {readline(100), []string{"three"}}, {readline(100), []string{""}}}},
		{"INPUT-11/a size that ends at the newline", "ab\ncd", []step{
			{readline(3), []string{"ab\n"}}, {readline(2), []string{"cd"}}, {readline(2), []string{""}}}},
		{"INPUT-11/longer than any buffer", strings.Repeat("x", 10000) + "\ny", []step{
			{readline(9999), []string{strings.Repeat("x", 9999)}}, {readline(9999), []string{"x\n"}}, {readline(9999), []string{"y"}}}},
		{"INPUT-13/hint of one byte", body, []step{{readlines(1), []string{"one\n"}}, {readlines(4), []string{"two\n"}}}},
		{"INPUT-13/hint within a line", body, []step{{readlines(5), []string{"one\n", "two\n"}}, {readlines(0), []string{"\n", "three"}}}},
		{"INPUT-13/hint at the end of a line", body, []step{{readlines(8), []string{"one\n", "two\n"}}, {readlines(99), []string{"\n", "three"}}}},
		{"INPUT-20/empty", "", []step{
			{read(-1), []string{""}}, {readline(-1), []string{""}}, {readline(1), []string{""}}, {readlines(0), nil}, {next(-1), nil}}},
	}
	for _, tt := range tests {
		for from, reader := range readers {
			t.Run(tt.name+", "+from, func(t *testing.T) {
				in := wsgi.NewInput(reader(tt.body))
				for i, step := range tt.steps {
					got, err := step.op(in)
					if err != nil {
						t.Errorf("step %d: %v", i+1, err)
					}
					if diff := cmp.Diff(step.want, got); diff != "" {
						t.Fatalf("step %d (-want +got):\n%s", i+1, diff)
					}
				}
			})
		}
	}

	t.Run("INPUT-20/no reader", func(t *testing.T) {
		for name, op := range map[string]op{"read": read(-1), "readline": readline(-1), "sized readline": readline(3), "readlines": readlines(0), "iteration": next(-1)} {
			if got, err := op(wsgi.NewInput(nil)); strings.Join(got, "") != "" || err != nil {
				t.Errorf("%s = %q, %v; want the end", name, got, err)
			}
		}
	})
	t.Run("INPUT-10/as Go tells it", func(t *testing.T) {
		in := wsgi.NewInput(strings.NewReader("x"))
		io.ReadAll(in)
		for range 2 {
			if n, err := in.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("Read at the end = %d, %v; want 0, io.EOF", n, err)
			}
			if line, err := in.ReadLine(-1); line != nil || err != io.EOF {
				t.Errorf("ReadLine at the end = %q, %v; want nil, io.EOF", line, err)
			}
			if n, err := in.Read(nil); n != 0 || err != nil {
				t.Errorf("Read of nothing = %d, %v; want 0, nil", n, err)
			}
		}
	})
	t.Run("INPUT-05/io.Reader's own rules", func(t *testing.T) {
		if err := iotest.TestReader(wsgi.NewInput(strings.NewReader(body)), []byte(body)); err != nil {
			t.Error(err)
		}
		in := wsgi.NewInput(strings.NewReader(body))
		in.ReadLine(-1)
		if err := iotest.TestReader(in, []byte(body[4:])); err != nil {
			t.Errorf("after a line: %v", err)
		}
	})
	t.Run("STR-11/lines belong to the caller", func(t *testing.T) {
		in := wsgi.NewInput(strings.NewReader("aa\nbb\ncc\n"))
		first, _ := in.ReadLine(-1)
		second, _ := in.ReadLine(2)
		in.ReadLines(0)
		if string(first) != "aa\n" || string(second) != "bb" {
			t.Errorf("lines became %q and %q by later reads", first, second)
		}
		copy(first, "xx") // and writing to one does not reach the stream
	})
	t.Run("INPUT-14/only the listed methods", func(t *testing.T) {
		want := []string{"Lines", "Read", "ReadLine", "ReadLines"}
		for _, typ := range []reflect.Type{reflect.TypeFor[wsgi.InputStream](), reflect.TypeOf(wsgi.NewInput(os.Stdin))} {
			if diff := cmp.Diff(want, methods(typ)); diff != "" {
				t.Errorf("methods of %v (-want +got):\n%s", typ, diff)
			}
		}
	})
	t.Run("INPUT-15/the application cannot close it", func(t *testing.T) {
		if _, ok := wsgi.NewInput(&closingReader{}).(io.Closer); ok {
			t.Error("the stream is an io.Closer because the reader is one")
		}
	})
}

func methods(typ reflect.Type) (names []string) {
	for method := range typ.Methods() {
		names = append(names, method.Name)
	}
	slices.Sort(names)
	return names
}

// counter counts the bytes and the calls that reach the reader.
type counter struct {
	r            io.Reader
	calls, bytes int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.calls++
	c.bytes += n
	return n, err
}

func TestInputReadsOnDemand(t *testing.T) {
	c := &counter{r: strings.NewReader("0123456789\nabc")}
	in := wsgi.NewInput(c)
	in.Lines()
	in.Read(nil)
	in.ReadLine(0)
	if c.calls != 0 {
		t.Errorf("EXP-03: %d reads before the first byte was asked for: each may answer 100 Continue", c.calls)
	}
	in.Read(make([]byte, 4))
	if c.calls != 1 || c.bytes != 4 {
		t.Errorf("%d bytes in %d reads, want 4 in 1: Read must not read ahead", c.bytes, c.calls)
	}
	if line, err := in.ReadLine(-1); string(line) != "456789\n" || err != nil {
		t.Errorf("ReadLine = %q, %v", line, err)
	}
	calls := c.calls
	if n, err := in.Read(make([]byte, 3)); n != 3 || err != nil || c.calls != calls {
		t.Errorf("Read = %d, %v with %d more reads; want what ReadLine had buffered", n, err, c.calls-calls)
	}
}
