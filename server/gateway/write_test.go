package gateway_test

import (
	"fmt"
	"io"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayWrite is about the write callable.
func TestGatewayWrite(t *testing.T) {
	runExchanges(t, []exchange{
		{
			// AMB-16: write is no stub. Covers: WRITE-03, WRITE-07
			name: "WRITE-09/written-before-yielded",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("one"))
				write([]byte("two"))
				return p.body("three"), nil
			},
			want: []string{"head 200 OK", "block one", "block two", "block three", "end", "close"},
		}, {
			// Covers: WRITE-04
			name: "WRITE-10/sends-at-once",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				p.note("started")
				n, err := write([]byte("one"))
				p.note("wrote %d, %v", n, err)
				return p.body(), nil
			},
			want: []string{"started", "head 200 OK", "block one", "wrote 3, <nil>", "end", "close"},
		}, {
			name: "WRITE-06/write-only",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				fmt.Fprintf(write, "%d", 42)
				return wsgi.Empty(), nil
			},
			want: []string{"head 200 OK", "block 42", "end"},
		}, {
			// AMB-02, write-empty-exc
			name: "WRITE-10/empty-commits",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				n, err := write(nil)
				p.note("wrote %d, %v", n, err)
				_, err = start("500 Sorry", nil, errBoom)
				p.rule("start", err)
				return nil, err
			},
			want: []string{
				"head 200 OK", "block ", "wrote 0, <nil>",
				"start: the response head is already sent: boom",
			},
			reports: []string{"ERROR response cut"},
		}, {
			name: "WRITE-12/one-block-after-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("one"))
				return wsgi.Bytes([]byte("two")), nil
			},
			want: []string{"head 200 OK", "block one", "block two", "end"},
		}, {
			name: "WRITE-12/sized-after-write",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write(nil)
				return sized{p.body("two"), 1}, nil
			},
			want: []string{"head 200 OK", "block ", "block two", "end", "close"},
		}, {
			name: "WRITE-03/length-counts-both",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", fields("Content-Length", "5"), nil)
				write([]byte("abc"))
				return p.steps("def", "never"), nil
			},
			want: []string{
				"head 200 OK; Content-Length: 5", "block abc", "ask 1", "block de", "stopped", "end", "close",
			},
			reports: []string{"WARN response is longer than its Content-Length (LEN-01)"},
		}, {
			// write-in-iter, AMB-14: tolerated, in order of arrival.
			name: "WRITE-08/inside-the-body",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					write([]byte("W"))
					yield([]byte("b"), nil)
				}), nil
			},
			want: []string{"head 200 OK", "block a", "block W", "block b", "end", "close"},
		}, {
			name: "WRITE-08/before-the-one-block",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				return sized{p.run(func(yield func([]byte, error) bool) {
					write([]byte("W"))
					yield([]byte("b"), nil)
				}), 1}, nil
			},
			want: []string{"head 200 OK", "block W", "block b", "end", "close"},
		}, {
			name:    "WRITE-11/client-gone",
			request: request{failAt: 3},
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				for range 3 {
					n, err := write([]byte("a"))
					p.note("wrote %d, gone: %t", n, err != nil)
				}
				return p.steps("b"), nil
			},
			want: []string{
				"head 200 OK", "block a", "wrote 1, gone: false", "block a: failed", "wrote 0, gone: true",
				"wrote 0, gone: true", "ask 1", "stopped", "close",
			},
			reports: []string{"DEBUG client left"},
		}, {
			name: "WRITE-01/io.Writer",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				n, err := io.WriteString(write, "abc")
				p.note("wrote %d, %v", n, err)
				return p.body(), nil
			},
			want: []string{"head 200 OK", "block abc", "wrote 3, <nil>", "end", "close"},
		}, {
			// A refused second start takes write away with it (table: F).
			name: "ERR-16/write-after-a-refusal",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				start("200 Again", nil, nil)
				n, err := write([]byte("a"))
				p.note("wrote %d", n)
				p.rule("write", err)
				return p.body(), nil
			},
			want:    join([]string{"wrote 0", "write: START-19"}, failed, []string{"close"}),
			reports: []string{"ERROR application failed (START-19)"},
		},
	})
}
