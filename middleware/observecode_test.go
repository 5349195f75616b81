package middleware_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestObservationCode: what logs, metrics and traces say the client got.
func TestObservationCode(t *testing.T) {
	left, leave := context.WithCancel(t.Context())
	leave()
	echo := fmt.Errorf("writing: %w", context.Canceled)
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		o      middleware.Observation
		code   int
		failed bool
	}{
		{"answered", t.Context(), middleware.Observation{Status: "201 Created", Settled: true}, 201, false},
		{"answered, and failed then", t.Context(), middleware.Observation{Status: "200 OK", Settled: true, Err: errApp}, 200, true},
		{"answered, and the client left", left, middleware.Observation{Status: "200 OK", Settled: true, Err: echo}, 200, false},
		{"failed", t.Context(), middleware.Observation{Err: errApp}, 500, true},
		{"failed behind its status", t.Context(), middleware.Observation{Status: "200 OK", Err: errApp}, 500, true},
		{"failed when the client had left", left, middleware.Observation{Err: errApp}, 500, true},
		{"failed by somebody else's context", t.Context(), middleware.Observation{Err: context.Canceled}, 500, true},
		{"no status", t.Context(), middleware.Observation{}, 500, false},
		{"the client left, and the application says so", left, middleware.Observation{Status: "200 OK", Err: echo}, 0, false},
		{"the client left, and nobody took the body", left, middleware.Observation{Status: "200 OK", Stopped: true}, 0, false},
		{"nobody took the body", t.Context(), middleware.Observation{Status: "200 OK", Stopped: true}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Environ = wsgi.EnvironFromMap(nil).WithContext(tt.ctx)
			if code, failed := tt.o.Code(), tt.o.Failed(); code != tt.code || failed != tt.failed {
				t.Errorf("the client got %d, and the application has failed: %t; expected %d and %t", code, failed, tt.code, tt.failed)
			}
		})
	}
}
