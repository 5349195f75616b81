package middleware

import (
	"bufio"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// DecodeBodyConfig holds the choices of DecodeBody.
type DecodeBodyConfig struct {
	// MaxBytes is how many bytes the decoded body has at most; 0 means 10 MiB.
	MaxBytes int64

	// MaxRatio is how many bytes of it there are at most for each byte that was
	// sent; 0 means 100. The first 64 KiB are free.
	MaxRatio int64
}

// DecodeBody returns a middleware that decodes the bodies of requests that are
// compressed: with gzip, or with deflate, which is the zlib format.
//
// The application gets a copy of the environ with the decoded wsgi.input, which
// ends where the body does, and without HTTP_CONTENT_ENCODING and CONTENT_LENGTH,
// which would be wrong. A request with another coding, or with two, is answered with
// 415 and does not reach the application. Where the body becomes too large the input has an
// *HTTPError of status 413, and where it is malformed or cut one of 400; when the
// application fails with that and nothing was sent, status, headers and body are
// those of the error. Other responses, and requests that are not compressed, are
// left as they are. Negative choices panic.
//
// Security: a few KiB may become gigabytes. Memory is taken for what was read, and
// both limits hold while it is read. It is put inside BodyLimit, which limits what
// is sent, and outside whatever reads the body.
func DecodeBody(c DecodeBodyConfig) wsgi.Middleware {
	if c.MaxBytes < 0 || c.MaxRatio < 0 {
		panic(fmt.Sprintf("middleware: DecodeBody: MaxBytes is %d and MaxRatio is %d, expected 0 or more", c.MaxBytes, c.MaxRatio))
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 10 << 20
	}
	if c.MaxRatio == 0 {
		c.MaxRatio = 100
	}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			coded := environ.Var("HTTP_CONTENT_ENCODING")
			if coded == "" {
				return next.Call(environ, start)
			}
			coding, ok := parseCoding(coded)
			if !ok {
				return unknownCoding.Call(environ, start)
			}
			inner := environ.Clone()
			inner.Delete("HTTP_CONTENT_ENCODING")
			if n, declared := environ.ContentLength(); coding == "" || declared && n == 0 {
				return next.Call(inner, start)
			}
			d := &decoded{config: &c, coding: coding, of: environ}
			inner.Delete("CONTENT_LENGTH")
			inner.Set("wsgi.input", wsgi.NewInput(d))
			inner.Set("wsgi.input_terminated", true)
			g := guarded{environ: inner, start: start, by: d}
			return g.call(next, start)
		})
	}
}

var unknownCoding = &HTTPError{
	Code: 415, Detail: "The body of the request has a coding that is not known here.",
	Headers: wsgi.Headers{{Name: "Accept-Encoding", Value: "gzip, deflate"}},
}

// parseCoding returns the coding of a body, "" for none. There is no second one: what
// is between two is nobody's to read, and a body that becomes nothing in the end may
// be a million times as large there.
func parseCoding(field string) (coding string, ok bool) {
	for element := range elements(field) {
		switch name := strings.TrimPrefix(strings.ToLower(element), "x-"); {
		case name == "identity":
		case coding == "" && (name == "gzip" || name == "deflate"):
			coding = name
		default:
			return "", false
		}
	}
	return coding, true
}

// decoded is a request whose body is decoded.
type decoded struct {
	config *DecodeBodyConfig
	coding string
	of     *wsgi.Environ

	raw  counted
	rest *bufio.Reader // of raw, not decoded yet
	from io.Reader     // what is decoded of it
	n    int64
	err  error // in which the body has ended
}

// counted counts what was sent.
type counted struct {
	io.Reader
	n   int64
	err error // other than io.EOF: it is for the server to say so
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	if err != nil && err != io.EOF {
		c.err = err
	}
	return n, err
}

// bodyError is an HTTPError that a decoded body has ended in.
type bodyError struct{ *HTTPError }

func (e bodyError) Unwrap() error { return e.HTTPError }

func (d *decoded) instead(_ *wsgi.Environ, err error) wsgi.Application {
	if ours := (bodyError{}); errors.As(err, &ours) {
		return ours.HTTPError
	}
	return nil
}

func (d *decoded) Read(p []byte) (int, error) {
	if d.err != nil || len(p) == 0 {
		return 0, d.err
	}
	if d.from == nil {
		if err := d.open(); err != nil {
			d.err = d.broken(err)
			return 0, d.err
		}
	}
	n, err := d.from.Read(p)
	d.n += int64(n)
	if over := d.over(); over != nil {
		d.err = bodyError{over}
		return 0, d.err
	}
	if err == io.EOF {
		if _, more := d.rest.ReadByte(); more == nil {
			err = errors.New("something follows the end of the compressed body")
		} else if more != io.EOF {
			err = more
		}
	}
	if err != nil && err != io.EOF {
		err = d.broken(err)
	}
	d.err = err
	return n, err
}

// open begins to decode.
func (d *decoded) open() (err error) {
	d.raw.Reader = d.of.Input()
	if n, declared := d.of.ContentLength(); declared {
		d.raw.Reader = io.LimitReader(d.raw.Reader, n)
	}
	d.rest = bufio.NewReader(&d.raw)
	var from io.Reader
	if d.coding == "gzip" {
		from, err = gzip.NewReader(d.rest)
	} else {
		from, err = zlib.NewReader(d.rest)
	}
	if err == nil {
		d.from = from
	}
	return err
}

// over returns an error when there is too much.
func (d *decoded) over() *HTTPError {
	const free = 64 << 10
	switch {
	case d.n > d.config.MaxBytes:
		return &HTTPError{Code: 413, Detail: fmt.Sprintf("The body of the request has more than %d bytes when it is decoded.", d.config.MaxBytes)}
	case d.n > free && d.n/d.config.MaxRatio > d.raw.n:
		return &HTTPError{Code: 413, Detail: fmt.Sprintf("The body of the request becomes more than %d times as large when it is decoded.", d.config.MaxRatio)}
	}
	return nil
}

// broken is the error of a body that cannot be decoded. One of the body as it was
// sent, which may be too large or too slow, is passed on.
func (d *decoded) broken(err error) error {
	if d.raw.err != nil {
		return d.raw.err
	}
	return bodyError{&HTTPError{Code: 400, Detail: "The body of the request is not compressed as it says.", Err: err}}
}
