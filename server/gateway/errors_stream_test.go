package gateway_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A writeLog keeps each Write apart. It is not safe for concurrent use: the
// gateway has to see to that.
type writeLog struct{ writes []string }

func (w *writeLog) Write(p []byte) (int, error) {
	w.writes = append(w.writes, string(p))
	return len(p), nil
}

// A failingLog fails after some writes, in the middle of one.
type failingLog struct {
	writeLog
	after int
}

func (f *failingLog) Write(p []byte) (int, error) {
	if len(f.writes) == f.after {
		n, _ := f.writeLog.Write(p[:4])
		return n, errBoom
	}
	return f.writeLog.Write(p)
}

// TestGatewayErrorStream is about wsgi.errors.
func TestGatewayErrorStream(t *testing.T) {
	serve := func(t *testing.T, g *gateway.Gateway, f func(errs wsgi.ErrorStream)) {
		request{gateway: g}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			f(p.environ.Errors())
			start("200 OK", nil, nil)
			return p.body(), nil
		})
	}
	tests := []struct {
		name string
		use  func(errs wsgi.ErrorStream)
		want []string // each Write of the stream behind
	}{
		{"LOG-02/write", func(errs wsgi.ErrorStream) { errs.WriteString("a\n") }, []string{"a\n"}},
		{"LOG-02/io.Writer", func(errs wsgi.ErrorStream) { fmt.Fprintf(errs, "%d\n", 1) }, []string{"1\n"}},
		{"LOG-03/writelines", func(errs wsgi.ErrorStream) { errs.WriteLines("a", "b\n", "c\n") }, []string{"ab\nc\n"}},
		{"LOG-01/flush", func(errs wsgi.ErrorStream) {
			errs.WriteString("a")
			errs.Flush()
			errs.WriteString("b\n")
			errs.Flush()
		}, []string{"a", "b\n"}},
		{"LOG-13/whole-lines", func(errs wsgi.ErrorStream) {
			errs.WriteString("be")
			errs.WriteString("gin\nmiddle\nen")
			errs.WriteString("d\n")
		}, []string{"begin\nmiddle\n", "end\n"}},
		{"LOG-15/last-line", func(errs wsgi.ErrorStream) { errs.WriteString("no newline") }, []string{"no newline\n"}},
		{"LOG-08/no-newline-for-ever", func(errs wsgi.ErrorStream) {
			for range 3 {
				errs.WriteString(strings.Repeat("x", 33<<10))
			}
			errs.WriteString("end\n")
		}, []string{strings.Repeat("x", 66<<10), strings.Repeat("x", 33<<10) + "end\n"}},
		{"LOG-05/any-text", func(errs wsgi.ErrorStream) {
			errs.WriteString("\u20ac \U0001F600 \xff\xfe\n")
		}, []string{"\u20ac \U0001F600 \xff\xfe\n"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log := new(writeLog)
			serve(t, &gateway.Gateway{Errors: log}, tt.use)
			if diff := cmp.Diff(tt.want, log.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}

	// Covers: LOG-06
	t.Run("LOG-15/records", func(t *testing.T) {
		var log bytes.Buffer
		g := &gateway.Gateway{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		}))}
		serve(t, g, func(errs wsgi.ErrorStream) {
			errs.WriteString("first\nsec")
			errs.WriteString("ond\n\u20ac \xff")
		})
		want := "level=ERROR msg=first stream=wsgi.errors\n" +
			"level=ERROR msg=second stream=wsgi.errors\n" +
			"level=ERROR msg=\"\u20ac \\xff\" stream=wsgi.errors\n"
		if diff := cmp.Diff(want, log.String()); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("LOG-11/default-logger", func(t *testing.T) {
		var log bytes.Buffer
		kept := slog.Default()
		defer slog.SetDefault(kept)
		slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
		g := new(gateway.Gateway)
		record := new(recording)
		w := &wire{t: t, recording: record}
		x := &gateway.Exchange{Source: variables{}, Transport: w, Method: "GET", Scheme: "http"}
		g.Serve(t.Context(), wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			environ.Errors().WriteString("for the operator\n")
			return nil, errBoom
		}), x)
		for _, want := range []string{`msg="for the operator"`, `msg="application failed"`} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, &log)
			}
		}
	})

	t.Run("LOG-12/own-stream", func(t *testing.T) {
		first, second := new(writeLog), new(writeLog)
		for text, log := range map[string]*writeLog{"first\n": first, "second\n": second} {
			serve(t, &gateway.Gateway{Errors: log}, func(errs wsgi.ErrorStream) { errs.WriteString(text) })
		}
		if diff := cmp.Diff([][]string{{"first\n"}, {"second\n"}}, [][]string{first.writes, second.writes}); diff != "" {
			t.Error(diff)
		}
	})

	// The protocol's own stream is asked first. What it does not take is not
	// lost, and the reports go where they always go.
	t.Run("LOG-11/stream-of-the-protocol", func(t *testing.T) {
		shared, own := new(writeLog), &failingLog{after: 1}
		g := &gateway.Gateway{Errors: shared}
		x := &gateway.Exchange{
			Source: variables{}, Transport: &wire{t: t, recording: new(recording)}, Method: "GET", Scheme: "http", Errors: own,
		}
		g.Serve(t.Context(), wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			environ.Errors().WriteString("taken\n")
			environ.Errors().WriteString("not taken\n")
			return nil, errBoom
		}), x)
		if diff := cmp.Diff([]string{"taken\n", "not "}, own.writes); diff != "" {
			t.Errorf("stream of the protocol (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"taken\n", "gowsgi: GET : application failed: boom\n"}, shared.writes); diff != "" {
			t.Errorf("Errors (-want +got):\n%s", diff)
		}
	})

	// Reports of failed requests come between the lines as well.
	t.Run("LOG-13/parallel", func(t *testing.T) {
		log := new(writeLog)
		g := &gateway.Gateway{Errors: log}
		const writers, lines = 8, 50
		var wg sync.WaitGroup
		for writer := range writers {
			wg.Go(func() {
				request{gateway: g}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
					errs := p.environ.Errors()
					for line := range lines {
						fmt.Fprintf(errs, "<%d ", writer)
						errs.WriteString(strings.Repeat("x", line))
						errs.WriteLines(">", "\n")
					}
					return nil, errBoom
				})
			})
		}
		wg.Wait()
		whole := regexp.MustCompile(`^(<\d x*>|gowsgi: GET /: application failed: boom)$`)
		got := strings.Split(strings.TrimSuffix(strings.Join(log.writes, ""), "\n"), "\n")
		for _, line := range got {
			if !whole.MatchString(line) {
				t.Errorf("torn line %q", line)
			}
		}
		if want := writers * (lines + 1); len(got) != want {
			t.Errorf("%d lines, expected %d", len(got), want)
		}
	})
}
