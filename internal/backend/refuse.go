package backend

import (
	"context"
	"log/slog"

	"github.com/gowsgi/gowsgi/internal/cgi"
)

// AppendRefusal appends the response to a request that does not reach the
// application, as cgi.AppendRefusal does, and reports it.
func (c *Conn) AppendRefusal(b []byte, form cgi.Form, vars *cgi.Vars, err error) []byte {
	target, _ := vars.Lookup("REQUEST_URI")
	c.Server.Logger.LogAttrs(context.Background(), slog.LevelWarn, "request refused", slog.String("reason", err.Error()),
		slog.String("method", vars.Method()), slog.String("target", target), slog.String("remote", c.RemoteAddr().String()))
	return cgi.AppendRefusal(b, form, vars.Method(), err)
}
