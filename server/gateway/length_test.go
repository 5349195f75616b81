package gateway_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayLength is about Content-Length: how it binds the body, and when
// the gateway states one.
func TestGatewayLength(t *testing.T) {
	const tooLong = "WARN response is longer than its Content-Length (LEN-01)"
	runExchanges(t, []exchange{
		{
			// cl-long, AMB-09. Covers: LEN-02, BODY-16
			name: "LEN-01/clipped",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "5"), nil)
				return p.steps("abc", "defgh", "never"), nil
			},
			want: []string{
				"ask 1", "head 200 OK; Content-Length: 5", "block abc", "ask 2", "block de", "stopped", "end", "close",
			},
			reports: []string{tooLong},
		}, {
			name: "LEN-02/stops",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "3"), nil)
				return p.steps("abc", "d", "never"), nil
			},
			want: []string{
				"ask 1", "head 200 OK; Content-Length: 3", "block abc", "ask 2", "stopped", "end", "close",
			},
			reports: []string{tooLong},
		}, {
			name: "LEN-02/deaf-body",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "3"), nil)
				return p.run(func(yield func([]byte, error) bool) {
					for range 3 {
						p.note("more: %t", yield([]byte("abcd"), nil))
					}
				}), nil
			},
			want: []string{
				"head 200 OK; Content-Length: 3", "block abc",
				"more: false", "more: false", "more: false", "end", "close",
			},
			reports: []string{tooLong},
		}, {
			name: "LEN-01/exact",
			call: answer(fields("Content-Length", "5"), "abc", "de", ""),
			want: []string{"head 200 OK; Content-Length: 5", "block abc", "block de", "end", "close"},
		}, {
			name: "LEN-01/zero",
			call: answer(fields("Content-Length", "0"), "abc"),
			want: []string{"head 200 OK; Content-Length: 0", "end", "close"},
			reports: []string{
				tooLong,
			},
		}, {
			// The overflow is one fault, the application's error another: what
			// the client has may be complete, but that is for it to judge.
			name: "LEN-01/and-an-error",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Length", "3"), nil)
				write([]byte("abcd"))
				return p.body(), errBoom
			},
			want:    []string{"head 200 OK; Content-Length: 3", "block abc", "close"},
			reports: []string{tooLong, "ERROR response cut"},
		}, {
			name: "LEN-03/write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Length", "5"), nil)
				for _, block := range []string{"abc", "defgh", "never"} {
					n, err := write([]byte(block))
					p.note("wrote %d", n)
					p.rule("write", err)
				}
				return p.body(), nil
			},
			want: []string{
				"head 200 OK; Content-Length: 5", "block abc", "wrote 3", "write: ok",
				"block de", "wrote 2", "write: LEN-03", "wrote 0", "write: LEN-03", "end", "close",
			},
			reports: []string{tooLong},
		}, {
			name: "LEN-03/error-passed-on",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Length", "2"), nil)
				_, err := write([]byte("abc"))
				return nil, err
			},
			want:    []string{"head 200 OK; Content-Length: 2", "block ab", "end"},
			reports: []string{tooLong},
		}, {
			// cl-short, AMB-10
			name:    "LEN-04/short",
			call:    answer(fields("Content-Length", "20"), "abcde"),
			want:    []string{"head 200 OK; Content-Length: 20", "block abcde", "close"},
			reports: []string{"ERROR response cut (LEN-04)"},
		}, {
			name: "LEN-04/short-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Length", "20"), nil)
				write([]byte("abcde"))
				return p.body(), nil
			},
			want:    []string{"head 200 OK; Content-Length: 20", "block abcde", "close"},
			reports: []string{"ERROR response cut (LEN-04)"},
		}, {
			name:    "LEN-04/nothing",
			call:    answer(fields("Content-Length", "20")),
			want:    []string{"head 200 OK; Content-Length: 20", "block ", "close"},
			reports: []string{"ERROR response cut (LEN-04)"},
		}, {
			// list-1, AMB-25. Covers: BODY-07
			name: "LEN-06/one-block",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return sized{p.body("abc"), 1}, nil
			},
			want: []string{"head 200 OK; Content-Length: 3", "block abc", "end", "close"},
		}, {
			name: "LEN-06/bytes",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Bytes([]byte("abc")), nil
			},
			want: []string{"head 200 OK; Content-Length: 3", "block abc", "end"},
		}, {
			name: "LEN-06/empty-bytes",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Bytes(nil), nil
			},
			want: []string{"head 200 OK; Content-Length: 0", "end"},
		}, {
			name: "LEN-06/the-application's-wins",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("Content-Length", "3"), nil)
				return wsgi.Bytes([]byte("abc")), nil
			},
			want: []string{"head 200 OK; Content-Length: 3", "block abc", "end"},
		}, {
			name: "LEN-06/unsized",
			call: answer(nil, "abc"),
			want: []string{"head 200 OK", "block abc", "end", "close"},
		}, {
			name: "LEN-06/two-blocks",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Strings("abc", "de"), nil
			},
			want: []string{"head 200 OK", "block abc", "block de", "end"},
		}, {
			name: "LEN-06/lazy-start",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return sized{p.run(func(yield func([]byte, error) bool) {
					start("200 OK", nil, nil)
					yield([]byte("abc"), nil)
				}), 1}, nil
			},
			want: []string{"head 200 OK; Content-Length: 3", "block abc", "end", "close"},
		}, {
			// len-lie, AMB-26
			name: "LEN-06/lie",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return sized{p.steps("abc", "def", "ghi"), 1}, nil
			},
			want: []string{
				"ask 1", "head 200 OK; Content-Length: 3", "block abc", "ask 2", "stopped", "end", "close",
			},
			reports: []string{tooLong},
		}, {
			name: "LEN-06/panic",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return panickyLen{p.body("abc")}, nil
			},
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed"},
		}, {
			// Covers: BODY-21
			name: "LEN-15/empties",
			call: answer(nil, "", "a", "", "b", ""),
			want: []string{"head 200 OK", "block a", "block b", "end", "close"},
		}, {
			name: "LEN-12/empty",
			call: answer(nil),
			want: []string{"head 200 OK; Content-Length: 0", "end", "close"},
		}, {
			name: "LEN-12/sized-empty",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Empty(), nil
			},
			want: []string{"head 200 OK; Content-Length: 0", "end"},
		},
	})
}

type panickyLen struct{ *probeBody }

func (panickyLen) Len() int { panic("len") }
