package wsgi

import (
	"bufio"
	"bytes"
	"io"
	"iter"
)

// InputStream is wsgi.input: the bytes of the request body. All methods move
// one cursor, so they can be mixed (INPUT-05).
//
// The stream ends at the end of the body whatever size is asked for, and goes
// on answering io.EOF (INPUT-07, INPUT-10). A body that the client cut short
// ends in another error, such as io.ErrUnexpectedEOF, never in a clean io.EOF
// (INPUT-21). Reading may block until the client sends, and with
// "Expect: 100-continue" the first read is what asks for the body (EXP-03).
//
// Read is io.Reader's: it may return less than was asked for; io.ReadFull has
// the semantics of Python's read(size), and io.ReadAll those of read().
//
// An InputStream is used by one goroutine at a time, and until the request
// ends. It has no Close: only the server closes the body (INPUT-15). The
// blocks that its methods return belong to the caller.
//
// Source: PEP 3333, "Input and Error Streams".
type InputStream interface {
	io.Reader

	// ReadLine returns the next line with its newline, or at most size bytes
	// of it; size < 0 means no limit. The last line may lack a newline. At the
	// end it returns nil and io.EOF. Before any other error it returns what
	// had come.
	ReadLine(size int) ([]byte, error)

	// ReadLines returns the lines that follow; with hint > 0 it stops once
	// that many bytes were returned. The end is not an error.
	ReadLines(hint int) ([][]byte, error)

	// Lines iterates over the lines that follow. The end is not an error;
	// after an error nothing follows.
	Lines() iter.Seq2[[]byte, error]
}

// NewInput returns an InputStream over r. Nothing is read before the first
// method is called, and nothing is read ahead before the first line is asked
// for. A nil r is an empty stream.
func NewInput(r io.Reader) InputStream { return &input{r: r} }

type input struct {
	r        io.Reader
	buffered *bufio.Reader // over r from the first ReadLine on
	err      error         // sticky: bufio forgets an error once it told it
}

func (in *input) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if in.err != nil {
		return 0, in.err
	}
	if in.r == nil {
		in.err = io.EOF
		return 0, io.EOF
	}
	var n int
	if in.buffered != nil {
		n, in.err = in.buffered.Read(p)
	} else {
		n, in.err = in.r.Read(p)
	}
	return n, in.err
}

func (in *input) ReadLine(size int) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	if in.err != nil {
		return nil, in.err
	}
	if in.r == nil {
		in.err = io.EOF
		return nil, io.EOF
	}
	if in.buffered == nil {
		in.buffered = bufio.NewReader(in.r)
	}
	if size < 0 {
		line, err := in.buffered.ReadBytes('\n')
		return in.line(line, err)
	}
	var line []byte
	for len(line) < size {
		// Peek one byte to fill the buffer, then look at what is there.
		if _, err := in.buffered.Peek(1); err != nil {
			return in.line(line, err)
		}
		part, _ := in.buffered.Peek(min(in.buffered.Buffered(), size-len(line)))
		if i := bytes.IndexByte(part, '\n'); i >= 0 {
			part = part[:i+1]
		}
		line = append(line, part...)
		in.buffered.Discard(len(part))
		if line[len(line)-1] == '\n' {
			break
		}
	}
	return line, nil
}

func (in *input) line(line []byte, err error) ([]byte, error) {
	in.err = err
	switch {
	case err == nil || (err == io.EOF && len(line) > 0):
		return line, nil
	case len(line) > 0:
		return line, err
	}
	return nil, err
}

func (in *input) ReadLines(hint int) ([][]byte, error) {
	var lines [][]byte
	total := 0
	for line, err := range in.Lines() {
		if len(line) > 0 {
			lines = append(lines, line)
		}
		if err != nil {
			return lines, err
		}
		if total += len(line); hint > 0 && total >= hint {
			break
		}
	}
	return lines, nil
}

func (in *input) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			line, err := in.ReadLine(-1)
			if err == io.EOF {
				return
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}
