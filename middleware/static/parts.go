package static

import (
	"fmt"
	"io"
	"os"
)

// Close closes the file.
func (b *parts) Close() error { return b.file.Close() }

// Blocks yields the parts in blocks.
func (b *parts) Blocks(yield func(block []byte, err error) bool) {
	b.each(yield, func(p part) bool { return b.read(p, yield) })
}

// StreamFiles yields what is between the parts, and has the server send the
// parts themselves.
func (b *parts) StreamFiles(
	yield func(block []byte, err error) bool,
	sendFile func(file *os.File, n int64) (int64, error),
) {
	file, ok := b.file.(*os.File)
	if !ok {
		b.Blocks(yield)
		return
	}
	b.each(yield, func(p part) bool {
		sent, err := sendFile(file, p.length)
		if err == nil && sent < p.length {
			err = shrunk(p, sent)
		}
		if err != nil {
			yield(nil, err)
		}
		return err == nil
	})
}

// each yields the heads of the parts and calls send for each part, with the file
// at its beginning, until one of them says that it is enough.
func (b *parts) each(yield func(block []byte, err error) bool, send func(part) bool) {
	for _, p := range b.list {
		if p.head != "" && !yield([]byte(p.head), nil) {
			return
		}
		if _, err := b.seeker.Seek(p.start, io.SeekStart); err != nil {
			yield(nil, err)
			return
		}
		if !send(p) {
			return
		}
	}
	if b.tail != "" {
		yield([]byte(b.tail), nil)
	}
}

// read yields a part in blocks.
func (b *parts) read(p part, yield func(block []byte, err error) bool) bool {
	block := make([]byte, min(p.length, blockSize))
	for sent := int64(0); sent < p.length; {
		n, err := b.file.Read(block[:min(p.length-sent, blockSize)])
		if n > 0 && !yield(block[:n], nil) {
			return false
		}
		if sent += int64(n); sent == p.length {
			return true
		}
		if err == io.EOF {
			err = shrunk(p, sent)
		}
		if err != nil {
			yield(nil, err)
			return false
		}
	}
	return true
}

// shrunk is the error of a file that got shorter since its size was told: the
// response has to be cut.
func shrunk(p part, sent int64) error {
	return fmt.Errorf("static: the file ends after %d of %d bytes: %w", sent, p.length, io.ErrUnexpectedEOF)
}
