// Package backend is what the servers of FastCGI, SCGI and uwsgi have in
// common: they stand behind a web server, which opens a connection to them for
// a request, and they have to bound what it may cost them, notice that it has
// gone, and close in such a way that it gets the answer.
package backend

import (
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// Options are the fields of the Server of each adapter, where they are
// documented. The zero value of a limit is its default, a negative one none.
type Options struct {
	App                    wsgi.Application
	ScriptName             string
	Environ                map[string]string
	Peers                  []netip.Prefix
	ReadHeaderTimeout      time.Duration
	ReadTimeout            time.Duration
	WriteTimeout           time.Duration
	IdleTimeout            time.Duration
	ShutdownTimeout        time.Duration
	MaxHeaderBytes         int
	MaxBodyBytes           int64
	SingleThread           bool
	Multiprocess           bool
	AllowTab               bool
	AllowProxyAuthenticate bool
	Debug                  bool
	Errors                 io.Writer
	Logger                 *slog.Logger
}

// The defaults. IdleTimeout is longer than the 60 s after which nginx closes an
// idle connection: the side that closes first must not be the one that cannot
// know of a request under way.
const (
	defaultReadHeaderTimeout = 10 * time.Second
	defaultReadTimeout       = 30 * time.Second
	defaultWriteTimeout      = 30 * time.Second
	defaultIdleTimeout       = 3 * time.Minute
	defaultShutdownTimeout   = 30 * time.Second
	defaultMaxHeaderBytes    = 256 << 10
	defaultMaxBodyBytes      = 1 << 30
)

// orDefault reads a field whose zero value means the default and whose
// negative values mean none, which is 0.
func orDefault[T ~int | ~int64](field, byDefault T) T {
	if field == 0 {
		return byDefault
	}
	return max(0, field)
}

// fill replaces zero values by the defaults, and checks the rest.
func (o *Options) fill() error {
	switch n := o.ScriptName; {
	case o.App == nil:
		return errors.New("App is nil, expected an application")
	case n != "" && n != "/" && (n[0] != '/' || n[len(n)-1] == '/'):
		return errors.New("ScriptName is " + n + ", expected / or a path that begins with a slash and does not end in one")
	}
	o.ReadHeaderTimeout = orDefault(o.ReadHeaderTimeout, defaultReadHeaderTimeout)
	o.ReadTimeout = orDefault(o.ReadTimeout, defaultReadTimeout)
	o.WriteTimeout = orDefault(o.WriteTimeout, defaultWriteTimeout)
	o.IdleTimeout = orDefault(o.IdleTimeout, defaultIdleTimeout)
	o.ShutdownTimeout = orDefault(o.ShutdownTimeout, defaultShutdownTimeout)
	o.MaxHeaderBytes = orDefault(o.MaxHeaderBytes, defaultMaxHeaderBytes)
	if o.MaxHeaderBytes == 0 {
		o.MaxHeaderBytes = 1 << 30
	}
	o.MaxBodyBytes = orDefault(o.MaxBodyBytes, defaultMaxBodyBytes)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

// setGateway gives the options that are the gateway's to it.
func (o *Options) setGateway(g *gateway.Gateway) {
	g.SingleThread = o.SingleThread
	g.Multiprocess = o.Multiprocess
	g.Environ = o.Environ
	g.AllowTab = o.AllowTab
	g.AllowProxyAuthenticate = o.AllowProxyAuthenticate
	g.Debug = o.Debug
	g.Errors = o.Errors
	g.Logger = o.Logger
}

// Terms returns what the variables of a request on c are settled by.
func (c *Conn) Terms() cgi.Terms {
	o := &c.Server.Options
	return cgi.Terms{ScriptName: o.ScriptName, Local: c.LocalAddr, MaxBody: o.MaxBodyBytes}
}
