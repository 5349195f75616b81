package wsgi

import "io"

// Iterable is the body of a response: zero or more blocks of bytes, and Close.
//
// Blocks is a range-over-func iterator:
//
//	for block, err := range body.Blocks {
//		...
//	}
//
// It is iterated at most once, by one goroutine, and never after Close
// (BODY-19, BODY-23). A block is valid until yield returns: who iterates
// neither changes it nor keeps it, and who yields may then reuse it (BODY-22).
// Empty blocks are legal anywhere and mean "nothing yet" (BODY-21). An error
// ends the body: nothing is yielded after it. When yield returns false the
// body stops and returns; nobody may rely on being iterated to the end
// (BODY-15), so clean-up belongs in Close or in a defer. A server stops a body
// that goes on after its declared Content-Length is sent, not one that has
// just reached it (LEN-02): to be stopped means that something went wrong.
//
// Close is called exactly once by whoever received the Iterable, after the
// last block was sent or when the response ended in any other way, even if
// nothing was iterated (BODY-08 to BODY-13). An error of Close is logged and
// does not change the response (BODY-14).
//
// Source: PEP 3333, "Specification Details".
type Iterable interface {
	Blocks(yield func(block []byte, err error) bool)
	Close() error
}

// Sized is what an Iterable also is when it knows how many blocks it yields.
// Len is Python's len(): it counts blocks and not bytes, and it must be right
// (BODY-07). Only the value 1 has a use: a server may then state the block's
// length as the Content-Length (LEN-06).
type Sized interface{ Len() int }

// Generator is a function as an Iterable, in the place of Python's generator.
// It calls yield for each block and stops when yield returns false. Its
// deferred functions are its finally blocks; Close does nothing.
type Generator func(yield func(block []byte, err error) bool)

// Blocks runs g.
func (g Generator) Blocks(yield func(block []byte, err error) bool) { g(yield) }

// Close does nothing and returns nil.
func (g Generator) Close() error { return nil }

// Block is one block as a body: Sized, with Len 1. Its bytes are sent as they
// are when the server iterates.
type Block []byte

// Blocks yields b.
func (b Block) Blocks(yield func(block []byte, err error) bool) { yield(b, nil) }

// Close does nothing and returns nil.
func (b Block) Close() error { return nil }

// Len returns 1.
func (b Block) Len() int { return 1 }

// Bytes returns a body of the one given block. It is Sized, so that the server
// states its length. The block is not copied.
func Bytes(block []byte) Iterable { return Block(block) }

// Strings returns a Sized body of one block for each string.
func Strings(blocks ...string) Iterable {
	switch len(blocks) {
	case 0:
		return Empty()
	case 1:
		return Block(blocks[0])
	}
	list := make(blockList, len(blocks))
	for i, s := range blocks {
		list[i] = []byte(s)
	}
	return list
}

// Blocks returns a Sized body of the given blocks: the counterpart of
// returning a list. The blocks are not copied.
func Blocks(blocks ...[]byte) Iterable {
	if len(blocks) == 0 {
		return Empty()
	}
	return blockList(blocks)
}

// Empty returns a Sized body without blocks. It is always the same one: a
// middleware may compare a body with it, to know that nothing can come, and
// nothing can fail.
func Empty() Iterable { return emptyBody{} }

type emptyBody struct{}

func (emptyBody) Blocks(func(block []byte, err error) bool) {}
func (emptyBody) Close() error                              { return nil }
func (emptyBody) Len() int                                  { return 0 }

type blockList [][]byte

func (l blockList) Blocks(yield func(block []byte, err error) bool) {
	for _, block := range l {
		if !yield(block, nil) {
			return
		}
	}
}

func (l blockList) Close() error { return nil }
func (l blockList) Len() int     { return len(l) }

const defaultBlockSize = 32 << 10 // bytes, as of io.Copy

// Reader returns a body that yields what r reads, in blocks of at most
// blockSize bytes; blockSize <= 0 means 32 KiB. A block is yielded as soon as
// one Read returned it, whether full or not. Close closes r when it is an
// io.Closer.
//
// For a file, Environ.FileWrapper lets the server send it by the operating
// system's own means.
func Reader(r io.Reader, blockSize int) Iterable {
	if blockSize <= 0 {
		blockSize = defaultBlockSize
	}
	return &readerBody{r: r, blockSize: blockSize}
}

type readerBody struct {
	r         io.Reader
	blockSize int
}

func (b *readerBody) Blocks(yield func(block []byte, err error) bool) {
	block := make([]byte, b.blockSize)
	for {
		n, err := b.r.Read(block)
		if n > 0 && !yield(block[:n], nil) {
			return
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			yield(nil, err)
			return
		}
	}
}

func (b *readerBody) Close() error {
	if c, ok := b.r.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
