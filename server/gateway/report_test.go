package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
)

// TestGatewayReports is about the texts: what a stranger must not see, and
// what the operator must.
func TestGatewayReports(t *testing.T) {
	disco := raise(func() error { panic("at the disco") })
	page := func(t *testing.T, g *gateway.Gateway, app call) string {
		return strings.Join(request{gateway: g}.serve(t, app).events, "\n")
	}
	t.Run("ERR-14/hidden", func(t *testing.T) {
		body := page(t, nil, disco)
		for _, secret := range []string{"disco", "goroutine", ".go"} {
			if strings.Contains(body, secret) {
				t.Errorf("the answer contains %q:\n%s", secret, body)
			}
		}
	})
	t.Run("ERR-14/debug", func(t *testing.T) {
		body := page(t, &gateway.Gateway{Debug: true}, disco)
		for _, want := range []string{"500 Internal Server Error\n\npanic: at the disco\n", "goroutine", "error_test.go"} {
			if !strings.Contains(body, want) {
				t.Errorf("the answer lacks %q:\n%s", want, body)
			}
		}
	})
	t.Run("ERR-07/errors-stream", func(t *testing.T) {
		var log bytes.Buffer
		request{
			gateway: &gateway.Gateway{Errors: &log},
			method:  "POST", source: variables{"SCRIPT_NAME": "/app", "PATH_INFO": "/a\nb"},
		}.serve(t, disco)
		first, rest, _ := strings.Cut(log.String(), "\n")
		if want := `gowsgi: POST /app/a\nb: application failed: panic: at the disco`; first != want {
			t.Errorf("the report begins\n%s\nexpected\n%s", first, want)
		}
		if !strings.Contains(rest, "error_test.go") {
			t.Errorf("the report lacks the stack:\n%s", rest)
		}
	})
	t.Run("ERR-15/not-in-the-errors-stream", func(t *testing.T) {
		var log bytes.Buffer
		request{gateway: &gateway.Gateway{Errors: &log}, failAt: 2}.serve(t, answer(nil, "a"))
		if log.Len() != 0 {
			t.Errorf("a client that left was reported: %s", &log)
		}
	})
	t.Run("ERR-07/slog", func(t *testing.T) {
		var log bytes.Buffer
		g := &gateway.Gateway{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		request{gateway: g, method: "POST", source: variables{"PATH_INFO": "/p"}}.serve(t, disco)
		for _, want := range []string{
			"level=ERROR", `msg="application failed"`, "method=POST", "path=/p", `error="panic: at the disco"`,
			"stack=", "error_test.go",
		} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the record lacks %s:\n%s", want, &log)
			}
		}
		log.Reset()
		request{gateway: g}.serve(t, answer(fields("TE", "x"), "a"))
		if want := "rule=HDR-13"; !strings.Contains(log.String(), want) {
			t.Errorf("the record lacks %s:\n%s", want, &log)
		}
		log.Reset()
		request{gateway: g, failAt: 2}.serve(t, answer(nil, "a"))
		if log.Len() != 0 {
			t.Errorf("a client that left was reported above debug level: %s", &log)
		}
	})
	// A report reaches its logger even when the client has gone by then.
	t.Run("ERR-07/slog-context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		g := &gateway.Gateway{Logger: slog.New(contextual{new(recording)})}
		request{gateway: g, ctx: ctx}.serve(t, raise(func() error { cancel(); return errBoom }))
		if diff := cmp.Diff([]string{"<nil>"}, g.Logger.Handler().(contextual).all()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("SRV-08/others-are-not-disturbed", func(t *testing.T) {
		// Covers: ERR-12, ERR-06
		g := &gateway.Gateway{SingleThread: true}
		for range 50 {
			request{gateway: g}.serve(t, disco)
			got := request{gateway: g}.serve(t, answer(nil, "a"))
			if diff := cmp.Diff([]string{"head 200 OK", "block a", "end", "close"}, got.events); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

// A contextual handler keeps the state of the context of each record.
type contextual struct{ *recording }

func (c contextual) Enabled(context.Context, slog.Level) bool { return true }
func (c contextual) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c contextual) WithGroup(string) slog.Handler            { return c }

func (c contextual) Handle(ctx context.Context, _ slog.Record) error {
	c.note("%v", ctx.Err())
	return nil
}
