package nethttp

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/forward"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Client is an application that lets a backend answer over HTTP/1.1, by
// httputil.ReverseProxy.
//
// The backend gets the path of SCRIPT_NAME and PATH_INFO together, the Host that
// the client named, and X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto
// with what this server knows; those of the client are dropped. A request body
// of a known length is sent as it comes. Upgrades are not passed on.
//
// A backend that cannot be reached or does not keep to the protocol is answered
// for by 502, one that has no room by 503, and one that takes too long by 504,
// each with a line in the log. A response that breaks off is cut for the client
// too.
//
// A request is sent to another backend when connecting has failed, and again to
// the same as http.Transport does: when a connection that was kept has broken
// before any response came, and the request is idempotent and has no body.
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

	// DialTimeout bounds the time for connecting, 5 s by default.
	DialTimeout time.Duration

	// QueueTimeout bounds how long a request waits for a backend to have room,
	// 10 s by default. Then the answer is 503.
	QueueTimeout time.Duration

	// WriteTimeout bounds the time in which the backend must take each piece
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

	// MaxIdleConns bounds how many connections to one backend are kept for
	// another request, 8 by default. With a negative value none is.
	MaxIdleConns int

	// IdleTimeout bounds how long a connection is kept, 30 s by default. The
	// backend should allow for more.
	IdleTimeout time.Duration

	// MaxHeaderBytes bounds the size of the head of a response, 64 KiB by
	// default. Beyond it the answer is 502.
	MaxHeaderBytes int

	// MaxBodyBytes bounds the size of a request body that came without a
	// length, 1 GiB by default; it is kept in a temporary file until its length
	// is known, because Django and others take a body in chunks for none.
	// Beyond it the answer is 413.
	MaxBodyBytes int64

	// Logger receives why a backend did not answer. When nil, slog.Default is
	// used.
	Logger *slog.Logger

	once      sync.Once
	err       error
	options   forward.Options
	group     *forward.Group
	transport *http.Transport
	app       wsgi.Application
}

// Call returns at once; the request is sent when the server iterates the body.
// The error is that the fields of c make no sense.
func (c *Client) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	if c.once.Do(c.init); c.err != nil {
		return nil, fmt.Errorf("nethttp: %w", c.err)
	}
	ctx := context.WithValue(environ.Context(), forwardedKey{}, &forwarded{environ: environ})
	if ctx.Value(http.ServerContextKey) == nil {
		// By this ReverseProxy decides whether it may cut a response, by a
		// panic, or has to let it look complete.
		ctx = context.WithValue(ctx, http.ServerContextKey, new(http.Server))
	}
	return c.app.Call(environ.WithContext(ctx), startResponse)
}

// CloseIdleConnections closes the connections that carry no request.
func (c *Client) CloseIdleConnections() {
	if c.once.Do(c.init); c.err == nil {
		c.transport.CloseIdleConnections()
	}
}

func (c *Client) init() {
	c.options = forward.Options{
		Network: c.Network, Addrs: append([]string{c.Addr}, c.Addrs...),
		DialTimeout: c.DialTimeout, QueueTimeout: c.QueueTimeout, WriteTimeout: c.WriteTimeout,
		ResponseTimeout: c.ResponseTimeout, ReadTimeout: c.ReadTimeout, IdleTimeout: c.IdleTimeout,
		MaxConns: c.MaxConns, MaxIdleConns: c.MaxIdleConns, MaxHeaderBytes: c.MaxHeaderBytes, MaxBodyBytes: c.MaxBodyBytes, Logger: c.Logger,
	}
	if c.err = c.options.Fill(); c.err != nil {
		return
	}
	o := &c.options
	c.group = forward.NewGroup(o.Addrs, o.MaxConns)
	c.transport = &http.Transport{
		DialContext:            c.dial,
		DisableCompression:     true, // the client's own Accept-Encoding counts
		DisableKeepAlives:      o.MaxIdleConns == 0,
		MaxIdleConnsPerHost:    o.MaxIdleConns,
		IdleConnTimeout:        o.IdleTimeout,
		ResponseHeaderTimeout:  o.ResponseTimeout,
		MaxResponseHeaderBytes: int64(o.MaxHeaderBytes),
	}
	c.app = Application(c.measured(&httputil.ReverseProxy{
		Rewrite:       c.rewrite,
		Transport:     balance{c},
		FlushInterval: -1, // each piece as it comes
		ErrorHandler:  c.fail,
		ErrorLog:      log.New(proxyLog{o.Logger}, "", 0),
	}))
}
