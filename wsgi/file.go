package wsgi

import (
	"io"
	"os"
)

// FileWrapper turns a file into a body, and is what wsgi.file_wrapper holds.
// blockSize is a suggestion in bytes, <= 0 for none (FILE-04).
//
// Nothing is read before the server iterates the result. It then begins at the
// file's position at that moment, and ends at the end of the file or of the
// declared Content-Length (FILE-11). Close of the result closes the file when
// it is an io.Closer (FILE-08).
//
// Source: PEP 3333, "Optional Platform-Specific File Handling".
type FileWrapper func(file io.Reader, blockSize int) Iterable

// FileStreamer is an Iterable that can hand over open files besides blocks, so
// that a server may leave their transmission to the operating system. The
// bodies that FileWrapper makes are such; so are those of http.Handlers.
//
// A server that receives one directly from the application may call
// StreamFiles in the place of Blocks. It yields the same bytes in the same
// order, but may call sendFile for a part of them: n bytes of file from its
// present position, or, for n < 0, all that follows. sendFile returns how many
// bytes were taken; less than n and no error means that the file has ended.
// After an error nothing further is sent. Like yield, it is called only from the goroutine that
// iterates and only while StreamFiles runs.
//
// A middleware that wraps a body does not forward this method: it iterates
// Blocks, and the server iterates the middleware. So the optimisation is lost
// behind a transformation, and the transformation never is (MW-17).
type FileStreamer interface {
	Iterable
	StreamFiles(
		yield func(block []byte, err error) bool,
		sendFile func(file *os.File, n int64) (int64, error),
	)
}

// WrapFile is the FileWrapper of every server in this module.
func WrapFile(file io.Reader, blockSize int) Iterable {
	if blockSize <= 0 {
		blockSize = defaultBlockSize
	}
	return &fileBody{readerBody{r: file, blockSize: blockSize}}
}

type fileBody struct{ readerBody }

func (b *fileBody) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	file, ok := b.r.(*os.File)
	if !ok {
		b.Blocks(yield)
		return
	}
	if _, err := sendFile(file, -1); err != nil {
		yield(nil, err)
	}
}
