package gateway_test

import (
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayNoBody is about the responses that have no body on the wire:
// AMB-06 and AMB-30. The empty block makes the transport send the head as soon
// as the body would begin.
func TestGatewayNoBody(t *testing.T) {
	head := request{method: "HEAD"}
	start := func(status string, headers wsgi.Headers, blocks ...string) call {
		return func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start(status, headers, nil)
			return p.steps(blocks...), nil
		}
	}
	discarded := []string{"WARN response body was discarded (HTTP-16)"}
	runExchanges(t, []exchange{
		{
			name:    "HTTP-15/blocks",
			request: head,
			call:    start("200 OK", nil, "a", "b"),
			want:    []string{"ask 1", "head 200 OK", "block ", "ask 2", "end", "close"},
		}, {
			name:    "HTTP-15/empty",
			request: head,
			call:    start("200 OK", nil),
			want:    []string{"head 200 OK", "end", "close"},
		}, {
			name:    "HTTP-15/write",
			request: head,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				n, err := write([]byte("abc"))
				p.note("wrote %d, %v", n, err)
				return p.body(), nil
			},
			want: []string{"head 200 OK", "block ", "wrote 3, <nil>", "end", "close"},
		}, {
			name:    "HTTP-15/length-not-enforced",
			request: head,
			call:    start("200 OK", fields("Content-Length", "3"), "abcdef"),
			want:    []string{"ask 1", "head 200 OK; Content-Length: 3", "block ", "end", "close"},
		}, {
			name:    "HTTP-15/no-bytes-for-its-length",
			request: head,
			call:    start("200 OK", fields("Content-Length", "3")),
			want:    []string{"head 200 OK; Content-Length: 3", "end", "close"},
		}, {
			name:    "LEN-13/head-one-block",
			request: head,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Bytes([]byte("abc")), nil
			},
			want: []string{"head 200 OK", "block ", "end"},
		}, {
			name:    "HTTP-15/failed",
			request: head,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, errBoom
			},
			want:    []string{failed[0], "end"},
			reports: []string{"ERROR application failed"},
		}, {
			// A stream without end is not waited for.
			name:    "HTTP-15/endless",
			request: head,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					block := make([]byte, 64<<10)
					for range 1000 {
						if !yield(block, nil) {
							return
						}
					}
					p.t.Error("the body was not stopped")
				}), nil
			},
			want: []string{"head 200 OK", "block ", "end", "close"},
		}, {
			name:    "HTTP-15/endless-write",
			request: head,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				block := make([]byte, 64<<10)
				for range 1000 {
					if _, err := write(block); err != nil {
						return p.body(), err
					}
				}
				p.t.Error("write did not fail")
				return p.body(), nil
			},
			want: []string{"head 200 OK", "block ", "end", "close"},
		}, {
			name:    "HTTP-15/client-gone",
			request: request{method: "HEAD", failAt: 2},
			call:    start("200 OK", nil, "a", "b"),
			want:    []string{"ask 1", "head 200 OK", "block : failed", "stopped", "close"},
			reports: []string{"DEBUG client left"},
		}, {
			// An error in a body that nobody sees is an error all the same.
			name:    "HTTP-15/failed-late",
			request: head,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				body := p.body("a")
				body.err = errBoom
				return body, nil
			},
			want:    []string{"head 200 OK", "block ", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			name: "HTTP-16/204",
			call: start("204 No Content", fields("X", "1"), ""),
			want: []string{"ask 1", "head 204 No Content; X: 1", "end", "close"},
		}, {
			name:    "HTTP-16/204-body",
			call:    start("204 No Content", nil, "a", "b"),
			want:    []string{"ask 1", "head 204 No Content", "block ", "ask 2", "end", "close"},
			reports: discarded,
		}, {
			name: "LEN-13/204-length",
			call: start("204 No Content", fields("X", "1", "Content-Length", "0", "Y", "2")),
			want: []string{"head 204 No Content; X: 1; Y: 2", "end", "close"},
		}, {
			name: "LEN-13/204-one-block",
			call: func(p *probe, s wsgi.StartResponse) (wsgi.Iterable, error) {
				s("204 No Content", nil, nil)
				return wsgi.Bytes([]byte("a")), nil
			},
			want:    []string{"head 204 No Content", "block ", "end"},
			reports: discarded,
		}, {
			name:    "HTTP-16/304-body",
			call:    start("304 Not Modified", nil, "abc"),
			want:    []string{"ask 1", "head 304 Not Modified", "block ", "end", "close"},
			reports: discarded,
		}, {
			name: "LEN-13/304-keeps-the-application's",
			call: start("304 Not Modified", fields("Content-Length", "10")),
			want: []string{"head 304 Not Modified; Content-Length: 10", "end", "close"},
		}, {
			name: "LEN-13/304-none-added",
			call: start("304 Not Modified", nil),
			want: []string{"head 304 Not Modified", "end", "close"},
		}, {
			// A 204 that an error page replaces has a body again.
			name: "HTTP-16/204-replaced",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("204 No Content", nil, nil)
				start("500 Sorry", nil, errBoom)
				return p.body("sorry"), nil
			},
			want: []string{"head 500 Sorry", "block sorry", "end", "close"},
		},
	})
	// SRV-12: the method is the request's, not what the environ says by then.
	t.Run("HTTP-15/environ-says-get", func(t *testing.T) {
		got := request{method: "HEAD"}.serve(t, func(p *probe, s wsgi.StartResponse) (wsgi.Iterable, error) {
			p.environ.Set("REQUEST_METHOD", "GET")
			return start("200 OK", nil, "a")(p, s)
		})
		if events := strings.Join(got.events, "\n"); strings.Contains(events, "block a") {
			t.Errorf("a body was sent:\n%s", events)
		}
	})
}
