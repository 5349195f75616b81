package forward

import (
	"bytes"
	"errors"
	"io"
	"os"

	"github.com/gowsgi/gowsgi/wsgi"
)

// upload is a request body whose length is known.
type upload struct {
	io.Reader
	length   int64
	declared bool     // the client named the length, if only 0
	file     *os.File // what it is kept in, nil for none
}

// mostInMemory is how much of a body without a length is kept in memory.
const mostInMemory = 64 << 10

var errTooLong = errors.New("the request body, which came without a length, is larger than the limit")

// open returns the body of the request. No backend takes one that does not say
// how long it is, so that one which came without a length is read to its end
// first: into memory, or a temporary file.
func open(environ *wsgi.Environ, most int64) (*upload, error) {
	in := environ.Input()
	if n, ok := environ.ContentLength(); ok {
		return &upload{Reader: in, length: n, declared: true}, nil
	}
	var memory bytes.Buffer
	n, err := memory.ReadFrom(io.LimitReader(in, mostInMemory))
	if err != nil {
		return nil, err
	}
	if n < mostInMemory {
		return &upload{Reader: &memory, length: n}, nil
	}
	return spool(&memory, in, most)
}

func spool(memory *bytes.Buffer, in io.Reader, most int64) (u *upload, err error) {
	file, err := os.CreateTemp("", "gowsgi-body-")
	if err != nil {
		return nil, err
	}
	u = &upload{Reader: file, file: file}
	defer func() {
		if err != nil {
			u.close()
		}
	}()
	if most > 0 {
		in = io.LimitReader(in, most-int64(memory.Len())+1)
	}
	if u.length, err = io.Copy(file, io.MultiReader(memory, in)); err != nil {
		return nil, err
	}
	if most > 0 && u.length > most {
		return nil, errTooLong
	}
	if _, err = file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	return u, nil
}

// close removes what the body was kept in.
func (u *upload) close() {
	if u.file != nil {
		u.file.Close()
		os.Remove(u.file.Name())
	}
}
