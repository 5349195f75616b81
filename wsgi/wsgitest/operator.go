package wsgitest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// operator is whom the gateway tells what goes wrong: a slog.Handler. A log
// gives the errors themselves, for errors.Is and errors.As, where a text would
// only give their messages.
type operator struct {
	mu     sync.Mutex
	errors strings.Builder
	faults []error
}

func (o *operator) Enabled(context.Context, slog.Level) bool { return true }
func (o *operator) WithAttrs([]slog.Attr) slog.Handler       { return o }
func (o *operator) WithGroup(string) slog.Handler            { return o }

// Handle takes a record of the gateway: a line of wsgi.errors, or a report with
// its error. A client that left is reported below the level of a fault.
func (o *operator) Handle(_ context.Context, record slog.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	record.Attrs(func(attr slog.Attr) bool {
		switch {
		case attr.Key == "stream":
			o.errors.WriteString(record.Message)
			o.errors.WriteByte('\n')
		case attr.Key == "error" && record.Level >= slog.LevelInfo:
			if err, ok := attr.Value.Any().(error); ok {
				o.faults = append(o.faults, fmt.Errorf("%s: %w", record.Message, err))
			}
		}
		return true
	})
	return nil
}

func (o *operator) tell(res *Response) {
	o.mu.Lock()
	defer o.mu.Unlock()
	res.Errors, res.Fault = o.errors.String(), errors.Join(o.faults...)
}
