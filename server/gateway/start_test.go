package gateway_test

import (
	"errors"
	"io/fs"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

var errBoom = errors.New("boom")

// TestGatewayStart is about start_response: when it may be called, what it
// stores, and what replaces it.
func TestGatewayStart(t *testing.T) {
	runExchanges(t, []exchange{
		{
			// Covers: START-01, START-02
			name: "START-02/returns-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, err := start("200 OK", nil, nil)
				p.note("write is nil: %t, error: %v", write == nil, err)
				write, err = start("200 OK", nil, errBoom)
				p.note("write is nil: %t, error: %v", write == nil, err)
				return p.body(), nil
			},
			want: []string{
				"write is nil: false, error: <nil>", "write is nil: false, error: <nil>",
				"head 200 OK; Content-Length: 0", "end", "close",
			},
		}, {
			// Covers: START-04, START-05
			name: "START-06/lazy-start",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return p.run(func(yield func([]byte, error) bool) {
					if _, err := start("201 Created", fields("X-Late", "1"), nil); err != nil {
						yield(nil, err)
						return
					}
					yield([]byte("late"), nil)
				}), nil
			},
			want: []string{"head 201 Created; X-Late: 1", "block late", "end", "close"},
		}, {
			// AMB-01: nothing was said yet, so nothing is wrong yet.
			name: "START-04/empty-first",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return p.run(func(yield func([]byte, error) bool) {
					p.note("more: %t", yield(nil, nil))
					p.note("more: %t", yield([]byte{}, nil))
					start("200 OK", nil, nil)
					yield([]byte("a"), nil)
				}), nil
			},
			want: []string{"more: true", "more: true", "head 200 OK", "block a", "end", "close"},
		}, {
			name: "START-07/delay-headers",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				p.note("started")
				return p.steps("a"), nil
			},
			want: []string{"started", "ask 1", "head 200 OK", "block a", "end", "close"},
		}, {
			// AMB-03. Covers: LEN-15
			name: "START-08/empty-flush",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.steps("", "", "a"), nil
			},
			want: []string{"ask 1", "ask 2", "ask 3", "head 200 OK", "block a", "end", "close"},
		}, {
			name: "START-09/empties-only",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.steps("", "", "", "", ""), nil
			},
			want: []string{
				"ask 1", "ask 2", "ask 3", "ask 4", "ask 5",
				"head 200 OK; Content-Length: 0", "end", "close",
			},
		}, {
			// The exception for an explicit length of zero is not used: an
			// error handler can still replace the head.
			name: "START-10/zero-length-waits",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "0"), nil)
				_, err := start("500 Sorry", nil, errBoom)
				p.rule("start", err)
				return p.body("sorry"), nil
			},
			want: []string{"start: ok", "head 500 Sorry", "block sorry", "end", "close"},
		}, {
			// AMB-04, double.
			name: "START-19/double",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				_, err := start("200 Again", nil, nil)
				p.rule("start", err)
				return nil, err
			},
			want:    join([]string{"start: START-19"}, failed),
			reports: []string{"ERROR application failed (START-19)"},
		}, {
			name: "START-19/double-repaired",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				_, err := start("200 Again", nil, nil)
				p.rule("start", err)
				_, err = start("500 Sorry", nil, err)
				p.rule("start", err)
				return p.body("sorry"), nil
			},
			want: []string{"start: START-19", "start: ok", "head 500 Sorry", "block sorry", "end", "close"},
		}, {
			name: "START-19/double-after-head",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					_, err := start("200 Again", nil, nil)
					p.rule("start", err)
					p.note("more: %t", yield([]byte("b"), nil))
				}), nil
			},
			want:    []string{"head 200 OK", "block a", "start: START-19", "more: false", "close"},
			reports: []string{"ERROR response cut (START-19)"},
		}, {
			// retry-bad: the refused call was a call. Covers: START-22, START-23
			name: "START-20/retry-bad",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", fields("Bad Name", "1"), nil)
				p.rule("start", err)
				_, err = start("200 OK", nil, nil)
				p.rule("start", err)
				_, err = start("500 Sorry", nil, errBoom)
				p.rule("start", err)
				return p.body("sorry"), nil
			},
			want: []string{
				"start: HDR-09", "start: START-19", "start: ok",
				"head 500 Sorry", "block sorry", "end", "close",
			},
		}, {
			name: "START-23/bad-exc-first",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("bad", nil, errBoom)
				p.rule("start", err)
				_, err = start("200 OK", nil, nil)
				p.rule("start", err)
				return nil, err
			},
			want:    join([]string{"start: HDR-01", "start: START-19"}, failed),
			reports: []string{"ERROR application failed (START-19)"},
		}, {
			name: "START-20/bad-exc-fails-a-good-start",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				_, err := start("500 Sorry", fields("Connection", "close"), errBoom)
				p.rule("start", err)
				return p.body("a"), nil
			},
			want:    join([]string{"start: HDR-13"}, failed, []string{"close"}),
			reports: []string{"ERROR application failed (HDR-13)"},
		}, {
			name: "START-24/exc-first",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("500 Sorry", nil, errBoom)
				p.rule("start", err)
				return p.body("sorry"), nil
			},
			want: []string{"start: ok", "head 500 Sorry", "block sorry", "end", "close"},
		}, {
			// AMB-37: nil is none.
			name: "START-25/excinfo-nil",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				var none error
				_, err := start("200 OK", nil, none)
				p.rule("start", err)
				_, err = start("200 OK", nil, none)
				p.rule("start", err)
				return nil, err
			},
			want:    join([]string{"start: ok", "start: START-19"}, failed),
			reports: []string{"ERROR application failed (START-19)"},
		}, {
			// AMB-37: and what is not nil is one, even a pointer that is. It
			// has no text, and so is a panic to whoever asks.
			name: "START-25/excinfo-typed-nil",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				var none *fs.PathError
				_, err := start("500 Sorry", nil, none)
				p.rule("start", err)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("sorry"), nil)
					_, err := start("500 Sorry", nil, none)
					p.note("start refused: %t", err != nil)
				}), nil
			},
			want: []string{
				"start: ok", "head 500 Sorry", "block sorry", "start refused: true", "close",
			},
			reports: []string{"ERROR response cut"},
		}, {
			// hdr-mutate. Covers: HDR-07
			name: "START-27/mutated-afterwards",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				headers := make(wsgi.Headers, 1, 4)
				headers[0] = wsgi.Header{Name: "X-A", Value: "1"}
				start("200 OK", headers, nil)
				headers[0].Value = "forged\r\nX-Injected: 1"
				headers.Add("X-Late", "1")
				return p.body("a"), nil
			},
			want: []string{"head 200 OK; X-A: 1", "block a", "end", "close"},
		}, {
			name: "START-27/setting-a-length-spares-the-list",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				headers := make(wsgi.Headers, 1, 4)
				headers[0] = wsgi.Header{Name: "X-A", Value: "1"}
				start("204 No Content", headers, nil)
				start("200 OK", headers, errBoom)
				return p.run(func(func([]byte, error) bool) { p.note("%q", []wsgi.Header(headers[:2])) }), nil
			},
			want: []string{`[{"X-A" "1"} {"" ""}]`, "head 200 OK; X-A: 1; Content-Length: 0", "end", "close"},
		}, {
			// AMB-15: both address the response as it is now.
			name: "START-28/superseded-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				first, _ := start("200 OK", fields("X-Old", "1"), nil)
				second, _ := start("500 Sorry", fields("X-New", "1"), errBoom)
				first([]byte("a"))
				second([]byte("b"))
				return p.body(), nil
			},
			want: []string{"head 500 Sorry; X-New: 1", "block a", "block b", "end", "close"},
		},
	})
}
