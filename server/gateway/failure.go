package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

const (
	levelDebug = slog.LevelDebug
	levelWarn  = slog.LevelWarn
	levelError = slog.LevelError
)

// fail answers a request that failed before its head was sent. Nothing of the
// head that the application stored is used (ERR-10).
func (x *Exchange) fail() error {
	status, level, message := "500 Internal Server Error", levelError, "application failed"
	if blame := (*ClientError)(nil); errors.As(x.failure, &blame) {
		status, level, message = blame.Status, levelWarn, "bad request body"
	}
	x.report(level, message, x.failure)
	text := status + "\n"
	if x.gateway.Debug {
		text += "\n" + describe(x.failure)
	}
	x.committed = true
	code, _, err := wsgi.ParseStatus(status)
	if err != nil { // a server made this ClientError
		return x.cut()
	}
	err = x.Transport.Head(code, status, wsgi.Headers{
		{Name: "Content-Type", Value: "text/plain; charset=utf-8"},
		{Name: contentLength, Value: strconv.Itoa(len(text))},
	})
	if err == nil && x.Method != "HEAD" {
		err = x.Transport.Block([]byte(text))
	}
	if err != nil {
		x.gone = err
		return x.leave()
	}
	return x.complete()
}

// report tells the operator what happened to this request. The caller may hold
// x.mu; nothing of the environ is used, for the application may have changed
// it.
func (x *Exchange) report(level slog.Level, message string, err error) {
	g := x.gateway
	if g.Errors != nil {
		if level < slog.LevelInfo {
			return
		}
		g.writeErrors(fmt.Appendf(nil, "gowsgi: %s %s: %s: %s", x.Method, x.path(), message, describe(err)))
		return
	}
	attrs := []slog.Attr{
		slog.String("method", x.Method), slog.String("path", x.path()), slog.Any("error", err),
	}
	if rule := (*wsgi.ContractError)(nil); errors.As(err, &rule) {
		attrs = append(attrs, slog.String("rule", rule.Rule))
	}
	if panicked := (*wsgi.PanicError)(nil); errors.As(err, &panicked) {
		attrs = append(attrs, slog.String("stack", string(panicked.Stack)))
	}
	g.logger().LogAttrs(context.WithoutCancel(x.ctx), level, message, attrs...)
}

func (g *Gateway) logger() *slog.Logger {
	if g.Logger != nil {
		return g.Logger
	}
	return slog.Default()
}

// path is the path as the server saw it, made fit for a log line.
func (x *Exchange) path() string {
	script, _ := x.Source.Lookup("SCRIPT_NAME")
	info, _ := x.Source.Lookup("PATH_INFO")
	quoted := strconv.Quote(script + info)
	return quoted[1 : len(quoted)-1]
}

// describe returns err and, for a panic, its stack, as lines.
func describe(err error) string {
	var b strings.Builder
	b.WriteString(err.Error())
	b.WriteByte('\n')
	if panicked := (*wsgi.PanicError)(nil); errors.As(err, &panicked) {
		b.Write(panicked.Stack)
	}
	return b.String()
}
