package backend

import (
	"context"
	"errors"
	"log/slog"
	"strconv"

	"github.com/gowsgi/gowsgi/internal/cgi"
	"github.com/gowsgi/gowsgi/wsgi"
)

// AppendRefusal appends the response to a request that does not reach the
// application, and reports it. err is a cgi.Refusal, or else counts as one
// with status 400.
func (c *Conn) AppendRefusal(b []byte, form cgi.Form, vars *cgi.Vars, err error) []byte {
	refusal := &cgi.Refusal{Status: "400 Bad Request", Err: err}
	errors.As(err, &refusal)
	target, _ := vars.Lookup("REQUEST_URI")
	c.Server.Logger.LogAttrs(context.Background(), slog.LevelWarn, "request refused",
		slog.String("status", refusal.Status), slog.String("reason", refusal.Err.Error()),
		slog.String("method", vars.Method()), slog.String("target", target), slog.String("remote", c.RemoteAddr().String()))
	text := refusal.Status + "\n"
	b = cgi.AppendHead(b, form, refusal.Status, wsgi.Headers{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: "Content-Length", Value: strconv.Itoa(len(text))},
	})
	if vars.Method() != "HEAD" {
		b = append(b, text...)
	}
	return b
}
