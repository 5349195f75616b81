package main

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// console is a slog.Handler for people: short lines of time, level, message
// and key=value.
//
//	2026-11-27 15:04:05 INFO  listening address=http://127.0.0.1:8000/
//
// A record is one line and one Write, whatever is in it.
type console struct {
	out   *consoleOutput
	level slog.Level
	attrs string // of WithAttrs, formatted
	group string // of WithGroup: what is before the keys that follow
}

type consoleOutput struct {
	mu sync.Mutex
	w  io.Writer
}

func newConsole(w io.Writer, level slog.Level) *console {
	return &console{out: &consoleOutput{w: w}, level: level}
}

// Enabled reports whether level is logged.
func (c *console) Enabled(_ context.Context, level slog.Level) bool { return level >= c.level }

// Handle writes one line.
func (c *console) Handle(_ context.Context, r slog.Record) error {
	line := make([]byte, 0, 256)
	if !r.Time.IsZero() {
		line = r.Time.AppendFormat(line, "2006-01-02 15:04:05 ")
	}
	level := r.Level.String()
	line = append(line, level...)
	line = append(line, strings.Repeat(" ", max(1, len("ERROR ")-len(level)))...)
	line = appendMessage(line, r.Message)
	line = append(line, c.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		line = appendAttr(line, c.group, a)
		return true
	})
	line = append(line, '\n')
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	_, err := c.out.w.Write(line)
	return err
}

// WithAttrs returns a console whose records have attrs too.
func (c *console) WithAttrs(attrs []slog.Attr) slog.Handler {
	var formatted []byte
	for _, a := range attrs {
		formatted = appendAttr(formatted, c.group, a)
	}
	d := *c
	d.attrs += string(formatted)
	return &d
}

// WithGroup returns a console whose further keys begin with name.
func (c *console) WithGroup(name string) slog.Handler {
	d := *c
	if name != "" {
		d.group += name + "."
	}
	return &d
}

// appendMessage appends text as it is, unless it would not stay in its line.
func appendMessage(line []byte, text string) []byte {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.AppendQuote(line, text)
	}
	return append(line, text...)
}

func appendAttr(line []byte, group string, a slog.Attr) []byte {
	a.Value = a.Value.Resolve()
	if a.Equal(slog.Attr{}) {
		return line
	}
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			group += a.Key + "."
		}
		for _, member := range a.Value.Group() {
			line = appendAttr(line, group, member)
		}
		return line
	}
	line = append(line, ' ')
	line = append(line, group...)
	line = append(line, a.Key...)
	line = append(line, '=')
	text := a.Value.String()
	if text == "" || strings.ContainsFunc(text, needsQuotes) {
		return strconv.AppendQuote(line, text)
	}
	return append(line, text...)
}

func needsQuotes(r rune) bool { return r == ' ' || r == '"' || !unicode.IsPrint(r) }
