package layout

import (
	"context"
	"io"
	"iter"
	"net"
	"net/http"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/adapters/python"
	"github.com/gowsgi/gowsgi/adapters/scgi"
	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// What others compile against: the signatures of the architecture. A change of one
// of them does not compile here, and is a change for everybody.

type (
	call  = func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error)
	yield = func(block []byte, err error) bool
)

// Package wsgi: the kinds of applications, and the types of the two callables.
var (
	_ interface {
		Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error)
	} = wsgi.Application(nil)
	_ wsgi.Application = wsgi.AppFunc(call(nil))
	_ wsgi.Application = wsgi.AppClass[wsgi.Iterable](func(*wsgi.Environ, wsgi.StartResponse) wsgi.Iterable { return nil })
	_ wsgi.Application = wsgi.Response{Status: "", Headers: wsgi.Headers{{Name: "", Value: ""}}, Body: nil}
	_                  = wsgi.Middleware(func(wsgi.Application) wsgi.Application { return nil })
	_                  = wsgi.StartResponse(func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) { return nil, nil })
	_ io.Writer        = wsgi.Write(func(block []byte) (int, error) { return 0, nil })
	_                  = wsgi.FileWrapper(func(file io.Reader, blockSize int) wsgi.Iterable { return nil })
	_ error            = &wsgi.ContractError{Rule: "", Detail: ""}
)

// Package wsgi: bodies.
var (
	_ interface {
		Blocks(yield func(block []byte, err error) bool)
		Close() error
	} = wsgi.Iterable(nil)
	_ interface{ Len() int }                           = wsgi.Sized(nil)
	_ wsgi.Iterable                                    = wsgi.Generator(func(yield) {})
	_ func(block []byte) wsgi.Iterable                 = wsgi.Bytes
	_ func(blocks ...string) wsgi.Iterable             = wsgi.Strings
	_ func(blocks ...[]byte) wsgi.Iterable             = wsgi.Blocks
	_ func(r io.Reader, blockSize int) wsgi.Iterable   = wsgi.Reader
	_ func() wsgi.Iterable                             = wsgi.Empty
	_ func(context.Context, wsgi.Source) *wsgi.Environ = wsgi.NewEnviron
	_ func(vars map[string]any) *wsgi.Environ          = wsgi.EnvironFromMap
	_ func(headers *wsgi.Headers, name, value string)  = (*wsgi.Headers).Set
	_ func(headers *wsgi.Headers, name, value string)  = (*wsgi.Headers).Add
	_ func(headers *wsgi.Headers, name string)         = (*wsgi.Headers).Del
	_ func(headers wsgi.Headers, name string) string   = wsgi.Headers.Get
	_ func(headers wsgi.Headers, name string) []string = wsgi.Headers.Values
	_ func(headers wsgi.Headers, name string) bool     = wsgi.Headers.Has
	_ func(headers wsgi.Headers) wsgi.Headers          = wsgi.Headers.Clone
	_ interface {
		Lookup(key string) (value string, ok bool)
		All(yield func(key, value string) bool)
	} = wsgi.Source(nil)
)

// Package wsgi: the environ and its streams.
var (
	_ interface {
		Get(key string) any
		Lookup(key string) (any, bool)
		Var(key string) string
		Set(key string, value any)
		Delete(key string)
		All() iter.Seq2[string, any]
		Map() map[string]any
		Clone() *wsgi.Environ
		Context() context.Context
		WithContext(ctx context.Context) *wsgi.Environ
		Input() wsgi.InputStream
		Errors() wsgi.ErrorStream
		FileWrapper() wsgi.FileWrapper
		Header(name string) string
		ContentLength() (n int64, ok bool)
		URL(withQuery bool) string
		ApplicationURL() string
		ShiftPathInfo() string
	} = (*wsgi.Environ)(nil)
	_ interface {
		io.Reader
		ReadLine(size int) ([]byte, error)
		ReadLines(hint int) ([][]byte, error)
		Lines() iter.Seq2[[]byte, error]
	} = wsgi.InputStream(nil)
	_ interface {
		io.Writer
		io.StringWriter
		WriteLines(lines ...string) error
		Flush() error
	} = wsgi.ErrorStream(nil)
)

// protocolServer is what the Server of every protocol has.
type protocolServer interface {
	Serve(l net.Listener) error
	Run(ctx context.Context, listeners ...net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
	Connections() int
}

// Servers, and applications that let somebody else answer.
var (
	_ func(wsgi.Application) http.Handler         = server.Handler
	_ func(addr string, _ wsgi.Application) error = server.ListenAndServe
	_ interface {
		protocolServer
		ListenAndServe() error
	} = &server.Server{App: nil, Addr: ""}

	_ func(net.Listener, wsgi.Application) error = fastcgi.Serve
	_ func(net.Listener, wsgi.Application) error = scgi.Serve
	_ func(net.Listener, wsgi.Application) error = uwsgi.Serve
	_ func(wsgi.Application) error               = cgi.Serve
	_ protocolServer                             = &fastcgi.Server{App: nil}
	_ protocolServer                             = &scgi.Server{App: nil}
	_ protocolServer                             = &uwsgi.Server{App: nil}

	_ func(http.Handler) wsgi.Application = nethttp.Application
	_ wsgi.Application                    = &nethttp.Client{Network: "", Addr: ""}
	_ wsgi.Application                    = &fastcgi.Client{Network: "", Addr: ""}
	_ wsgi.Application                    = &scgi.Client{Network: "", Addr: ""}
	_ wsgi.Application                    = &uwsgi.Client{Network: "", Addr: ""}
	_ wsgi.Application                    = &cgi.Client{Path: ""}

	_ func(context.Context, python.Config) (*python.Pool, error) = python.Start
	_ interface {
		wsgi.Application
		Reload(ctx context.Context) error
		Stats() python.Stats
		Shutdown(ctx context.Context) error
		Close() error
	} = (*python.Pool)(nil)
	_ = python.Config{App: "module:callable"}
)

// Middleware and conformance.
var (
	_ func(...wsgi.Middleware) wsgi.Middleware                                    = middleware.Chain
	_ func(prefix string, app wsgi.Application) wsgi.Middleware                   = middleware.Mount
	_ func(cond func(*wsgi.Environ) bool, m wsgi.Middleware) wsgi.Middleware      = middleware.When
	_ func(*testing.T, func(testing.TB, wsgi.Application) (network, addr string)) = conformance.TestServer
	_ func(*testing.T, wsgi.Application)                                          = conformance.TestApplication
	_ func(*testing.T, wsgi.Middleware)                                           = conformance.TestMiddleware
	_ wsgi.Middleware                                                             = conformance.Lint
	_ func() []conformance.Rule                                                   = conformance.Rules
)
