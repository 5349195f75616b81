package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Defaults of Server.
const (
	defaultAddr              = "127.0.0.1:8000"
	defaultReadHeaderTimeout = 10 * time.Second
	defaultReadTimeout       = 30 * time.Second
	defaultWriteTimeout      = 30 * time.Second
	defaultIdleTimeout       = 75 * time.Second
	defaultShutdownTimeout   = 30 * time.Second
	defaultMaxHeaderBytes    = 64 << 10
	defaultMaxBodyBytes      = 1 << 30
)

// Server serves an Application over HTTP/1.0, HTTP/1.1 and HTTP/2: with TLS
// where it is configured, in clear otherwise, HTTP/2 then by prior knowledge.
//
// The zero value of every field is a safe default; for limits of time and size
// a negative value means none. The fields must not be changed once a method
// was called. All methods are safe for concurrent use.
type Server struct {
	// App is the application. It is called once for each request.
	App wsgi.Application

	// Addr is where Run and ListenAndServe listen, "host:port" or "unix:path";
	// 127.0.0.1:8000 when empty.
	Addr string

	// TLSConfig makes the server speak TLS, and only TLS. It must hold a
	// certificate, or a function that gets one. It is cloned.
	TLSConfig *tls.Config

	// Name is SERVER_NAME. When empty it is the local address of the
	// connection, "localhost" on a Unix socket; never the client's Host
	// header.
	Name string

	// Software is SERVER_SOFTWARE and the Server header of responses that have
	// none. When empty there is no such header.
	Software string

	// ScriptName mounts the application below a path, such as "/shop": the
	// server answers 404 outside of it. It begins with a slash and does not
	// end in one.
	ScriptName string

	// Environ holds further variables for every request's environ. A variable
	// of the request wins over one of the same name.
	Environ map[string]string

	// ReadHeaderTimeout bounds the time for a request head, 10 s by default.
	// Then the answer is 408.
	ReadHeaderTimeout time.Duration

	// ReadTimeout bounds the time in which each 64 KiB of a request body must
	// arrive while the application reads it, 30 s by default. Then the reader
	// gets an error, which becomes a 408.
	ReadTimeout time.Duration

	// WriteTimeout bounds the time in which the client must take each 64 KiB
	// of a response, 30 s by default; up to twice as long may pass before the
	// connection is cut. There is no limit for a response as a whole.
	WriteTimeout time.Duration

	// IdleTimeout bounds the time that a connection waits for its next
	// request, 75 s by default.
	IdleTimeout time.Duration

	// ShutdownTimeout bounds the time that Run lets running responses take
	// after it was told to stop, 30 s by default.
	ShutdownTimeout time.Duration

	// MaxHeaderBytes bounds the size of a request head, 64 KiB by default,
	// and a few KiB more in effect. Beyond it the answer is 431.
	MaxHeaderBytes int

	// MaxBodyBytes bounds the size of a request body, 1 GiB by default.
	// Beyond it the answer is 413: before the application is called where the
	// length is declared, otherwise by an error from wsgi.input.
	MaxBodyBytes int64

	// SingleThread keeps requests from running in the application at the same
	// time: from the call until the body is closed.
	SingleThread bool

	// Multiprocess is the value of wsgi.multiprocess.
	Multiprocess bool

	// AllowTab admits tabs in response header values, which PEP 3333 forbids.
	AllowTab bool

	// AllowProxyAuthenticate admits that response header, which was once
	// called hop-by-hop.
	AllowProxyAuthenticate bool

	// Debug puts errors and stacks into the body of a 500. For development.
	Debug bool

	// Errors receives wsgi.errors and the reports of failed requests, in
	// complete lines. When nil, they are records of Logger.
	Errors io.Writer

	// Logger receives what the server itself has to say, such as a refused
	// request. When nil, slog.Default is used.
	Logger *slog.Logger

	once        sync.Once // of http
	http        *http.Server
	gatewayOnce sync.Once
	gateway     *gateway.Gateway
	silent      silent
	open        atomic.Int64 // connections
}

