package wsgitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Response is what became of a request. It belongs to whoever asked for it.
//
// The fields from Errors on are what only the server's side knows. They are
// zero in a response that came over the network.
type Response struct {
	Request *Request // the request that was sent

	Status  string       // status line without the protocol, such as "404 Not Found"
	Code    int          // its number; 0 when no head was sent
	Reason  string       // its phrase
	Headers wsgi.Headers // the header fields, as sent and in order

	// Blocks is the body in the pieces that were transmitted. They need not be
	// those of the application: what must not be sent is missing, and a file
	// is one block.
	Blocks [][]byte

	// Interim holds the interim responses that came before, in order: what the
	// application sent with wsgi.early_hints.
	Interim []Interim

	// Err tells that the response is incomplete: the client got what is here
	// and then a broken connection. It wraps gateway.ErrCut and the reason. A
	// Client also sets it, to wrap ErrRedirects.
	Err error

	// History holds the responses that redirected a Client to this one, the
	// first one first.
	History []*Response

	// Errors is what was written to wsgi.errors, in complete lines.
	Errors string

	// Fault is what the gateway has reported to the operator: the error that
	// became a 500 or a cut, a rule that was broken and did not spoil the
	// response, an error of Close. When there was more than one they are
	// joined. It is nil when there was nothing, and for a client that left.
	Fault error

	// Closes is how often Close was called on the body that the application
	// returned: 1 unless it returned none. A wsgi.Block, whose Close does
	// nothing, is taken to have been closed.
	Closes int

	// Wrote tells that the application has called write.
	Wrote bool

	// FileBytes is how many bytes of the body the transport was given as open
	// files, and could have left to the operating system.
	FileBytes int64

	// Environ is the dictionary that the application was called with, as the
	// application left it. Its streams cannot be used any more.
	Environ *wsgi.Environ
}

// Interim is an interim response, such as 103 Early Hints.
type Interim struct {
	Code    int
	Headers wsgi.Headers
}

// Body returns the blocks as one.
func (r *Response) Body() []byte { return bytes.Join(r.Blocks, nil) }

// Text returns the body as a string.
func (r *Response) Text() string { return string(r.Body()) }

// JSON stores the body, which is one JSON value, in what v points to.
func (r *Response) JSON(v any) error {
	if err := json.Unmarshal(r.Body(), v); err != nil {
		return fmt.Errorf("wsgitest: body of %s response is not the expected JSON: %w", r.Status, err)
	}
	return nil
}

// Panic returns the application's panic with its stack, nil when it did not
// panic.
func (r *Response) Panic() *wsgi.PanicError {
	for _, err := range []error{r.Fault, r.Err} {
		if panicked := (*wsgi.PanicError)(nil); errors.As(err, &panicked) {
			return panicked
		}
	}
	return nil
}
