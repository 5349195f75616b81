package middleware

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"sync"
)

// A Coding is a way to compress, by its name in HTTP.
type Coding struct {
	Name string

	// New returns a compressor that writes to w. It is used again, for another
	// response, by way of Reset.
	New func(w io.Writer) Compressor
}

// Compressor is what a Coding does it with: a *gzip.Writer, for one. Flush makes
// everything that was written so far readable at the other end, and Close ends
// the stream.
type Compressor interface {
	io.WriteCloser
	Flush() error
	Reset(w io.Writer)
}

// Gzip is the coding gzip, at a level of compress/gzip.
func Gzip(level int) Coding {
	return newCoding("gzip", func(w io.Writer) (Compressor, error) { return gzip.NewWriterLevel(w, level) })
}

// Deflate is the coding deflate, at a level of compress/zlib. It is the zlib
// format, as RFC 9110, 8.4.1.2 has it.
func Deflate(level int) Coding {
	return newCoding("deflate", func(w io.Writer) (Compressor, error) { return zlib.NewWriterLevel(w, level) })
}

func newCoding(name string, create func(w io.Writer) (Compressor, error)) Coding {
	if _, err := create(io.Discard); err != nil {
		panic(fmt.Sprintf("middleware: the coding %s: %v", name, err))
	}
	return Coding{name, func(w io.Writer) Compressor {
		c, _ := create(w) // as above
		return c
	}}
}

// pooled is a coding whose compressors are used again.
type pooled struct {
	Coding
	pool sync.Pool // of *compressing
}

func (p *pooled) start(flush bool) *compressing {
	c, _ := p.pool.Get().(*compressing)
	if c == nil {
		c = &compressing{from: p}
		c.to = p.New(c)
	}
	c.flush = flush
	return c
}

// compressing is the filter of one body.
type compressing struct {
	from  *pooled
	to    Compressor // which writes to this
	out   []byte     // what it has written and nobody has yet
	by    taker
	flush bool // at each block
}

// mostHeld is how many bytes are held back until a block is compressed. However large
// the block, the memory for it is not.
const mostHeld = 32 << 10

func (c *compressing) Write(p []byte) (int, error) {
	if len(c.out) > 0 && len(c.out)+len(p) > mostHeld {
		if err := c.by.take(c.out); err != nil {
			return 0, err
		}
		c.out = c.out[:0]
	}
	if len(p) >= mostHeld {
		if err := c.by.take(p); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	c.out = append(c.out, p...)
	return len(p), nil
}

func (c *compressing) filter(block []byte, end bool, by taker) ([]byte, error) {
	c.out, c.by = c.out[:0], by
	var err error
	switch {
	case end:
		err = c.to.Close()
	case len(block) == 0:
		err = c.to.Flush() // the application has nothing for a while
	default:
		if _, err = c.to.Write(block); err == nil && c.flush {
			err = c.to.Flush()
		}
	}
	c.by = nil
	return c.out, err
}

// whole is filter for a body that is one block, to its end.
func (c *compressing) whole(block []byte, by taker) ([]byte, error) {
	c.out, c.by = c.out[:0], by
	_, err := c.to.Write(block)
	if err == nil {
		err = c.to.Close()
	}
	c.by = nil
	return c.out, err
}

func (c *compressing) release() {
	c.out = c.out[:0]
	c.to.Reset(c)
	c.from.pool.Put(c)
}
