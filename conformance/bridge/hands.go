package bridge

import (
	"fmt"
	"io"
	"iter"
	"os"
	"reflect"

	"github.com/gowsgi/gowsgi/wsgi"
)

// startResponse is the server's start_response.
func (s *strand) startResponse(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
	list := make([]any, len(headers))
	for i, h := range headers {
		list[i] = Tuple{h.Name, h.Value}
	}
	args := []any{status, list, nil}
	if excInfo != nil {
		args[2] = excInfo
	}
	value, err := s.command("start", args...)
	if err != nil {
		return nil, err
	}
	var number int
	var callable bool
	if result, _ := value.(Tuple); !scan(result, &number, &callable) || !callable {
		return nil, nil
	}
	return func(block []byte) (int, error) {
		if _, err := s.command("write", number, block); err != nil {
			return 0, err
		}
		return len(block), nil
	}, nil
}

// input is the server's wsgi.input.
type input struct{ strand *strand }

// Read calls read(len(p)).
func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	b, err := in.bytes("read", min(len(p), maxFrame/2))
	if err != nil {
		return 0, err
	}
	if len(b) > len(p) {
		return 0, fmt.Errorf("bridge: read(%d) gave %d bytes", len(p), len(b))
	}
	if len(b) == 0 {
		return 0, io.EOF
	}
	return copy(p, b), nil
}

// ReadLine calls readline() or readline(size).
func (in *input) ReadLine(size int) ([]byte, error) {
	args := []any{}
	if size >= 0 {
		args = append(args, size)
	}
	line, err := in.bytes("readline", args...)
	if err == nil && len(line) == 0 && size != 0 {
		err = io.EOF
	}
	return line, err
}

// ReadLines calls readlines() or readlines(hint).
func (in *input) ReadLines(hint int) ([][]byte, error) {
	args := []any{}
	if hint > 0 {
		args = append(args, hint)
	}
	value, err := in.strand.command("readlines", args...)
	if err != nil {
		return nil, err
	}
	list, _ := value.([]any)
	var lines [][]byte
	for _, line := range list {
		b, _ := line.([]byte)
		lines = append(lines, b)
	}
	return lines, nil
}

// Lines iterates.
func (in *input) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			value, err := in.strand.command("next_line")
			line, _ := value.([]byte)
			if err == nil && value == nil || !yield(line, err) || err != nil {
				return
			}
		}
	}
}

func (in *input) bytes(name string, args ...any) ([]byte, error) {
	value, err := in.strand.command(name, args...)
	if err != nil {
		return nil, err
	}
	b, ok := value.([]byte)
	if !ok {
		return nil, fmt.Errorf("bridge: expected bytes of %s, got %T", name, value)
	}
	return b, nil
}

// errorStream is the server's wsgi.errors. Text travels as its bytes: Python
// makes a str of them in the way in which it makes one of the name of a file.
type errorStream struct{ strand *strand }

func (e *errorStream) Write(p []byte) (int, error) {
	if _, err := e.strand.command("log", p); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (e *errorStream) WriteString(text string) (int, error) { return e.Write([]byte(text)) }

func (e *errorStream) WriteLines(lines ...string) error {
	list := make([]any, len(lines))
	for i, line := range lines {
		list[i] = []byte(line)
	}
	_, err := e.strand.command("log_lines", list)
	return err
}

func (e *errorStream) Flush() error {
	_, err := e.strand.command("flush")
	return err
}

// wrap is the server's wsgi.file_wrapper. An open file becomes an open file of
// the Python process, with the same position wherever the system can do that;
// anything else becomes an object that has read, and close where file has it.
func (s *strand) wrap(file io.Reader, blockSize int) wsgi.Iterable {
	_, closable := file.(io.Closer)
	s.mu.Lock()
	s.files = append(s.files, file)
	args := []any{"reader", len(s.files) - 1, closable, blockSize}
	var follow func() error
	if real, ok := file.(*os.File); ok {
		if s.c.canSendFiles() {
			args[0], follow = "descriptor", func() error { return s.c.sendFile(real) }
		} else if position, err := real.Seek(0, io.SeekCurrent); err == nil {
			args = append(args, real.Name(), int(position))
			args[0] = "name"
		}
	}
	s.mu.Unlock()
	value, err := s.commandThen(follow, "wrap", args...)
	if err != nil {
		return failed{err}
	}
	var number int
	var closes bool
	if result, _ := value.(Tuple); !scan(result, &number, &closes) {
		return failed{fmt.Errorf("bridge: expected a wrapper, got %v", value)}
	}
	return &object{s, number}
}

// object is an iterable of the Python side.
type object struct {
	strand *strand
	number int
}

// Blocks iterates it, from this side.
func (o *object) Blocks(yield func(block []byte, err error) bool) {
	iterator, err := o.strand.command("iterate", o.number)
	if err != nil {
		yield(nil, err)
		return
	}
	for {
		value, err := o.strand.command("next", iterator)
		block, _ := value.([]byte)
		if err == nil && value == nil || !yield(block, err) || err != nil {
			return
		}
	}
}

// Close closes it, from this side.
func (o *object) Close() error {
	_, err := o.strand.command("close", o.number)
	return err
}

// failed is a body in the place of one that could not be made.
type failed struct{ err error }

func (f failed) Blocks(yield func(block []byte, err error) bool) { yield(nil, f.err) }
func (f failed) Close() error                                    { return nil }

// readSize reads as Python's read(size) does: all of it for a negative size,
// and else so many bytes, or fewer at the end.
func readSize(r io.Reader, size int) ([]byte, error) {
	limit := maxFrame / 2
	if size >= 0 {
		limit = min(limit, size)
	}
	return io.ReadAll(io.LimitReader(r, int64(limit)))
}

// isList reports whether a body is one of wsgi's own lists of blocks, which is
// a list in Python.
func isList(body wsgi.Iterable) bool {
	return body == wsgi.Empty() || reflect.TypeOf(body) == listType
}

var listType = reflect.TypeOf(wsgi.Blocks(nil, nil))
