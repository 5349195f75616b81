package nethttp

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"
	"sync"
)

const copySize = 32 << 10

var copyBuffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// minFile is the size from which a file is worth handing over: below it, one
// read and one write that carries the head too are cheaper.
const minFile = 8 << 10

// ReadFrom is what io.Copy calls. Regular files go to the server as files,
// where it takes them; the rest is read in blocks.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	// Looked for once, as each block would ask again. A body that is copied by
	// another goroutine is read all the same, and kept.
	mine := onHandlerGoroutine()
	if file, size := regular(src); file != nil && mine {
		n, err = w.readFile(src, file, size)
		if err != nil {
			return n, err
		}
	}
	if limited, ok := src.(*io.LimitedReader); ok && limited.N <= 0 {
		return n, nil
	}
	buf := copyBuffers.Get().(*[copySize]byte)
	defer copyBuffers.Put(buf)
	k, err := w.copy(src, buf[:], mine)
	return n + k, err
}

// copy writes what src reads. mu is not held while it reads, for that may take
// as long as it likes.
func (w *response) copy(src io.Reader, buf []byte, mine bool) (n int64, err error) {
	for {
		k, readErr := src.Read(buf)
		if k > 0 {
			k, err = w.writeFitting(buf[:k], mine)
			n += int64(k)
			if err != nil {
				return n, err
			}
		}
		switch {
		case readErr == io.EOF:
			return n, nil
		case readErr != nil:
			return n, readErr
		}
	}
}

// readFile hands over size bytes of file, which src reads from, or as many as
// the response has room for. It may do nothing.
func (w *response) readFile(src io.Reader, file *os.File, size int64) (n int64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sendFile == nil || size < minFile || w.err != nil {
		return 0, nil
	}
	if w.status == 0 {
		w.writeHeader(http.StatusOK)
	}
	if w.err != nil || !bodyAllowed(w.status) {
		return 0, nil // copy finds the reason
	}
	if w.length >= 0 {
		size = min(size, w.length-w.written) // what is left over, copy refuses
	}
	if w.sniff && !w.started {
		first := make([]byte, min(size, max(0, sniffSize-int64(len(w.pending)))))
		k, err := io.ReadFull(src, first)
		n = int64(k)
		w.written += n
		w.pending = append(w.buffer(), first[:k]...)
		if err != nil {
			if err == io.ErrUnexpectedEOF || err == io.EOF {
				err = nil
			}
			return n, err
		}
	}
	if err := w.deliver(); err != nil {
		return n, err
	}
	if !w.started {
		if err := w.start(nil); err != nil {
			return n, err
		}
	}
	if size -= n; size <= 0 {
		return n, nil
	}
	w.err = errGone // as around yield
	sent, err := w.sendFile(file, size)
	w.err = nil
	w.written += sent
	if limited, ok := src.(*io.LimitedReader); ok {
		limited.N -= sent
	}
	if err != nil {
		// A server that lost the client knows that already. Where the file is
		// to blame, the response must not pass for complete.
		w.refuse(fmt.Errorf("nethttp: sending %s: %w", file.Name(), err))
	}
	return n + sent, w.err
}

// regular returns the regular file that src reads from and how many bytes src
// has to give, or nil.
func regular(src io.Reader) (*os.File, int64) {
	most := int64(-1)
	if limited, ok := src.(*io.LimitedReader); ok {
		src, most = limited.R, limited.N
	}
	file := asFile(src)
	if file == nil {
		return nil, 0
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, 0
	}
	position, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0
	}
	size := info.Size() - position
	if most >= 0 {
		size = min(size, most)
	}
	return file, size
}

// asFile returns the file that src is, or nil. io.Copy(w, file) arrives by way
// of os.File.WriteTo, which passes the file on inside a struct that hides
// WriteTo, and has no name outside of package os.
func asFile(src io.Reader) *os.File {
	if file, ok := src.(*os.File); ok {
		return file
	}
	if v := reflect.ValueOf(src); v.Kind() == reflect.Struct && v.Type().PkgPath() == "os" {
		if field := v.FieldByName("File"); field.IsValid() && field.CanInterface() {
			file, _ := field.Interface().(*os.File)
			return file
		}
	}
	return nil
}

// writeFitting writes as much of p as the Content-Length allows, and only then
// refuses the rest: how src is read is not the handler's choice.
func (w *response) writeFitting(p []byte, mine bool) (n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.status == 0 && w.err == nil {
		w.writeHeader(http.StatusOK)
	}
	if left := w.length - w.written; w.length >= 0 && left > 0 && left < int64(len(p)) {
		if n, err = w.write(p[:left], mine); err != nil {
			return n, err
		}
		p = p[left:]
	}
	k, err := w.write(p, mine)
	return n + k, err
}
