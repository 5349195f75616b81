package forward

import (
	"context"
	"io"

	"github.com/gowsgi/gowsgi/internal/cgi"
)

// Protocol is how a request and its response are on the wire.
type Protocol struct {
	// Form is that of the head of the response.
	Form cgi.Form

	// Declare names CONTENT_LENGTH even when the client did not.
	Declare bool

	// Keep is for a protocol in which more comes behind the body of a response
	// than the end of the connection: that is waited for.
	Keep bool

	// Head appends what comes before the request body. It may be nil.
	Head func(b []byte, pairs Pairs, keep bool) ([]byte, error)

	// End appends what ends a request without a body, in one piece with its
	// head. It may be nil, for a Channel whose CloseWrite does that.
	End func(b []byte) []byte

	// Open returns the two directions of a request on s. Text for the
	// operator goes to errs.
	Open func(s Stream, errs io.Writer) Channel

	// Dial connects to a backend. It may be nil, for a connection of the
	// network.
	Dial func(ctx context.Context, addr string, pairs Pairs, errs io.Writer) (Stream, error)
}

// Channel is one request on a Stream. Read reads the response, Write writes
// the request body; the two are used by one goroutine each.
type Channel interface {
	io.Reader
	io.Writer

	// CloseWrite ends the request body.
	CloseWrite() error

	// Reusable reports whether the Stream can carry another request, after
	// Read has returned io.EOF.
	Reusable() bool
}

// Aborter is a Channel of a protocol that has a word for that the answer is not
// wanted any more.
type Aborter interface {
	// Abort says it, when nothing else is being written. It may be called
	// beside the other methods.
	Abort()
}
