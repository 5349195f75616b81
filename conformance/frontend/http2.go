package frontend

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// http2Link speaks HTTP/2 in clear by net/http, on one connection for the
// client's.
type http2Link struct {
	transport *http.Transport
	addr      string
}

func (c Config) h2c() link {
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	return &http2Link{addr: c.Addr, transport: &http.Transport{
		Protocols:          &protocols,
		DisableCompression: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, c.Network, c.Addr)
		},
	}}
}

func (l *http2Link) close() { l.transport.CloseIdleConnections() }

// hopByHop are the fields of HTTP/1.1 that HTTP/2 does not have.
var hopByHop = []string{"Host", "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "Te", "Trailer",
	"Content-Length", "Expect"}

func (l *http2Link) begin(r *request) (exchange, error) {
	ctx, cancel := context.WithCancel(context.Background())
	path, _ := url.PathUnescape(r.path)
	q := &http.Request{
		Method: r.method,
		URL: &url.URL{Scheme: "http", Host: "server.invalid", Path: path, RawPath: r.path, RawQuery: r.query,
			ForceQuery: strings.HasSuffix(r.target, "?")},
		Host:          r.host,
		Header:        make(http.Header),
		ContentLength: r.length,
	}
	if r.path == "*" {
		q.URL.Opaque = "*"
	}
	for _, h := range r.headers {
		name := http.CanonicalHeaderKey(h.Name)
		if !slices.Contains(hopByHop, name) {
			q.Header[name] = append(q.Header[name], h.Value)
		}
	}
	if !r.headers.Has("User-Agent") {
		q.Header["User-Agent"] = nil // or net/http would send its own
	}
	x := &http2Exchange{cancel: cancel, answered: make(chan struct{})}
	if r.length > 0 || r.chunked {
		pr, pw := io.Pipe()
		q.Body, x.body = pr, pw
	}
	go func() {
		defer close(x.answered)
		x.response, x.err = l.transport.RoundTrip(q.WithContext(ctx))
	}()
	return x, nil
}

type http2Exchange struct {
	cancel   context.CancelFunc
	body     *io.PipeWriter // nil without a body
	answered chan struct{}
	response *http.Response
	err      error
}

func (x *http2Exchange) send(block []byte) error {
	_, err := x.body.Write(block)
	return err
}

func (x *http2Exchange) sent(whole bool) error {
	switch {
	case x.body == nil:
		return nil
	case !whole:
		return x.body.CloseWithError(io.ErrUnexpectedEOF)
	}
	return x.body.Close()
}

func (x *http2Exchange) head() (*head, error) {
	<-x.answered
	if x.err != nil {
		return nil, x.err
	}
	r := x.response
	h := &head{status: fmt.Sprintf("%03d %s", r.StatusCode, http.StatusText(r.StatusCode)), code: r.StatusCode, length: -1}
	for name, values := range r.Header {
		for _, value := range values {
			h.headers = append(h.headers, wsgi.Header{Name: name, Value: value})
		}
	}
	if r.Header.Get("Content-Length") != "" {
		h.length = r.ContentLength
	}
	return h, nil
}

func (x *http2Exchange) read(p []byte) (int, error) {
	n, err := x.response.Body.Read(p)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (x *http2Exchange) abort() { x.cancel() }

func (x *http2Exchange) close() {
	x.cancel()
	if x.body != nil {
		x.body.CloseWithError(context.Canceled)
	}
	<-x.answered
	if x.response != nil {
		x.response.Body.Close()
	}
}
