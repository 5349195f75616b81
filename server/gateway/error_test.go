package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

var errAbort = fmt.Errorf("enough: %w", http.ErrAbortHandler)

// raise is an application that starts a response that nobody may see, and
// fails.
func raise(fail func() error) call {
	return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", fields("X-Stale", "1", "Content-Length", "3"), nil)
		return nil, fail()
	}
}

// TestGatewayErrors is about failures: what the client sees, and what the
// operator is told.
func TestGatewayErrors(t *testing.T) {
	swallow := func(blocks ...string) call {
		return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", fields("Connection", "close"), nil)
			return p.steps(blocks...), nil
		}
	}
	runExchanges(t, []exchange{
		{
			name: "ERR-10/raise",
			call: func(*probe, wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, errBoom
			},
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			// Nothing of the stored head leaks.
			name:    "ERR-10/raise-after-start",
			call:    raise(func() error { return errBoom }),
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			name:    "ERR-07/panic",
			call:    raise(func() error { panic("at the disco") }),
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			name:    "ERR-13/runtime-error",
			call:    raise(func() error { var m map[string]int; m["a"] = 1; return nil }),
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			name:    "ERR-13/panic-nil",
			call:    raise(func() error { panic(nil) }),
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			// A nil pointer in an error is the commonest mistake with errors,
			// and asking it for its text panics.
			name:    "ERR-07/typed-nil",
			call:    raise(func() error { var err *fs.PathError; return err }),
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			name: "ERR-07/typed-nil-of-close",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				body := p.body("a")
				body.close = func() error { var err *fs.PathError; return err }
				return body, nil
			},
			want:    []string{"head 200 OK", "block a", "end", "close"},
			reports: []string{"ERROR closing the response body failed"},
		}, {
			// raise-write. AMB-28. Covers: ERR-08
			name: "ERR-11/raise-after-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Type", "text/plain"), nil)
				write([]byte("a"))
				return nil, errBoom
			},
			want:    []string{"head 200 OK; Content-Type: text/plain", "block a"},
			reports: []string{"ERROR response cut"},
		}, {
			// The client could take this for complete, but the application
			// did not mean it.
			name: "ERR-11/raise-at-full-length",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "1"), nil)
				body := p.body("a")
				body.err = errBoom
				return body, nil
			},
			want:    []string{"head 200 OK; Content-Length: 1", "block a", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			// Silence is what the application asked for.
			name: "ERR-13/abort",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					panic(http.ErrAbortHandler)
				}), nil
			},
			want: []string{"head 200 OK", "block a", "close"},
		}, {
			name: "ERR-13/abort-before-the-head",
			call: raise(func() error { return errAbort }),
		}, {
			name:    "ERR-16/swallow",
			call:    swallow("a", "b"),
			want:    join([]string{"ask 1", "stopped"}, failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-13)"},
		}, {
			name:    "ERR-16/swallow-empty",
			call:    swallow(),
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-13)"},
		}, {
			name:    "ERR-16/swallow-empties",
			call:    swallow("", ""),
			want:    join([]string{"ask 1", "ask 2"}, failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-13)"},
		}, {
			// AMB-12: trapping the error changes nothing.
			name: "ERR-16/swallow-after-the-head",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("a"))
				start("500 Sorry", nil, errBoom)
				_, err := write([]byte("b"))
				p.note("refused: %t", err != nil)
				return p.steps("c"), nil
			},
			want:    []string{"head 200 OK", "block a", "refused: true", "ask 1", "stopped", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			name: "ERR-16/repaired-between-blocks",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("bad", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					p.note("more: %t", yield(nil, nil))
					start("500 Sorry", nil, errBoom)
					yield([]byte("sorry"), nil)
				}), nil
			},
			want: []string{"more: true", "head 500 Sorry", "block sorry", "end", "close"},
		}, {
			name: "SRV-06/nostart",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return p.steps("a", "b"), nil
			},
			want:    join([]string{"ask 1", "stopped"}, failed, []string{"close"}),
			reports: []string{"ERROR application failed (SRV-06)"},
		}, {
			name: "SRV-07/nostart-empty",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return p.body("", ""), nil
			},
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed (SRV-07)"},
		}, {
			// AMB-01: a start after the block does not undo it.
			name: "SRV-06/start-too-late",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return p.run(func(yield func([]byte, error) bool) {
					p.note("more: %t", yield([]byte("a"), nil))
					_, err := start("200 OK", nil, nil)
					p.note("refused: %t", err != nil)
				}), nil
			},
			want:    join([]string{"more: false", "refused: true"}, failed, []string{"close"}),
			reports: []string{"ERROR application failed (SRV-06)"},
		}, {
			name: "SRV-04/no-data",
			call: answer(fields("X", "1")),
			want: []string{"head 200 OK; X: 1; Content-Length: 0", "end", "close"},
		}, {
			name: "INPUT-21/client-error",
			call: raise(func() error {
				return fmt.Errorf("reading: %w", &gateway.ClientError{Status: "413 Content Too Large", Err: errBoom})
			}),
			want: []string{
				"head 413 Content Too Large; Content-Type: text/plain; charset=utf-8; Content-Length: 22",
				"block 413 Content Too Large\n", "end",
			},
			reports: []string{"WARN bad request body"},
		}, {
			name: "ERR-11/client-error-after-the-head",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("a"))
				return nil, &gateway.ClientError{Status: "400 Bad Request", Err: io.ErrUnexpectedEOF}
			},
			want:    []string{"head 200 OK", "block a"},
			reports: []string{"ERROR response cut"},
		},
	})
}

