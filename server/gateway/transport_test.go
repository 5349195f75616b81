package gateway_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayTransport lets the client leave at each call of the transport, in
// turn, under applications of every kind. Wherever it is: nothing is called
// after the failure, the body is closed once, and no fault of the application
// is reported.
//
// Covers: BODY-10, BODY-11, ERR-15
func TestGatewayTransport(t *testing.T) {
	file := func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return parts{p, open(t, "0123456789"), 5}, nil
	}
	hints := func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		hint := p.environ.Get("wsgi.early_hints").(func(wsgi.Headers) error)
		hint(nil)
		hint(nil)
		start("200 OK", nil, nil)
		return p.body("a"), nil
	}
	writes := func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, _ := start("200 OK", nil, nil)
		for range 3 {
			if _, err := write([]byte("w")); err != nil {
				return p.body("b"), err
			}
		}
		return p.body("a"), nil
	}
	lengths := func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", fields("Content-Length", "5"), nil)
		return p.body("abc", "de"), nil
	}
	tests := []struct {
		name  string
		call  call
		calls int // of the transport when nothing fails
		adorn func(*wire) gateway.Transport
	}{
		{"ERR-15/empty", answer(nil), 2, nil},
		{"ERR-15/blocks", answer(nil, "a", "b", "c"), 5, nil},
		{"ERR-15/length", lengths, 4, nil},
		{"ERR-15/write", writes, 6, nil},
		{"ERR-15/files", file, 5, func(w *wire) gateway.Transport { return fileWire{w} }},
		{"ERR-15/files-as-blocks", file, 5, nil},
		{"ERR-15/hints", hints, 5, func(w *wire) gateway.Transport { return hintWire{w} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for n := 1; n <= tt.calls+1; n++ {
				t.Run(fmt.Sprint(n), func(t *testing.T) {
					got := request{failAt: n, adorn: tt.adorn}.serve(t, tt.call)
					if closed := slices.Index(got.events, "close"); closed != len(got.events)-1 {
						t.Errorf("close is event %d of %q, expected the last and only one", closed, got.events)
					}
					if n > tt.calls {
						if got.err != nil || len(got.reports) > 0 {
							t.Errorf("Serve returned %v and reported %q, though nothing failed", got.err, got.reports)
						}
						return
					}
					if !errors.Is(got.err, errWire) {
						t.Errorf("Serve returned %v, expected the transport's error", got.err)
					}
					if reports := strings.Join(got.reports, "\n"); reports != "DEBUG client left" {
						t.Errorf("reported %q", reports)
					}
				})
			}
		})
	}
}
