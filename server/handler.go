package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Handler returns app as an http.Handler, with the defaults of Server:
// (&Server{App: app}).Handler().
func Handler(app wsgi.Application) http.Handler { return (&Server{App: app}).Handler() }

// Handler returns s.App as an http.Handler for an http.Server of the caller's.
// The fields of s that concern one request hold there as well. What listens,
// and the limits on time and on the size of heads, are the http.Server's.
//
// It may be mounted by http.StripPrefix: the prefix becomes SCRIPT_NAME. It
// must not stand behind an http.ServeMux pattern that cleans paths, unless
// that is wanted: the mux redirects "//a" before the application sees it
// (CGI-19).
func (s *Server) Handler() http.Handler { return s.newHandler() }

// handler runs requests of net/http through the gateway.
type handler struct {
	server  *Server
	app     wsgi.Application
	gateway *gateway.Gateway
	maxBody int64 // bytes, 0 for no limit
	timed   bool  // the connections are ours: bound what they wait for
}

func (s *Server) newHandler() *handler {
	return &handler{
		server:  s,
		app:     s.App,
		gateway: s.oneGateway(),
		maxBody: limit(s.MaxBodyBytes, defaultMaxBodyBytes),
	}
}

// oneGateway returns the gateway of s: one, however many handlers there are, for
// it sees to SingleThread, and to the lines of Errors.
func (s *Server) oneGateway() *gateway.Gateway {
	s.gatewayOnce.Do(func() {
		s.gateway = &gateway.Gateway{
			SingleThread:           s.SingleThread,
			Multiprocess:           s.Multiprocess,
			Environ:                s.Environ,
			AllowTab:               s.AllowTab,
			AllowProxyAuthenticate: s.AllowProxyAuthenticate,
			Debug:                  s.Debug,
			Errors:                 s.Errors,
			Logger:                 s.Logger,
		}
	})
	return s.gateway
}

// limit reads a field whose zero value means the default and whose negative
// values mean none.
func limit[T ~int64 | ~int](field, byDefault T) T {
	switch {
	case field == 0:
		return byDefault
	case field < 0:
		return 0
	}
	return field
}

// exchange is one request of net/http on its way through the gateway: its
// source of variables (source.go), its transport (transport.go) and its body
// (body.go) in one allocation.
type exchange struct {
	gateway.Exchange
	handler  *handler
	w        http.ResponseWriter
	r        *http.Request
	body     *requestBody // nil when the request has none
	fixed    atomic.Bool  // the application has set a write deadline
	flushed  bool         // all that was written is on the wire
	chunked  bool         // the end of the response is marked only after ServeHTTP
	bodiless bool         // no body is on the wire: HEAD, 204, 304
	paced    bool         // WriteTimeout is for arm to keep: there is no connection of ours that does
	values   [3]string    // room for the header values of small responses
}

// ServeHTTP runs one request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{handler: h, w: w, r: r}
	if c := x.conn(); c != nil {
		c.handled.Store(true)
		x.paced = r.ProtoMajor != 1
	} else {
		x.paced = h.timed
	}
	if x.paced && r.ProtoMajor == 1 {
		defer x.arm() // for the end, which net/http writes; then it takes the deadline away
	}
	if status, reason := h.unfit(r); status != "" {
		x.refuse(status, reason)
		return
	}
	x.Source, x.Transport = x, x
	x.Method, x.Scheme = r.Method, "http"
	if r.TLS != nil {
		x.Scheme = "https"
	}
	if r.Body != nil && r.Body != http.NoBody {
		x.openBody()
		defer x.closeBody()
	}
	if err := h.gateway.Serve(r.Context(), h.app, &x.Exchange); err != nil {
		x.cut()
	}
}

// unfit tells why a request that net/http accepted does not reach the
// application.
func (h *handler) unfit(r *http.Request) (status, reason string) {
	switch {
	case r.Method == http.MethodConnect: // CGI-28
		return "501 Not Implemented", "CONNECT is for proxies"
	case r.URL.Path == "*" && r.Method != http.MethodOptions:
		return "400 Bad Request", "only OPTIONS has the target *, an asterisk"
	case strings.IndexByte(r.RequestURI, '#') >= 0: // CGI-31
		return "400 Bad Request", "the request target contains a fragment"
	case strings.IndexByte(r.URL.Path, 0) >= 0:
		return "400 Bad Request", "the path contains a NUL"
	case differ(r.Header["Content-Type"]): // AMB-19
		return "400 Bad Request", "Content-Type occurs with two values"
	case h.maxBody > 0 && r.ContentLength > h.maxBody:
		return "413 Content Too Large", "the body has " + strconv.FormatInt(r.ContentLength, 10) +
			" bytes, the limit is " + strconv.FormatInt(h.maxBody, 10)
	case !underScript(r.URL.Path, h.server.ScriptName): // AMB-34
		return "404 Not Found", "the path is outside " + h.server.ScriptName
	}
	return "", ""
}

// differ reports whether there are two opinions. net/http/fcgi and net/http/cgi
// repeat the one that there is when the web server sends it both as CONTENT_TYPE
// and as HTTP_CONTENT_TYPE, as nginx does.
func differ(values []string) bool {
	for _, value := range values {
		if value != values[0] {
			return true
		}
	}
	return false
}

// refuse answers a request that does not reach the application, and logs it.
func (x *exchange) refuse(status, reason string) {
	w, r := x.w, x.r
	x.handler.server.logger().LogAttrs(r.Context(), slog.LevelWarn, "request refused",
		slog.String("status", status), slog.String("reason", reason),
		slog.String("method", r.Method), slog.String("target", r.RequestURI), slog.String("remote", r.RemoteAddr))
	code, _, _ := wsgi.ParseStatus(status)
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(status)+1))
	if r.ContentLength != 0 && r.ProtoMajor == 1 {
		// The body is not worth reading, and even less worth waiting for, as
		// net/http does on a connection that it is about to close.
		header.Set("Connection", "close")
		if c := x.conn(); c != nil {
			defer c.stop()
		} else {
			http.NewResponseController(w).SetReadDeadline(time.Now())
		}
	}
	w.WriteHeader(code)
	io.WriteString(w, status+"\n")
}

// cut ends a response that must not look complete (ERR-11). An HTTP/1.0
// client, or one that sees no length, takes the end of the connection for the
// end of the body; a reset is the only thing that it cannot mistake.
func (x *exchange) cut() {
	if x.r.ProtoMajor == 1 && !x.r.ProtoAtLeast(1, 1) {
		if c, _, err := http.NewResponseController(x.w).Hijack(); err == nil {
			reset(c)
			return
		}
	}
	panic(http.ErrAbortHandler)
}

// reset closes c as if it had broken. What is below TLS is closed: TLS itself
// would say goodbye, and that is the very mark of a body that is complete.
func reset(c net.Conn) {
	if secure, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = secure.NetConn()
	}
	if l, ok := c.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	c.Close()
}

// conn returns the connection that the request came on, nil when it is not of
// a Server.
func (x *exchange) conn() *conn {
	if !x.handler.timed {
		return nil
	}
	c, _ := x.r.Context().Value(connKey{}).(*conn)
	return c
}

// connKey is the context key of the connection that a request came on.
type connKey struct{}

func connContext(ctx context.Context, c net.Conn) context.Context {
	if own := unwrapConn(c); own != nil {
		return context.WithValue(ctx, connKey{}, own)
	}
	return ctx
}
