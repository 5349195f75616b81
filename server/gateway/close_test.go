package gateway_test

import (
	"errors"
	"net/http"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayClose is about the end of a request: close on every path, exactly
// once, on the object that was returned, and after the response.
//
// Covers: SRV-03, BODY-11
func TestGatewayClose(t *testing.T) {
	ok := func(start wsgi.StartResponse) { start("200 OK", nil, nil) }
	runExchanges(t, []exchange{
		{
			// close-ok, AMB-27
			name: "BODY-08/after-the-end",
			call: answer(nil, "a"),
			want: []string{"head 200 OK", "block a", "end", "close"},
		}, {
			name: "BODY-09/error-at-block-0",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				body := p.body()
				body.err = errBoom
				return body, nil
			},
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed"},
		}, {
			name: "BODY-09/error-at-block-1",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				body := p.body("a")
				body.err = errBoom
				return body, nil
			},
			want:    []string{"head 200 OK", "block a", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			name: "BODY-09/panic",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					panic("at the disco")
				}), nil
			},
			want:    []string{"head 200 OK", "block a", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			name:    "BODY-10/client-gone",
			request: request{failAt: 2},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				return p.steps("a", "b"), nil
			},
			want:    []string{"ask 1", "head 200 OK", "block a: failed", "stopped", "close"},
			reports: []string{"DEBUG client left"},
		}, {
			// AMB-35: cheroot does not close here.
			name: "BODY-13/never-started",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return p.body(), nil
			},
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed (SRV-07)"},
		}, {
			// AMB-36: the error wins, and the body is not iterated.
			name: "BODY-13/error-and-body",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				return p.steps("a"), errBoom
			},
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed"},
		}, {
			name: "BODY-14/error",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				body := p.body("a")
				body.close = func() error { return errBoom }
				return body, nil
			},
			want:    []string{"head 200 OK", "block a", "end", "close"},
			reports: []string{"ERROR closing the response body failed"},
		}, {
			name: "BODY-14/panic",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				body := p.body("a")
				body.close = func() error { panic("at the disco") }
				return body, nil
			},
			want:    []string{"head 200 OK", "block a", "end", "close"},
			reports: []string{"ERROR closing the response body failed"},
		}, {
			name: "BODY-14/error-after-a-cut",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				body := p.body("a")
				body.err, body.close = errBoom, func() error { return errBoom }
				return body, nil
			},
			want:    []string{"head 200 OK", "block a", "close"},
			reports: []string{"ERROR response cut", "ERROR closing the response body failed"},
		}, {
			// The iterator and the body are different objects; it is the body
			// that has to be closed.
			name: "BODY-12/the-returned-object",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				inner := p.body("a")
				return outer{p, inner}, nil
			},
			want: []string{"head 200 OK", "block a", "end", "outer close"},
		}, {
			// The response is over by the time of Close: whatever that tries
			// to add would come after the end.
			name: "SRV-10/write-in-close",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				body := p.body("a")
				body.close = func() error {
					n, err := write([]byte("more"))
					p.note("wrote %d", n)
					p.rule("write", err)
					_, err = start("200 Again", nil, nil)
					p.rule("start", err)
					return nil
				}
				return body, nil
			},
			want: []string{
				"head 200 OK", "block a", "end", "close", "wrote 0", "write: SRV-10", "start: SRV-10",
			},
		}, {
			name:    "SRV-10/write-in-close-of-head",
			request: request{method: "HEAD"},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				body := p.body("a")
				body.close = func() error {
					_, err := write([]byte("more"))
					p.rule("write", err)
					return nil
				}
				return body, nil
			},
			want: []string{"head 200 OK", "block ", "end", "close", "write: SRV-10"},
		}, {
			// Nothing was sent, so a head could still go out; but the
			// response has been given up.
			name: "SRV-10/repair-in-close",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				body := p.body()
				body.close = func() error {
					_, err := start("500 Sorry", nil, errBoom)
					p.rule("start", err)
					_, err = write([]byte("more"))
					p.note("refused: %t", err != nil)
					return nil
				}
				return body, errAbort
			},
			want: []string{"close", "start: SRV-10", "refused: true"},
		},
	})

	// A body that was told of its own failure cannot take it back.
	t.Run("BODY-23/no-repair-after-raising", func(t *testing.T) {
		got := request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			ok(start)
			return p.run(func(yield func([]byte, error) bool) {
				yield(nil, errBoom)
				if _, err := start("500 Sorry", nil, errBoom); err == nil {
					t.Error("start_response succeeded after the body had failed")
				}
			}), nil
		})
		if diff := cmp.Diff(join(failed, []string{"close"}), got.events); diff != "" {
			t.Error(diff)
		}
	})

	// A writer of net/http's kind may panic; where it does must make no difference.
	t.Run("ERR-13/panic-of-the-transport", func(t *testing.T) {
		for n := 1; n <= 3; n++ {
			for _, aborts := range []bool{false, true} {
				var value any = "at the disco"
				reports := []string{"ERROR response cut"}
				if aborts {
					value, reports = http.ErrAbortHandler, nil
				}
				got := request{adorn: func(w *wire) gateway.Transport { return panics{w, n, value} }}.serve(t, answer(nil, "a"))
				if got.err == nil || got.events[len(got.events)-1] != "close" {
					t.Errorf("call %d: Serve returned %v, events %q", n, got.err, got.events)
				}
				if diff := cmp.Diff(reports, got.reports); diff != "" {
					t.Errorf("call %d: reports (-want +got):\n%s", n, diff)
				}
			}
		}
	})

	// AMB-29
	t.Run("ERR-13/goexit", func(t *testing.T) {
		tests := []struct {
			name string
			call call
			want []string
		}{
			{"in-call", func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				runtime.Goexit()
				return nil, nil
			}, nil},
			{"in-body", func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					runtime.Goexit()
				}), nil
			}, []string{"head 200 OK", "block a", "close"}},
			{"in-close", func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				ok(start)
				body := p.body("a")
				body.close = func() error { runtime.Goexit(); return nil }
				return body, nil
			}, []string{"head 200 OK", "block a", "end", "close"}},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				record := new(recording)
				p := &probe{t: t, recording: record}
				var start wsgi.StartResponse
				returned := true
				exited := make(chan struct{})
				go func() {
					defer close(exited)
					returned = false
					request{}.serveApp(t, record, wsgi.AppFunc(func(_ *wsgi.Environ, s wsgi.StartResponse) (wsgi.Iterable, error) {
						start = s
						return tt.call(p, s)
					}))
					returned = true
				}()
				<-exited
				if returned {
					t.Error("Serve returned, expected the goroutine to exit")
				}
				if diff := cmp.Diff(tt.want, record.all()); diff != "" {
					t.Error(diff)
				}
				if _, err := start("200 OK", nil, nil); !errors.Is(err, &wsgi.ContractError{Rule: "SRV-10"}) {
					t.Errorf("start_response answers %v, expected SRV-10", err)
				}
			})
		}
	})
}

// panics is a wire that panics at the nth call.
type panics struct {
	*wire
	n     int
	value any
}

func (p panics) check() {
	if p.calls == p.n-1 {
		panic(p.value)
	}
}

func (p panics) Head(code int, status string, headers wsgi.Headers) error {
	p.check()
	return p.wire.Head(code, status, headers)
}

func (p panics) Block(block []byte) error { p.check(); return p.wire.Block(block) }
func (p panics) End() error               { p.check(); return p.wire.End() }

// An outer body iterates another one and does not close it.
type outer struct {
	p     *probe
	inner wsgi.Iterable
}

func (o outer) Blocks(yield func([]byte, error) bool) { o.inner.Blocks(yield) }
func (o outer) Close() error                          { o.p.note("outer close"); return nil }
