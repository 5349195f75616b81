package forward

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Upload is a request body whose length is known.
type Upload struct {
	io.Reader
	Length   int64
	declared bool     // the client named the length, if only 0
	file     *os.File // what it is kept in, nil for none
}

// mostInMemory is how much of a body without a length is kept in memory.
const mostInMemory = 64 << 10

// ErrTooLong is what Open returns for a body beyond its limit.
var ErrTooLong = errors.New("the request body, which came without a length, is larger than the limit")

// Open returns the body of the request, of at most most bytes when it came
// without a length; 0 is no limit. Few backends take a body that does not say how
// long it is: the gateway protocols have no form for it, and Django takes a body
// in chunks for none. So it is read to its end first: into memory, or a temporary
// file.
func Open(environ *wsgi.Environ, most int64) (*Upload, error) {
	in := environ.Input()
	if n, ok := environ.ContentLength(); ok {
		return &Upload{Reader: in, Length: n, declared: true}, nil
	}
	var memory bytes.Buffer
	n, err := memory.ReadFrom(io.LimitReader(in, mostInMemory))
	if err != nil {
		return nil, err
	}
	if n < mostInMemory {
		return &Upload{Reader: &memory, Length: n}, nil
	}
	return spool(&memory, in, most)
}

func spool(memory *bytes.Buffer, in io.Reader, most int64) (_ *Upload, err error) {
	file, err := os.CreateTemp("", "gowsgi-body-")
	if err != nil {
		return nil, err
	}
	u := &Upload{Reader: file, file: file}
	defer func() {
		if err != nil {
			u.Close()
		}
	}()
	if most > 0 {
		in = io.LimitReader(in, most-int64(memory.Len())+1)
	}
	if u.Length, err = io.Copy(file, io.MultiReader(memory, in)); err != nil {
		return nil, err
	}
	if most > 0 && u.Length > most {
		return nil, ErrTooLong
	}
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return u, nil
}

// Close removes what the body was kept in.
func (u *Upload) Close() error {
	if u.file != nil {
		u.file.Close()
		os.Remove(u.file.Name())
	}
	return nil
}
