package nethttp

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/internal/duplex"
	"github.com/gowsgi/gowsgi/internal/forward"
)

type backendKey struct{}

func chosenBackend(ctx context.Context) *forward.Backend {
	return ctx.Value(backendKey{}).(*forward.Backend)
}

// balance is how a Client's ReverseProxy reaches the backends.
type balance struct{ *Client }

// RoundTrip sends a request to a backend, and to the next when one cannot be
// reached.
func (c balance) RoundTrip(r *http.Request) (*http.Response, error) {
	f := forwardedBy(r.Context())
	var tried []*forward.Backend
	var last error
	for {
		b, err := c.group.Acquire(r.Context(), c.options.QueueTimeout, tried)
		if err == forward.ErrNone && last != nil {
			return nil, last
		}
		if err != nil {
			return nil, &forward.Failure{Doing: "waiting for a backend", Err: err}
		}
		f.mu.Lock()
		f.backend = b.Addr
		f.mu.Unlock()
		var fresh atomic.Bool // the connection was made for this request
		trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { fresh.Store(!info.Reused) }}
		response, err := c.send(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)), b)
		if err == nil {
			b.Answered()
			return response, nil
		}
		var timeout net.Error
		dial := (*net.OpError)(nil)
		unreached := errors.As(err, &dial) && dial.Op == "dial"
		clients := r.Context().Err() != nil || f.inputError() != nil
		// Else the request is one that cannot be sent, or a connection that was kept
		// has ended.
		if !clients && (unreached || fresh.Load() || errors.As(err, &timeout) && timeout.Timeout()) {
			b.Failed()
		}
		b.Release()
		if clients || !unreached {
			return nil, err
		}
		last = &forward.Failure{Doing: "connecting", Backend: b.Addr, Err: err}
		tried = append(tried, b)
	}
}

// send sends a request to b.
func (c *Client) send(r *http.Request, b *forward.Backend) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(context.WithValue(r.Context(), backendKey{}, b))
	out := r.Clone(ctx)
	out.URL.Host = hostOf(b.Addr)
	if out.Body != nil {
		out.Body = io.NopCloser(out.Body) // it is needed again when b cannot be reached
	}
	response, err := c.transport.RoundTrip(out)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	response.Body = &timedBody{ReadCloser: response.Body, ctx: ctx, cancel: cancel, backend: b, timeout: c.options.ReadTimeout}
	return response, nil
}

// hostOf is the address of a backend as a host, by which the transport tells
// connections apart: a path is none.
func hostOf(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return "unix-" + hex.EncodeToString([]byte(addr))
}

// timedBody is the body of a response. Closing it ends the request.
type timedBody struct {
	io.ReadCloser
	ctx     context.Context
	cancel  context.CancelCauseFunc
	backend *forward.Backend
	timeout time.Duration
	once    sync.Once
}

func (b *timedBody) Read(p []byte) (int, error) {
	if b.timeout > 0 {
		timer := time.AfterFunc(b.timeout, func() { b.cancel(os.ErrDeadlineExceeded) })
		defer timer.Stop()
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF && context.Cause(b.ctx) == os.ErrDeadlineExceeded {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

func (b *timedBody) Close() error {
	err := b.ReadCloser.Close()
	b.once.Do(func() {
		b.cancel(nil)
		b.backend.Release()
	})
	return err
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
