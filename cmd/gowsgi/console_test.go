package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

func TestConsole(t *testing.T) {
	at := time.Date(2026, 1, 2, 15, 4, 5, 6, time.UTC)
	for _, test := range []struct {
		name    string
		with    func(h slog.Handler) slog.Handler
		level   slog.Level
		message string
		attrs   []slog.Attr
		want    string
	}{
		{"message", nil, slog.LevelInfo, "listening", nil, "2026-01-02 15:04:05 INFO  listening\n"},
		{"attributes", nil, slog.LevelError, "failed", []slog.Attr{slog.Int("n", 1), slog.Any("error", errors.New("too bad")), slog.String("empty", "")},
			"2026-01-02 15:04:05 ERROR failed n=1 error=\"too bad\" empty=\"\"\n"},
		{"one line whatever is in it", nil, slog.LevelWarn, "a\nb", []slog.Attr{slog.String("x", "c\nd\x1b[31m")},
			"2026-01-02 15:04:05 WARN  \"a\\nb\" x=\"c\\nd\\x1b[31m\"\n"},
		{"group", nil, slog.LevelInfo, "m", []slog.Attr{slog.Group("g", slog.Int("a", 1), slog.Group("h", slog.Int("b", 2)))},
			"2026-01-02 15:04:05 INFO  m g.a=1 g.h.b=2\n"},
		{"handler with attributes and a group", func(h slog.Handler) slog.Handler {
			return h.WithAttrs([]slog.Attr{slog.Int("a", 1)}).WithGroup("g").WithAttrs([]slog.Attr{slog.Int("b", 2)})
		}, slog.LevelInfo, "m", []slog.Attr{slog.Int("c", 3)}, "2026-01-02 15:04:05 INFO  m a=1 g.b=2 g.c=3\n"},
		{"nothing", nil, slog.LevelInfo, "m", []slog.Attr{{}, slog.Group("g")}, "2026-01-02 15:04:05 INFO  m\n"},
		{"level between", nil, slog.LevelWarn + 1, "m", nil, "2026-01-02 15:04:05 WARN+1 m\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			var h slog.Handler = newConsole(&out, slog.LevelInfo)
			if test.with != nil {
				h = test.with(h)
			}
			r := slog.NewRecord(at, test.level, test.message, 0)
			r.AddAttrs(test.attrs...)
			if err := h.Handle(context.Background(), r); err != nil || out.String() != test.want {
				t.Errorf("wrote %q, %v, want %q", out.String(), err, test.want)
			}
		})
	}
	if h := newConsole(nil, slog.LevelWarn); h.Enabled(context.Background(), slog.LevelInfo) || !h.Enabled(context.Background(), slog.LevelWarn) {
		t.Error("the level is not obeyed")
	}
}
