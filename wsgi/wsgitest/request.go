package wsgitest

import (
	"context"
	"encoding/base64"
	"io"
	"maps"
	"slices"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Request describes a request as the client sends it and the server receives
// it. The zero value is GET / from a client that sends nothing else; every
// field has a default.
//
// The methods that set something return their receiver, so that a request can
// be written as one expression. A Request is not changed by being sent. It may
// be sent again, also concurrently, unless it has a Stream.
//
// A Request that no server would hand to an application, because its target or
// a header is malformed, panics when it is used: in a test it is a literal.
type Request struct {
	Method string // "" means GET

	// Target is the path with its query, percent-encoded as on the wire, and
	// including the mount point: "/shop/caf%C3%A9?page=2". An absolute URL
	// stands for its path and query, and for the scheme and the Host header,
	// whatever Scheme and Headers say. "" means the application's root.
	Target string

	// ScriptName is the mount point of the application, decoded: "" or a path
	// such as "/shop", with which the target must begin (CGI-02, CGI-20).
	ScriptName string

	Scheme     string // "http" or "https"; "" means http
	Proto      string // SERVER_PROTOCOL; "" means "HTTP/1.1"
	ServerName string // SERVER_NAME; "" means "127.0.0.1"
	ServerPort string // SERVER_PORT; "" means the standard port of the scheme
	RemoteAddr string // the peer, "IP:port"; "" means "192.0.2.1:1234", and "@" a peer without address

	// Headers are the request's header fields in order. Repeated ones reach
	// the application joined, as CGI-23 wants. Host, when absent, is
	// "127.0.0.1". Content-Length, when absent, is the length of Body; when it
	// promises more than there is, reading the body ends in
	// io.ErrUnexpectedEOF as it does when a client leaves (INPUT-21).
	Headers wsgi.Headers

	// Body is the request body. nil means that there is none, and no
	// CONTENT_LENGTH either; an empty slice is a body of length 0.
	Body []byte

	// Stream takes the place of Body: a body of unknown length, which a client
	// sends chunked and for which CONTENT_LENGTH is absent (COM-03). It is
	// read when the application reads, and not closed.
	Stream io.Reader

	// Extra holds further variables of the environ, of any type. They replace
	// the server's own, wsgi.* included; nil leaves a variable out.
	Extra map[string]any

	// Context is the request's; nil means context.Background. When it ends the
	// client has left, and nothing more reaches it.
	Context context.Context

	// LeaveAfter is the number of blocks after which the client leaves, 0 for
	// a client that stays. It ends a body that would not end by itself.
	LeaveAfter int

	// ExpectErrors says that this request is meant to fail: Do and a Client do
	// not take it for a failure of the test.
	ExpectErrors bool
}

// NewRequest returns a request with the given method and target, as the fields
// of Request describe them. Like httptest.NewRequest it panics when they are
// malformed.
func NewRequest(method, target string) *Request {
	r := &Request{Method: method, Target: target}
	r.parse()
	return r
}

// With adds a header field, beside those that have the same name.
func (r *Request) With(name, value string) *Request {
	r.Headers.Add(name, value)
	return r
}

// BasicAuth sets the Authorization header of HTTP Basic Authentication.
func (r *Request) BasicAuth(user, password string) *Request {
	credentials := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	r.Headers.Set("Authorization", "Basic "+credentials)
	return r
}

// Cookie adds a cookie to the request, its value as it is.
func (r *Request) Cookie(name, value string) *Request {
	return r.With("Cookie", name+"="+value)
}

// clone returns a copy whose fields can be changed without changing r.
func (r *Request) clone() *Request {
	c := *r
	c.Headers = slices.Clone(r.Headers)
	c.Extra = maps.Clone(r.Extra)
	return &c
}

func (r *Request) method() string { return orElse(r.Method, "GET") }
func (r *Request) proto() string  { return orElse(r.Proto, "HTTP/1.1") }

func (r *Request) context() context.Context {
	if r.Context == nil {
		return context.Background()
	}
	return r.Context
}

func orElse(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