// TestGatewayGone is about clients that leave, which is no fault of the
// application.
func TestGatewayGone(t *testing.T) {
	left := []string{"DEBUG client left"}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	one := func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return p.steps("a", "b"), nil
	}
	endless := func(block string) call {
		return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				for n := 0; yield([]byte(block), nil); n++ {
					if n == 1000 {
						t.Error("the body was not stopped")
						return
					}
				}
			}), nil
		}
	}
	runExchanges(t, []exchange{
		{
			name:    "ERR-15/at-the-head",
			request: request{failAt: 1},
			call:    one,
			want:    []string{"ask 1", "head 200 OK: failed", "stopped", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-second-block",
			request: request{failAt: 3},
			call:    one,
			want:    []string{"ask 1", "head 200 OK", "block a", "ask 2", "block b: failed", "stopped", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-end",
			request: request{failAt: 4},
			call:    one,
			want:    []string{"ask 1", "head 200 OK", "block a", "ask 2", "block b", "end: failed", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-head-of-nothing",
			request: request{failAt: 1},
			call:    answer(nil),
			want:    []string{"head 200 OK; Content-Length: 0: failed", "close"},
			reports: left,
		}, {
			name:    "ERR-15/at-the-500",
			request: request{failAt: 1},
			call:    raise(func() error { return errBoom }),
			want:    []string{failed[0] + ": failed"},
			reports: []string{"ERROR application failed", "DEBUG client left"},
		}, {
			name:    "ERR-15/at-the-500's-block",
			request: request{failAt: 2},
			call:    raise(func() error { return errBoom }),
			want:    []string{failed[0], "block 500 Internal Server Error\n: failed"},
			reports: []string{"ERROR application failed", "DEBUG client left"},
		}, {
			// What the application does about it, it does to nobody.
			name:    "ERR-15/application-fails-because-of-it",
			request: request{failAt: 2},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				_, err := write([]byte("a"))
				p.note("knows why: %t", errors.Is(err, errWire))
				return nil, fmt.Errorf("writing: %w", err)
			},
			want:    []string{"head 200 OK", "block a: failed", "knows why: true"},
			reports: left,
		}, {
			name:    "ERR-15/context-passed-on",
			request: request{ctx: cancelled},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, fmt.Errorf("query: %w", p.environ.Context().Err())
			},
			reports: left,
		}, {
			// The same error is the application's own while the client is
			// there.
			name: "ERR-15/own-cancellation",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, context.Canceled
			},
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			name: "ERR-15/own-connection-reset",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, errWire
			},
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			// An ended context is only a hint: the transport decides.
			name:    "ERR-15/context-ended-transport-fine",
			request: request{ctx: cancelled},
			call:    answer(nil, "a"),
			want:    []string{"head 200 OK", "block a", "end", "close"},
		}, {
			// Nothing is sent that could fail, so somebody has to ask.
			name:    "BODY-10/endless-empties",
			request: request{ctx: cancelled},
			call:    endless(""),
			want:    []string{"close"},
			reports: left,
		}, {
			name:    "BODY-10/endless-discarded",
			request: request{ctx: cancelled, method: "HEAD"},
			call:    endless("a"),
			want:    []string{"head 200 OK", "block ", "end", "close"},
		}, {
			name:    "WRITE-11/endless-discarded",
			request: request{ctx: cancelled, method: "HEAD"},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				for range 1000 {
					if _, err := write([]byte("a")); err != nil {
						return p.body(), nil
					}
				}
				t.Error("write did not fail")
				return p.body(), nil
			},
			want: []string{"head 200 OK", "block ", "end", "close"},
		},
	})
	// The client of a HEAD has all that it will get.
	t.Run("BODY-10/empties-after-the-head", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		got := request{ctx: ctx, method: "HEAD"}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				yield([]byte("a"), nil)
				cancel()
				p.note("more: %t", yield(nil, nil))
			}), nil
		})
		if diff := cmp.Diff([]string{"head 200 OK", "block ", "more: false", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("ERR-15/cause", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		cancel(errWire)
		got := request{ctx: ctx}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return nil, context.Cause(p.environ.Context())
		})
		if !errors.Is(got.err, errWire) {
			t.Errorf("Serve returned %v, expected the cause", got.err)
		}
		if diff := cmp.Diff(left, got.reports); diff != "" {
			t.Error(diff)
		}
	})
}

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
