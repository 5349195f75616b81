package fastcgi

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Server serves an Application over FastCGI 1.0, in the role of a Responder.
//
// The zero value of every field is a safe default; for limits of time and size
// a negative value means none. The fields must not be changed once a method
// was called. All methods are safe for concurrent use.
type Server struct {
	// App is the application. It is called once for each request.
	App wsgi.Application

	// Addr is where Run listens, "host:port" or "unix:path".
	Addr string

	// ScriptName is where the application is mounted. When empty, SCRIPT_NAME
	// and PATH_INFO stay as the web server sends them, which is right where it
	// is configured to divide the path. Otherwise the two are put together and
	// divided anew: "/" is the root, a path such as "/shop" begins with a slash
	// and does not end in one, and what is outside of it is answered by 404.
	ScriptName string

	// Environ holds further variables for every request's environ. A variable
	// of the request wins over one of the same name.
	Environ map[string]string

	// Peers are the addresses from which web servers may connect over TCP; when
	// empty, all may. A connection from elsewhere is closed without a word. The
	// protocol itself has no secret, and who may connect chooses every variable.
	Peers []netip.Prefix

	// ReadHeaderTimeout bounds the time for the variables of a request, 10 s by
	// default.
	ReadHeaderTimeout time.Duration

	// ReadTimeout bounds the time in which each 64 KiB of a request body must
	// arrive while the application reads it, 30 s by default. Then the reader
	// gets an error, which becomes a 408.
	ReadTimeout time.Duration

	// WriteTimeout bounds the time in which the web server must take each 64
	// KiB of a response, 30 s by default; up to twice as long may pass before
	// the connection is cut.
	WriteTimeout time.Duration

	// IdleTimeout bounds the time that a connection which the web server keeps
	// waits for its next request, 3 min by default. It must be longer than the
	// web server's own (60 s in nginx), or requests are lost.
	IdleTimeout time.Duration

	// ShutdownTimeout bounds the time that Run lets running responses take
	// after it was told to stop, 30 s by default.
	ShutdownTimeout time.Duration

	// MaxHeaderBytes bounds the size of the variables of a request,
	// 256 KiB by default. Beyond it the answer is 431.
	MaxHeaderBytes int

	// MaxBodyBytes bounds the size of a request body, 1 GiB by default. Beyond
	// it the answer is 413: before the application is called where the length
	// is declared, otherwise by an error from wsgi.input.
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
	// complete lines. When nil, wsgi.errors goes to the web server, as the
	// FCGI_STDERR stream of the request, and the reports are records of Logger.
	Errors io.Writer

	// Logger receives what the server itself has to say, such as a refused
	// request. When nil, slog.Default is used.
	Logger *slog.Logger

	lazy backend.Lazy
}

// Serve serves app on the connections of l, TCP or Unix, with the defaults of
// Server. It always returns an error, and closes l before it does.
func Serve(l net.Listener, app wsgi.Application) error {
	return (&Server{App: app}).Serve(l)
}

// Serve serves the connections of l, TCP or Unix, and closes l before it
// returns. It may be called for several listeners. It always returns an error,
// which is http.ErrServerClosed after Shutdown or Close.
func (s *Server) Serve(l net.Listener) error {
	b, err := s.backend()
	if err != nil {
		l.Close()
		return fmt.Errorf("fastcgi: %w", err)
	}
	return b.Serve(l)
}

// Run serves until ctx ends or the process is told to stop by SIGINT or
// SIGTERM, then lets running responses finish, for ShutdownTimeout at the most
// or until a second signal, and returns nil. An error means that it could not
// listen, or that serving failed, or that responses had to be cut.
//
// It serves the given listeners; without any, the sockets that systemd has passed
// (see server.Inherited); without those, the socket of spawn-fcgi and its like (see
// Inherited); and without that, Addr. It logs each address that it listens on.
func (s *Server) Run(ctx context.Context, listeners ...net.Listener) error {
	b, err := s.backend()
	if err != nil {
		return fmt.Errorf("fastcgi: %w", err)
	}
	return b.Run(ctx, "fastcgi", "fcgi", listeners, s.Addr, Inherited)
}

// Connections returns how many connections are open at the moment.
func (s *Server) Connections() int {
	b, err := s.backend()
	if err != nil {
		return 0
	}
	return b.Connections()
}

// Shutdown stops listening and waits until the running responses are finished
// and their bodies closed, or ctx ends. Then it returns ctx's error, and the
// connections that are left are for Close.
func (s *Server) Shutdown(ctx context.Context) error {
	b, err := s.backend()
	if err != nil {
		return nil // it has never served
	}
	return b.Shutdown(ctx)
}

// Close stops listening and closes every connection at once.
func (s *Server) Close() error {
	b, err := s.backend()
	if err != nil {
		return nil
	}
	return b.Close()
}

func (s *Server) backend() (*backend.Server, error) {
	return s.lazy.Get(func() (*backend.Server, error) {
		return backend.New(backend.Options{
			App:                    s.App,
			ScriptName:             s.ScriptName,
			Environ:                s.Environ,
			Peers:                  s.Peers,
			ReadHeaderTimeout:      s.ReadHeaderTimeout,
			ReadTimeout:            s.ReadTimeout,
			WriteTimeout:           s.WriteTimeout,
			IdleTimeout:            s.IdleTimeout,
			ShutdownTimeout:        s.ShutdownTimeout,
			MaxHeaderBytes:         s.MaxHeaderBytes,
			MaxBodyBytes:           s.MaxBodyBytes,
			SingleThread:           s.SingleThread,
			Multiprocess:           s.Multiprocess,
			AllowTab:               s.AllowTab,
			AllowProxyAuthenticate: s.AllowProxyAuthenticate,
			Debug:                  s.Debug,
			Errors:                 s.Errors,
			Logger:                 s.Logger,
		}, serveConn)
	})
}
