package main

import (
	"context"
	"log/slog"
	"maps"
	"sync"
)

// refusals counts the requests that a server has refused before any application saw
// them, by their status. What there is to count them by is the record that a server
// logs of each: this is the handler of its log.
type refusals struct {
	slog.Handler
	*refused
}

// refused is what is counted.
type refused struct {
	otherwise string // the status of a record that has none; "" is not counted

	mu     sync.Mutex
	counts map[string]int64 // by status, of which servers have about ten
}

// counting returns the log of the server of a protocol, around one that has counted
// nothing yet.
func (a *admin) counting(scheme string, log *slog.Logger) *slog.Logger {
	if a == nil {
		return log
	}
	r := &refused{counts: make(map[string]int64)}
	if scheme != "http" { // there a record without one is of a TLS handshake, which is no request yet
		r.otherwise = "400"
	}
	a.refused[scheme] = r
	return slog.New(refusals{log.Handler(), r})
}

// Enabled is true for what is counted, whatever --log-level says.
func (r refusals) Enabled(ctx context.Context, level slog.Level) bool {
	return level == slog.LevelWarn || r.Handler.Enabled(ctx, level)
}

// Handle counts, and logs what is to be logged.
func (r refusals) Handle(ctx context.Context, record slog.Record) error {
	if record.Message == "request refused" {
		r.count(record)
	}
	if !r.Handler.Enabled(ctx, record.Level) {
		return nil
	}
	return r.Handler.Handle(ctx, record)
}

// WithAttrs returns a handler that counts here too.
func (r refusals) WithAttrs(attrs []slog.Attr) slog.Handler {
	return refusals{r.Handler.WithAttrs(attrs), r.refused}
}

// WithGroup returns a handler that counts here too.
func (r refusals) WithGroup(name string) slog.Handler {
	return refusals{r.Handler.WithGroup(name), r.refused}
}

// count takes the status from where it is: an attribute over HTTP, and over the other
// protocols the beginning of the reason.
func (r *refused) count(record slog.Record) {
	code := r.otherwise
	record.Attrs(func(a slog.Attr) bool {
		text := a.Value.String()
		if a.Key == "status" || a.Key == "reason" && r.otherwise != "" {
			if len(text) > 3 && text[3] == ' ' && (text[0] == '4' || text[0] == '5') {
				code = text[:3]
			}
		}
		return a.Key != "status"
	})
	if code == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[code]++
}

// seen is a copy of the counts.
func (r *refused) seen() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}
