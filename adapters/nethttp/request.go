package nethttp

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gowsgi/gowsgi/wsgi"
)

// request returns the request that environ describes, and the body in it that
// is to be closed when the handler is done, nil for none.
//
// The server's own request comes with wsgi.input in the place of its body: the
// server's limits are on that, and a middleware may have read from it.
func request(environ *wsgi.Environ) (*http.Request, *requestBody) {
	if server, ok := environ.Get(extensionKey).(original); ok {
		if r, ok := server.HTTPRequest(environ); ok {
			hasBody := r.Body != nil && r.Body != http.NoBody
			ctx := environ.Context()
			if !hasBody {
				if ctx != r.Context() {
					r = r.WithContext(ctx)
				}
				return r, nil
			}
			copied := r.WithContext(ctx)
			body := &requestBody{input: environ.Input(), from: r, to: copied}
			copied.Body = body
			return copied, body
		}
	}
	return build(environ)
}

// build makes a request of the variables of environ, and of nothing else, so
// that it cannot disagree with them.
func build(environ *wsgi.Environ) (*http.Request, *requestBody) {
	r := &http.Request{
		Method: environ.Var("REQUEST_METHOD"),
		Header: make(http.Header),
		Host:   environ.Var("HTTP_HOST"),
	}
	r.Proto, r.ProtoMajor, r.ProtoMinor = protocol(environ.Var("SERVER_PROTOCOL"))
	r.URL, r.RequestURI = target(environ)
	r.RemoteAddr = remote(environ.Var("REMOTE_ADDR"), environ.Var("REMOTE_PORT"))
	if scheme, _ := environ.Get("wsgi.url_scheme").(string); scheme == "https" {
		r.TLS = &tls.ConnectionState{HandshakeComplete: true} // as net/http/fcgi does
	}
	for key, value := range environ.All() {
		if value, ok := value.(string); ok {
			if name := fieldName(key); name != "" {
				r.Header[name] = []string{value}
			}
		}
	}
	r.Body = http.NoBody
	r.ContentLength = contentLength(environ)
	var body *requestBody
	if r.ContentLength != 0 || environ.Var("CONTENT_LENGTH") == "" {
		body = &requestBody{input: environ.Input()}
		r.Body = body
	}
	return r.WithContext(environ.Context()), body
}

// fieldName returns the name of the request field that is in the variable key,
// "" when none is. The variables have lost the difference between X-A and X_A,
// and between a field that came twice and one with a comma.
func fieldName(key string) string {
	switch key {
	case "CONTENT_TYPE":
		return "Content-Type"
	case "CONTENT_LENGTH":
		return "Content-Length"
	case "HTTP_HOST", "HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH":
		return "" // where net/http has them elsewhere, or the contract does
	}
	name, ok := strings.CutPrefix(key, "HTTP_")
	if !ok {
		return ""
	}
	return textproto.CanonicalMIMEHeaderKey(strings.ReplaceAll(name, "_", "-"))
}

// contentLength is r.ContentLength. An environ without CONTENT_LENGTH may
// belong to a request without a body or to a chunked one; where the latter is
// possible the answer is -1, unknown.
func contentLength(environ *wsgi.Environ) int64 {
	if n, ok := environ.ContentLength(); ok {
		return n
	}
	if terminated, _ := environ.Get("wsgi.input_terminated").(bool); !terminated {
		return 0
	}
	switch environ.Var("REQUEST_METHOD") {
	case "GET", "HEAD", "OPTIONS", "TRACE", "CONNECT":
		return 0 // or a reverse proxy would send each of them with an empty body
	}
	return -1
}

// protocol parses SERVER_PROTOCOL; one that makes no sense, such as CGI's
// "INCLUDED", is taken for HTTP/1.1.
func protocol(proto string) (string, int, int) {
	switch proto {
	case "HTTP/2", "HTTP/2.0":
		return "HTTP/2.0", 2, 0
	case "HTTP/3", "HTTP/3.0":
		return "HTTP/3.0", 3, 0
	}
	if major, minor, ok := http.ParseHTTPVersion(proto); ok {
		return proto, major, minor
	}
	return "HTTP/1.1", 1, 1
}

// remote makes an address with a port, "0" where it is unknown.
func remote(addr, port string) string {
	switch {
	case addr == "":
		return ""
	case port == "":
		port = "0"
	}
	return net.JoinHostPort(addr, port)
}

// target returns r.URL and r.RequestURI.
func target(environ *wsgi.Environ) (*url.URL, string) {
	script, pathInfo := environ.Var("SCRIPT_NAME"), environ.Var("PATH_INFO")
	query, uri := environ.Var("QUERY_STRING"), environ.Var("REQUEST_URI")
	u := &url.URL{Path: pathInfo, RawQuery: query}
	switch {
	case uri == "*":
		u.Path = "*"
	case environ.Var("REQUEST_METHOD") == "CONNECT" && !strings.HasPrefix(uri, "/"):
		u.Host = uri
	case pathInfo == "":
		u.Path = "/" // what a mux redirects to otherwise, out of the mount
	default:
		if raw := rawPath(uri, script, pathInfo); raw != "" && raw != u.EscapedPath() {
			u.RawPath = raw
		}
	}
	if uri == "" {
		whole := url.URL{Path: script + pathInfo, RawQuery: query}
		uri = whole.RequestURI()
	}
	return u, uri
}

// rawPath returns the part of uri that decodes to pathInfo, when what is
// before it decodes to script; otherwise the environ was altered, and "" is
// returned.
func rawPath(uri, script, pathInfo string) string {
	raw, _, _ := strings.Cut(uri, "?")
	if _, rest, ok := strings.Cut(raw, "://"); ok && !strings.HasPrefix(raw, "/") { // absolute-form
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return ""
		}
		raw = rest[slash:]
	}
	// A byte of script is one byte of raw, or three.
	cut := 0
	for range len(script) {
		if cut >= len(raw) {
			return ""
		}
		if raw[cut] == '%' {
			cut += 2
		}
		cut++
	}
	if cut > len(raw) {
		return ""
	}
	if before, err := url.PathUnescape(raw[:cut]); err != nil || before != script {
		return ""
	}
	if after, err := url.PathUnescape(raw[cut:]); err != nil || after != pathInfo {
		return ""
	}
	return raw[cut:]
}

// requestBody is wsgi.input as r.Body. Closing it does not close the input,
// which is the server's (INPUT-15), but ends its use. The transport of a proxy
// reads from a goroutine of its own, and may be at it when the handler returns.
type requestBody struct {
	input    io.Reader
	from, to *http.Request // where net/http finds trailers, and the handler; nil when built
	closed   atomic.Bool
	reading  sync.Mutex // held while input is read
}

func (b *requestBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.reading.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.input.Read(p)
	if err == io.EOF && b.from != nil {
		b.to.Trailer = b.from.Trailer
	}
	return n, err
}

func (b *requestBody) Close() error {
	b.closed.Store(true)
	return nil
}

// wait returns when the input is no longer used; b must be closed. net/http
// waits in the same way, and like it only when the response is sent.
func (b *requestBody) wait() {
	b.reading.Lock()
	defer b.reading.Unlock()
}
