package main

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestTraffic counts requests by what became of them.
func TestTraffic(t *testing.T) {
	left, leave := context.WithCancel(t.Context())
	leave()
	for _, test := range []struct {
		name  string
		seen  middleware.Observation
		class int
	}{
		{"a response", middleware.Observation{Status: "204 No Content", Settled: true}, 2},
		{"a failure after the head", middleware.Observation{Status: "200 OK", Settled: true, Err: errors.New("failed")}, 2},
		{"a failure", middleware.Observation{Err: errors.New("failed")}, 5},
		{"a failure before the head was sent", middleware.Observation{Status: "200 OK", Err: errors.New("failed")}, 5},
		{"no response", middleware.Observation{}, 5},
		{"a status that is none", middleware.Observation{Status: "199 Odd", Settled: true}, 5},
		{"a client that left", middleware.Observation{Stopped: true}, 4},
		{"a client that left, of which the application has heard", middleware.Observation{Err: left.Err()}, 4},
		{"a client that left when all had failed", middleware.Observation{Err: errors.New("failed")}, 5},
	} {
		t.Run(test.name, func(t *testing.T) {
			tr := new(traffic)
			tr.inFlight.Add(1)
			o := test.seen
			o.Environ = wsgi.EnvironFromMap(map[string]any{}).WithContext(left)
			o.Began = time.Now().Add(-time.Hour)
			tr.finish(&o)
			for class := range tr.codes {
				want := int64(0)
				if class == test.class {
					want = 1
				}
				if got := tr.codes[class].Load(); got != want {
					t.Errorf("of the class %d there are %d, want %d", class, got, want)
				}
			}
			if n := tr.inFlight.Load(); n != 0 {
				t.Errorf("%d are in flight, want none", n)
			}
			if n := tr.within[len(bounds)].Load(); n != 1 || tr.within[0].Load() != 0 {
				t.Errorf("an hour is not above all bounds")
			}
			if sum := time.Duration(tr.nanos.Load()); sum < time.Hour {
				t.Errorf("the sum is %v, want an hour", sum)
			}
		})
	}
}

// TestBounds puts a request into the bucket of its time.
func TestBounds(t *testing.T) {
	tr := new(traffic)
	tr.finish(&middleware.Observation{Environ: wsgi.EnvironFromMap(nil), Began: time.Now().Add(time.Hour)}) // which is to come: none
	if n := tr.within[0].Load(); n != 1 {
		t.Errorf("%d are in the first bucket, want 1", n)
	}
}
