package gateway_test

import (
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"testing"

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
			// AMB-29
			name:    "ERR-13/runtime-error",
			call:    raise(func() error { var m map[string]int; m["a"] = 1; return nil }), //lint:ignore SA5000 it shall panic
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
			// AMB-29: this panic is a wish, and nobody is told.
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