func (s *Server) logger() *slog.Logger {
	if s.Logger != nil {
		return s.Logger
	}
	return slog.Default()
}

func (s *Server) readTimeout() time.Duration  { return limit(s.ReadTimeout, defaultReadTimeout) }
func (s *Server) writeTimeout() time.Duration { return limit(s.WriteTimeout, defaultWriteTimeout) }

// httpServer returns the one http.Server below s.
func (s *Server) httpServer() *http.Server {
	s.once.Do(func() {
		h := s.newHandler()
		h.timed = true
		var protocols http.Protocols
		protocols.SetHTTP1(true)
		protocols.SetHTTP2(true)
		protocols.SetUnencryptedHTTP2(true)
		s.http = &http.Server{
			Handler:           h,
			ReadHeaderTimeout: limit(s.ReadHeaderTimeout, defaultReadHeaderTimeout),
			IdleTimeout:       limit(s.IdleTimeout, defaultIdleTimeout),
			MaxHeaderBytes:    limit(s.MaxHeaderBytes, defaultMaxHeaderBytes),
			Protocols:         &protocols,
			ConnContext:       connContext,
			ConnState:         s.connState,
			ErrorLog:          slog.NewLogLogger(s.logger().Handler(), slog.LevelWarn),
		}
		s.http.RegisterOnShutdown(s.silent.stop)
		if s.MaxHeaderBytes < 0 {
			s.http.MaxHeaderBytes = 1 << 30
		}
	})
	return s.http
}

// check refuses a Server that is not configured right.
func (s *Server) check() error {
	switch n, c := s.ScriptName, s.TLSConfig; {
	case s.App == nil:
		return errors.New("server: App is nil, expected an application")
	case c != nil && len(c.Certificates) == 0 && c.GetCertificate == nil && c.GetConfigForClient == nil:
		return errors.New("server: TLSConfig has no certificate, expected one in Certificates, or a function that gets one")
	case n != "" && (n[0] != '/' || n[len(n)-1] == '/'):
		return errors.New("server: ScriptName is " + n + ", expected a path that begins with a slash and does not end in one")
	}
	return nil
}

// ListenAndServe serves app on addr, "host:port" or "unix:path", until the
// process is killed. It always returns an error.
func ListenAndServe(addr string, app wsgi.Application) error {
	return (&Server{App: app, Addr: addr}).ListenAndServe()
}

// ListenAndServe listens on Addr and serves. It always returns an error, which
// is http.ErrServerClosed after Shutdown or Close.
func (s *Server) ListenAndServe() error {
	l, err := Listen(s.addr())
	if err != nil {
		return err
	}
	return s.Serve(l)
}

func (s *Server) addr() string {
	if s.Addr == "" {
		return defaultAddr
	}
	return s.Addr
}

// Serve serves the connections of l, and closes l before it returns. It may be
// called for several listeners. It always returns an error, which is
// http.ErrServerClosed after Shutdown or Close.
//
// A listener that speaks TLS already, of tls.NewListener, is served as https.
// What looks at request heads before net/http is then blind: those that two
// parties could understand differently are not refused, and what net/http
// refuses is not logged. Nor does anything end a connection of HTTP/2 whose client
// reads nothing at all: WriteTimeout ends the responses on it. Set TLSConfig
// instead to have all three.
func (s *Server) Serve(l net.Listener) error {
	if err := s.check(); err != nil {
		l.Close()
		return err
	}
	if s.TLSConfig != nil {
		return s.httpServer().Serve(newTLSListener(l, s))
	}
	return s.httpServer().Serve(&listener{Listener: l, server: s})
}

// Connections returns how many connections are open at the moment.
func (s *Server) Connections() int { return int(s.open.Load()) }

// Shutdown stops listening and waits until the running responses are finished
// and their bodies closed, or ctx ends. Then it returns ctx's error, and the
// connections that are left are for Close.
func (s *Server) Shutdown(ctx context.Context) error {
	return s.httpServer().Shutdown(ctx)
}

// Close stops listening and closes every connection at once.
func (s *Server) Close() error { return s.httpServer().Close() }
