package gateway_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayHints is about wsgi.early_hints.
func TestGatewayHints(t *testing.T) {
	hints := request{adorn: func(w *wire) gateway.Transport { return hintWire{w} }}
	failing := hints
	failing.failAt = 1
	hint := func(p *probe, headers wsgi.Headers) {
		send, ok := p.environ.Get("wsgi.early_hints").(func(wsgi.Headers) error)
		if !ok {
			p.t.Fatalf("wsgi.early_hints is a %T", p.environ.Get("wsgi.early_hints"))
		}
		p.rule("hint", send(headers))
	}
	runExchanges(t, []exchange{
		{
			name:    "COM-12/before-the-head",
			request: hints,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				hint(p, fields("Link", "</a>"))
				start("200 OK", fields("X", "1"), nil)
				hint(p, fields("Link", "</b>"))
				return p.body("a"), nil
			},
			want: []string{
				"hint 103; Link: </a>", "hint: ok", "hint 103; Link: </b>", "hint: ok",
				"head 200 OK; X: 1", "block a", "end", "close",
			},
		}, {
			name:    "COM-12/same-validation",
			request: hints,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				hint(p, fields("Link", "a\r\nb"))
				hint(p, fields("Bad Name", "a"))
				hint(p, fields("Connection", "a"))
				start("200 OK", nil, nil)
				return p.body("a"), nil
			},
			want: []string{"hint: HDR-11", "hint: HDR-09", "hint: HDR-13", "head 200 OK", "block a", "end", "close"},
		}, {
			name:    "COM-12/ignored-after-the-head",
			request: hints,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("a"))
				hint(p, fields("Link", "</a>"))
				return p.body(), nil
			},
			want: []string{"head 200 OK", "block a", "hint: ok", "end", "close"},
		}, {
			name:    "COM-12/refused-when-over",
			request: hints,
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				body := p.body()
				body.close = func() error { hint(p, fields("Link", "</a>")); return nil }
				return body, errAbort
			},
			want: []string{"close", "hint: SRV-10"},
		},
	})
	t.Run("COM-12/client-gone", func(t *testing.T) {
		got := failing.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			send := p.environ.Get("wsgi.early_hints").(func(wsgi.Headers) error)
			if err := send(fields("Link", "</a>")); err == nil {
				t.Error("the hint reached a client that is gone")
			}
			start("200 OK", nil, nil)
			return p.body("a"), nil
		})
		if diff := cmp.Diff([]string{"hint 103; Link: </a>: failed", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})
}
