package nethttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/duplex"
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
	// backend that has the fewest under way. One that cannot be reached is left
	// alone for a second, and longer each time, as long as there is another.
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

// measured gives the proxy request bodies of a known length only.
func (c *Client) measured(proxy http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength < 0 {
			body, err := forward.Open(forwardedBy(r.Context()).environ, c.options.MaxBodyBytes)
			switch {
			case err == forward.ErrTooLong:
				c.fail(w, r, &forward.Failure{Status: "413 Content Too Large", Doing: "reading the request", Err: err})
				return
			case err != nil:
				http.Error(w, statusOf(err), codeOf(statusOf(err)))
				return
			}
			defer body.Close()
			r = r.Clone(r.Context())
			r.ContentLength, r.TransferEncoding = body.Length, nil
			r.Body = io.NopCloser(body)
		}
		// Else a type is guessed where the first block of a response comes
		// before ReverseProxy's timer flushes the head (HDR-21).
		w.Header()["Content-Type"] = nil
		proxy.ServeHTTP(w, r)
	})
}

// proxyLog is where ReverseProxy says that a response was cut.
type proxyLog struct{ logger *slog.Logger }

func (l proxyLog) Write(p []byte) (int, error) {
	l.logger.Error("reverse proxy", "error", string(p))
	return len(p), nil
}

// dial connects to the backend whose address the transport took for a host.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: c.options.DialTimeout}).DialContext(ctx, c.options.Network, chosenBackend(ctx).Addr)
	if err != nil {
		return nil, err
	}
	return &backendConn{conn, duplex.Conn{Stream: conn}, c.options.WriteTimeout}, nil
}

// backendConn is a connection whose writes have a time limit, and whose reset
// is never taken for the end of a response: a backend of HTTP/1.0 may tell that
// by closing.
type backendConn struct {
	net.Conn
	duplex  duplex.Conn
	timeout time.Duration // 0 for none
}

func (c *backendConn) Read(p []byte) (int, error) { return c.duplex.Read(p) }

func (c *backendConn) Write(p []byte) (int, error) {
	if c.timeout > 0 {
		c.SetWriteDeadline(time.Now().Add(c.timeout))
	}
	return c.duplex.Write(p)
}

// rewrite makes the request to the backend.
func (c *Client) rewrite(p *httputil.ProxyRequest) {
	f := forwardedBy(p.In.Context())
	p.Out.URL = f.url()
	p.Out.URL.Scheme, p.Out.URL.Host = "http", "backend"
	p.Out.Host = p.In.Host
	p.Out.Close = p.In.Method == "HEAD" // gunicorn sends Django's body all the same: it is not the next response
	p.SetXForwarded()
	for _, name := range []string{"Upgrade", "Connection", "Expect", "Proxy"} {
		p.Out.Header.Del(name)
	}
	if p.Out.Body != nil && p.Out.Body != http.NoBody {
		p.Out.Body = &watchedBody{ReadCloser: p.Out.Body, f: f}
	}
}

// fail answers in the place of the backend.
func (c *Client) fail(w http.ResponseWriter, r *http.Request, err error) {
	f := forwardedBy(r.Context())
	if inputErr := f.inputError(); inputErr != nil {
		http.Error(w, statusOf(inputErr), codeOf(statusOf(inputErr)))
		return
	}
	if r.Context().Err() != nil {
		panic(http.ErrAbortHandler) // the client has left
	}
	if failure := (*forward.Failure)(nil); !errors.As(err, &failure) {
		err = &forward.Failure{Doing: "waiting for the response", Backend: f.addr(), Err: err}
	}
	start := func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
		for _, field := range headers {
			w.Header().Set(field.Name, field.Value)
		}
		w.WriteHeader(codeOf(status))
		return nil, nil
	}
	body, _ := forward.Fail(c.options.Logger, f.environ, start, err)
	for block := range body.Blocks {
		w.Write(block)
	}
	body.Close()
}

// forwarded is one request on its way to a backend, in its context.
type forwarded struct {
	environ *wsgi.Environ

	mu       sync.Mutex
	backend  string // the one that was chosen last
	inputErr error  // why the request body could not be read
}

type forwardedKey struct{}

func forwardedBy(ctx context.Context) *forwarded { return ctx.Value(forwardedKey{}).(*forwarded) }

func (f *forwarded) addr() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.backend
}

func (f *forwarded) inputError() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.inputErr
}

// url is the whole path and the query, as the client wrote them where they are
// still what the environ says.
func (f *forwarded) url() *url.URL {
	path := f.environ.Var("SCRIPT_NAME") + f.environ.Var("PATH_INFO")
	u := &url.URL{Path: path, RawPath: rawPath(f.environ.Var("REQUEST_URI"), "", path), RawQuery: f.environ.Var("QUERY_STRING")}
	if u.Path == "" {
		u.Path = "/"
	}
	return u
}

// watchedBody notes why the request body could not be read: that is not the
// backend's fault.
type watchedBody struct {
	io.ReadCloser
	f *forwarded
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && err != http.ErrBodyReadAfterClose {
		b.f.mu.Lock()
		b.f.inputErr = err
		b.f.mu.Unlock()
	}
	return n, err
}

// statusOf returns the status with which a failure of wsgi.input is answered:
// such an error may be an application that knows.
func statusOf(err error) (status string) {
	status = "400 Bad Request"
	var app interface {
		error
		wsgi.Application
	}
	if errors.As(err, &app) {
		body, err := app.Call(wsgi.EnvironFromMap(nil), func(s string, _ wsgi.Headers, _ error) (wsgi.Write, error) {
			status = s
			return nil, nil
		})
		if err == nil {
			body.Close()
		}
	}
	return status
}

func codeOf(status string) int {
	code, _, err := wsgi.ParseStatus(status)
	if err != nil {
		return http.StatusInternalServerError
	}
	return code
}
