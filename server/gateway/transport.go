package gateway

import (
	"os"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Transport puts one response on a wire. Its methods are called in the order
// Head, any number of Blocks, End; after an error of any of them, or when
// Serve returns an error, nothing more is called. They are never called
// concurrently, though not always from one goroutine.
//
// An error of a Transport means that the client can no longer be reached. It
// is not logged as a fault of the application (ERR-15).
type Transport interface {
	// Head takes the head of the response. code is the number in status. The
	// headers have been validated, hop-by-hop ones are not among them, and
	// Content-Length is present only where it may be; they are valid until
	// Serve returns. The head may be held back until the first Block or End.
	Head(code int, status string, headers wsgi.Headers) error

	// Block transmits what is held back and then block, completely: when it
	// returns, nothing is left in a buffer that only a further call would
	// empty (BUF-01, BUF-02). block may be empty, and is valid until Block
	// returns.
	Block(block []byte) error

	// End completes the response: what is held back is transmitted, and
	// nothing follows. A transport that cannot mark the end before Serve has
	// returned does so then.
	End() error
}

// FileTransport is a Transport that can leave the transmission of a file to
// the operating system.
type FileTransport interface {
	Transport

	// SendFile transmits, as Block does, n bytes of file from its present
	// position, and moves the position. It returns how many bytes were
	// transmitted; fewer than n and a nil error means that the file ended.
	SendFile(file *os.File, n int64) (int64, error)
}

// HintTransport is a Transport that can send interim responses. The gateway
// then offers wsgi.early_hints to the application (COM-12).
type HintTransport interface {
	Transport

	// Hint sends an interim response, code 103, before Head was called. It
	// does nothing where the client's protocol has no interim responses.
	Hint(code int, headers wsgi.Headers) error
}
