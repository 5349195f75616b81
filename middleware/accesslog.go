package middleware

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// The formats of a log that programs everywhere read.
const (
	CommonLog   = `%h %l %u %t "%r" %>s %b`
	CombinedLog = CommonLog + ` "%{Referer}i" "%{User-Agent}i"`
)

// AccessLogConfig holds the choices of AccessLog.
type AccessLogConfig struct {
	// Format is that of a line; "" means CombinedLog. It has the atoms of
	// Apache's mod_log_config, such as %>s and %{Referer}i, and those of
	// gunicorn, such as %(s)s and %({Referer}i)s. doc/middleware.md lists them.
	Format string

	// Output is where lines go, one Write each; nil means the process's standard
	// error. Writes are made one at a time.
	Output io.Writer

	// Logger, when not nil, gets a record for each request in the place of a
	// line: with slog.NewJSONHandler, a log in JSON. Requests that failed, or
	// were answered with 500 or above, have the level Error, others Info.
	Logger *slog.Logger

	// Skip, when not nil, tells which requests are not logged.
	Skip func(o *Observation) bool
}

// Validate returns what AccessLog would panic with.
func (c AccessLogConfig) Validate() error {
	_, err := parseLogFormat(c.Format)
	return err
}

// AccessLog returns a middleware that logs each request when it is over: once,
// on every path, with the status and the bytes that the server was really given.
// A failure of which the server makes a 500 is logged as one. The request line
// and the address are those that came in, whatever was made of them further in;
// the user is the one that SetRemoteUser was told of, anywhere inside.
//
// It does nothing to status, headers or body. The server still gets a list, or a
// file, as such. A Format with an atom that does not exist panics.
//
// Security: what a client sent is written with control characters, quotes,
// backslashes and everything that is not ASCII escaped, so that nobody forges a
// line. A log has addresses, and query strings, which may be secrets; the
// Authorization and Cookie headers are for no format.
func AccessLog(c AccessLogConfig) wsgi.Middleware {
	format, err := parseLogFormat(c.Format)
	if err != nil {
		panic(err.Error())
	}
	if c.Output == nil {
		c.Output = os.Stderr
	}
	l := &accessLog{AccessLogConfig: c, format: format}
	hooks := &ObserveConfig{Start: l.start, Finish: l.finish}
	return func(next wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			e := new(logEntry)
			e.Value = e
			return e.call(hooks, next, environ, start)
		})
	}
}

type accessLog struct {
	AccessLogConfig
	format []logAtom
	mu     sync.Mutex // for Output
	line   []byte     // the last one, whose memory is used again
}

// logEntry is what there is to log of a request.
type logEntry struct {
	observed
	came  *wsgi.Environ // as the request came, which nobody further in changes
	user  string
	taken time.Duration
	inner wsgi.Environ
}

func (e *logEntry) path() string { return e.came.Var("SCRIPT_NAME") + e.came.Var("PATH_INFO") }

func (e *logEntry) target() string {
	if target := e.came.Var("REQUEST_URI"); target != "" {
		return target
	}
	return (&url.URL{Path: e.path(), RawQuery: e.came.Var("QUERY_STRING")}).String()
}

// logUserKey is the variable with the *logEntry, for SetRemoteUser.
const logUserKey = "gowsgi.access_log"

// SetRemoteUser sets REMOTE_USER in environ to the user that was found out, and
// tells an AccessLog outside.
func SetRemoteUser(environ *wsgi.Environ, user string) {
	environ.Set("REMOTE_USER", user)
	if entry, ok := environ.Get(logUserKey).(*logEntry); ok {
		entry.user = user
	}
}

func (l *accessLog) start(o *Observation) {
	entry := o.Value.(*logEntry)
	entry.came, entry.user = o.Environ, o.Environ.Var("REMOTE_USER")
	o.Environ.CloneInto(&entry.inner, nil)
	o.Environ = &entry.inner
	o.Environ.Set(logUserKey, entry)
}

func (l *accessLog) finish(o *Observation) {
	entry := o.Value.(*logEntry)
	entry.taken = time.Since(o.Began)
	if l.Skip != nil && l.Skip(o) {
		return
	}
	if l.Logger != nil {
		l.record(entry)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line = l.line[:0]
	for _, atom := range l.format {
		l.line = atom(l.line, entry)
	}
	l.line = append(l.line, '\n')
	l.Output.Write(l.line)
}

// record logs e as a record of slog.
func (l *accessLog) record(e *logEntry) {
	level := slog.LevelInfo
	if e.Code() >= 500 || e.Failed() {
		level = slog.LevelError
	}
	attrs := []slog.Attr{
		slog.String("remote", e.came.Var("REMOTE_ADDR")),
		slog.String("method", e.came.Var("REQUEST_METHOD")),
		slog.String("target", e.target()),
		slog.String("protocol", e.came.Var("SERVER_PROTOCOL")),
		slog.Int("status", e.Code()),
		slog.Int64("bytes", e.Bytes),
		slog.Duration("duration", e.taken),
	}
	for _, more := range []struct{ name, value string }{
		{"user", e.user},
		{"host", e.Environ.Var("HTTP_HOST")},
		{"referer", e.Environ.Var("HTTP_REFERER")},
		{"user_agent", e.Environ.Var("HTTP_USER_AGENT")},
		{"request_id", e.Environ.Var(requestIDKey)},
	} {
		if more.value != "" {
			attrs = append(attrs, slog.String(more.name, more.value))
		}
	}
	if e.Stopped {
		attrs = append(attrs, slog.Bool("stopped", true))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.String("error", e.Err.Error()))
	}
	l.Logger.LogAttrs(context.WithoutCancel(e.Environ.Context()), level, "request", attrs...)
}

// appendEscaped appends what a client sent, "-" for nothing, in the manner of
// Apache.
func appendEscaped(line []byte, s string) []byte {
	const hex = "0123456789abcdef"
	if s == "" {
		return append(line, '-')
	}
	done := 0 // so much of s is in the line
	for i := plain(s); i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			line = append(append(line, s[done:i]...), '\\', c)
		case c < ' ' || c >= 0x7f:
			line = append(append(line, s[done:i]...), '\\', 'x', hex[c>>4], hex[c&15])
		default:
			continue
		}
		done = i + 1
	}
	return append(line, s[done:]...)
}

// plain returns how many characters at the beginning of s need no escape, in steps of
// eight: nearly all there is to log needs none, and this takes a fraction of the time.
// A character below 0x20 has its highest bit set when 0x20 is subtracted, one above
// 0x7E when 1 is added, and quote and backslash are turned into 0 first, and 1
// subtracted. What carries into the next character only stops it too early.
func plain(s string) (n int) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(s)-n >= 8; n += 8 {
		b := s[n : n+8]
		w := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		if (w|(w-0x20*ones)|(w+ones)|((w^'"'*ones)-ones)|((w^'\\'*ones)-ones))&highs != 0 {
			break
		}
	}
	return n
}

// logError is the error of a format.
func logError(format string, a ...any) error {
	return fmt.Errorf("middleware: AccessLog: "+format, a...)
}
