package conformance

import (
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gowsgi/gowsgi/internal/requirements"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A Finding is a rule that was broken.
type Finding struct {
	// Rule is the rule.
	Rule Rule

	// Warning tells that the rule is a SHOULD, or that what was seen is legal
	// and yet probably not meant.
	Warning bool

	// Side is who broke the rule: "server", which is whoever called the
	// application, or "application". A middleware may be either.
	Side string

	// Detail says what was seen and what was expected.
	Detail string

	// Request is the method and the path of the request, such as
	// "GET /cart", as they were when the application was called.
	Request string

	// Where is the application that was called: its function with file and
	// line, or its type.
	Where string
}

// Error returns the finding as one line, so that a Finding is an error.
func (f Finding) Error() string {
	level := f.Rule.Level
	if f.Warning {
		level += ", warning"
	}
	return fmt.Sprintf("%s (%s) broken by the %s: %s [%s, %s]", f.Rule.ID, level, f.Side, f.Detail, f.Request, f.Where)
}

// LogValue returns the finding as a group.
func (f Finding) LogValue() slog.Value { return slog.GroupValue(f.attrs()...) }

func (f Finding) attrs() []slog.Attr {
	return []slog.Attr{
		slog.String("rule", f.Rule.ID), slog.String("side", f.Side), slog.String("detail", f.Detail),
		slog.String("request", f.Request), slog.String("application", f.Where),
	}
}

const (
	byServer = "server"
	byApp    = "application"
)

// report reports that side broke the rule id. It must be called without c.mu.
func (c *call) report(id, side, format string, args ...any) {
	row, _ := requirements.ByID(id)
	c.tell(row, side, strings.HasPrefix(row.Word(), "SHOULD"), fmt.Sprintf(format, args...))
}

// warn is report for what is probably not meant, whatever the level.
func (c *call) warn(id, side, format string, args ...any) {
	row, _ := requirements.ByID(id)
	c.tell(row, side, true, fmt.Sprintf(format, args...))
}

// fault is report for what spoils the response, whatever the level: the rules
// on Content-Length are about what a server should make of an error.
func (c *call) fault(id, side, format string, args ...any) {
	row, _ := requirements.ByID(id)
	c.tell(row, side, false, fmt.Sprintf(format, args...))
}

func (c *call) tell(row requirements.Row, side string, warning bool, detail string) {
	if row.ID == "" {
		panic("conformance: a finding without a rule: " + detail)
	}
	key := row.ID + side
	c.mu.Lock()
	known := slices.Contains(c.told, key)
	if !known {
		c.told = append(c.told, key)
	}
	neighbours := c.inners
	c.mu.Unlock()
	if side == byServer {
		neighbours = nil
		if c.outer != nil {
			neighbours = []*call{c.outer}
		}
	}
	// What a middleware passes on as it came was broken by the one behind it,
	// or in front of it.
	for _, n := range neighbours {
		known = known || n.hasTold(key)
	}
	if known {
		return
	}
	f := Finding{Warning: warning, Side: side, Detail: detail, Request: c.request(), Where: where(c.at.app)}
	for _, g := range requirements.Groups() {
		if g.ID == row.Group() {
			f.Rule = newRule(g, row)
		}
	}
	if c.linter.Report != nil {
		c.linter.Report(f)
		return
	}
	c.log(f)
}

// hasTold reports whether there was a finding of this request with one of
// keys, each a rule and a side.
func (c *call) hasTold(keys ...string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.ContainsFunc(keys, func(key string) bool { return slices.Contains(c.told, key) })
}

// request is the request as it came, fit for one line.
func (c *call) request() string {
	if c.environ == nil {
		return "?"
	}
	quoted := strconv.Quote(c.path)
	return c.method + " " + quoted[1:len(quoted)-1]
}

// where says which application app is.
func where(app wsgi.Application) string {
	if a, ok := app.(*linted); ok {
		return where(a.app)
	}
	if v := reflect.ValueOf(app); v.Kind() == reflect.Func && !v.IsNil() {
		if f := runtime.FuncForPC(v.Pointer()); f != nil {
			file, line := f.FileLine(f.Entry())
			return fmt.Sprintf("%s %s:%d", f.Name(), file, line)
		}
	}
	return fmt.Sprintf("%T", app)
}
