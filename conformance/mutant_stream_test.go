package conformance

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"os"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// mutantInput is wsgi.input with the faults of mutantServer.
type mutantInput struct {
	wsgi.InputStream
	source io.Reader
	faults *serverFaults
	ended  bool
}

func (s *mutantServer) input(in wsgi.InputStream, source io.Reader) wsgi.InputStream {
	return &mutantInput{in, source, &s.serverFaults, false}
}

func (in *mutantInput) Read(p []byte) (int, error) {
	if in.faults.loseBuffer {
		return in.source.Read(p) // past what ReadLine has buffered
	}
	if in.ended && in.faults.endChanges {
		return 0, errors.New("read after the end")
	}
	n, err := in.InputStream.Read(p)
	if n > 0 && in.faults.oddRead && len(p) == 8 {
		p[0] ^= 1
	}
	in.ended = err == io.EOF
	return n, err
}

func (in *mutantInput) ReadLine(size int) ([]byte, error) {
	if in.faults.ignoresSize {
		size = -1
	}
	line, err := in.InputStream.ReadLine(size)
	if in.faults.textLines && bytes.HasSuffix(line, []byte("\r\n")) {
		line = append(line[:len(line)-2], '\n')
	}
	if in.faults.dropsNewline && string(line) == "line2\n" {
		line = line[:len(line)-1]
	}
	return line, err
}

func (in *mutantInput) ReadLines(hint int) ([][]byte, error) {
	if in.faults.joinsLines {
		all, err := io.ReadAll(in.InputStream)
		if len(all) == 0 {
			return nil, err
		}
		return [][]byte{all}, err
	}
	return in.InputStream.ReadLines(hint)
}

func (in *mutantInput) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for line, err := range in.InputStream.Lines() {
			if in.faults.losesLastLine && !bytes.HasSuffix(line, []byte("\n")) {
				return
			}
			if !yield(line, err) || in.faults.oneLine {
				return
			}
		}
	}
}

// mutantFile is what the file wrapper of mutantServer returns.
type mutantFile struct {
	wsgi.FileStreamer
	file   io.Reader
	faults *serverFaults

	returned bool // to the server, which iterates it
	used     bool
}

func (s *mutantServer) fileWrapper(x *mutantExchange) wsgi.FileWrapper {
	return func(file io.Reader, blockSize int) wsgi.Iterable {
		x.wrapped = &mutantFile{wsgi.WrapFile(file, blockSize).(wsgi.FileStreamer), file, &s.serverFaults, false, false}
		return x.wrapped
	}
}

func (f *mutantFile) Blocks(yield func([]byte, error) bool) {
	f.used = true
	_, isFile := f.file.(*os.File)
	_, hasFd := f.file.(interface{ Fd() uintptr })
	if !isFile && (!f.returned && f.faults.emptyWrapper || hasFd && f.faults.trustsFd) {
		return
	}
	f.FileStreamer.Blocks(yield)
}

func (f *mutantFile) Close() error {
	if f.faults.leavesFileOpen {
		return nil
	}
	return f.FileStreamer.Close()
}

func (f *mutantFile) rewind() {
	if file, ok := f.file.(io.Seeker); ok {
		file.Seek(0, io.SeekStart)
	}
}

// mutantQueue takes everything at once and writes it in its own time.
type mutantQueue struct {
	mu      sync.Mutex
	changed *sync.Cond
	pending []byte
	err     error
	over    bool
	done    chan struct{}
}

func newMutantQueue(w io.Writer) *mutantQueue {
	q := &mutantQueue{done: make(chan struct{})}
	q.changed = sync.NewCond(&q.mu)
	go func() {
		defer close(q.done)
		q.mu.Lock()
		defer q.mu.Unlock()
		for {
			for len(q.pending) == 0 && !q.over {
				q.changed.Wait()
			}
			if len(q.pending) == 0 {
				return
			}
			block := q.pending
			q.pending = nil
			q.mu.Unlock()
			_, err := w.Write(block)
			q.mu.Lock()
			if err != nil {
				q.err = err
				return
			}
		}
	}()
	return q
}

func (q *mutantQueue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.pending = append(q.pending, p...)
		q.changed.Signal()
	}
	return len(p), q.err
}

// drain waits until everything is written.
func (q *mutantQueue) drain() {
	q.mu.Lock()
	q.over = true
	q.changed.Signal()
	q.mu.Unlock()
	<-q.done
}
