package scgi

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/internal/scgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Client is an application that lets a backend answer over SCGI.
//
// A connection carries one request.
//
// A backend that cannot be reached or does not keep to the protocol is answered
// for by 502, one that has no room by 503, and one that takes too long by 504,
// each with a line in the log. A response that breaks off is cut for the client
// too. When the client leaves, the connection to the backend is closed.
//
// A request is sent to another backend when connecting has failed. Otherwise it
// is sent once.
//
// The zero value of every field but Addr is a safe default; for limits of time
// and size a negative value means none. The fields must not be changed once a
// method was called. All methods are safe for concurrent use.
type Client struct {
	// Network and Addr say where the backend listens: "tcp", which is the
	// default, and host:port, or "unix" and a path.
	Network, Addr string

	// Addrs are further backends, on the same Network. A request goes to the
	// backend that has the fewest under way. One that cannot be reached, or does
	// not answer, is left alone for a second, and longer each time until it
	// answers, as long as there is another.
	Addrs []string

	// Environ holds variables that are sent with every request, in the place of
	// those of the same name: SCRIPT_FILENAME, say.
	Environ map[string]string

	// DialTimeout bounds the time for connecting, 5 s by default.
	DialTimeout time.Duration

	// QueueTimeout bounds how long a request waits for a backend to have room,
	// 10 s by default. Then the answer is 503.
	QueueTimeout time.Duration

	// WriteTimeout bounds the time in which the backend must take each 32 KiB
	// of a request, 30 s by default.
	WriteTimeout time.Duration

	// ResponseTimeout bounds the time from the end of the request to the end
	// of the head of the response, 1 min by default.
	ResponseTimeout time.Duration

	// ReadTimeout bounds how long the backend may be silent within the body of
	// a response, 1 min by default.
	ReadTimeout time.Duration

	// MaxConns bounds how many requests are under way at one backend, 100 by
	// default.
	MaxConns int

	// MaxHeaderBytes bounds the size of the head of a response, 64 KiB by
	// default. Beyond it the answer is 502.
	MaxHeaderBytes int

	// MaxBodyBytes bounds the size of a request body that came without a
	// length, 1 GiB by default; it is kept in a temporary file until its length
	// is known. Beyond it the answer is 413.
	MaxBodyBytes int64

	// Logger receives why a backend did not answer. When nil, slog.Default is
	// used.
	Logger *slog.Logger

	once   sync.Once
	client *forward.Client
	err    error
}

// Call sends the request to a backend and answers with what that answers. The
// error is one of the request body or of start_response, or that the client has
// left; or that the fields of c make no sense.
func (c *Client) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	client, err := c.forward()
	if err != nil {
		return nil, fmt.Errorf("scgi: %w", err)
	}
	return client.Call(environ, startResponse)
}

func (c *Client) forward() (*forward.Client, error) {
	c.once.Do(func() {
		c.client, c.err = forward.New(forward.Options{
			Network:         c.Network,
			Addrs:           append([]string{c.Addr}, c.Addrs...),
			Environ:         c.Environ,
			DialTimeout:     c.DialTimeout,
			QueueTimeout:    c.QueueTimeout,
			WriteTimeout:    c.WriteTimeout,
			ResponseTimeout: c.ResponseTimeout,
			ReadTimeout:     c.ReadTimeout,
			MaxIdleConns:    -1,
			MaxConns:        c.MaxConns,
			MaxHeaderBytes:  c.MaxHeaderBytes,
			MaxBodyBytes:    c.MaxBodyBytes,
			Logger:          c.Logger,
		}, &sent)
	})
	return c.client, c.err
}

// sent is the protocol from the web server's side.
var sent = forward.Protocol{
	Form:    cgi.Status,
	Declare: true,
	Head:    func(b []byte, pairs forward.Pairs, _ bool) ([]byte, error) { return scgi.Append(b, pairs) },
	Open:    forward.Plain,
}
