package main

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/python"
)

// TestTune: serve takes half of the processors only where the rest of the work
// is Python's, and nothing where the deployer has said something.
func TestTune(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	hosted := []*hosted{{pool: new(python.Pool)}}
	for _, test := range []struct {
		name             string
		config           config
		gogc, processors string
		wantGC, want     int
	}{
		{"an application of Go", config{}, "", "", collectAt, 4},
		{"one of Python", config{pools: hosted}, "", "", collectAt, 2},
		{"and others beside it", config{pools: hosted, mounts: make([]mounted, 1)}, "", "", collectAt, 4},
		{"with TLS", config{pools: hosted, tlsCert: "cert.pem"}, "", "", collectAt, 4},
		{"GOMAXPROCS is set", config{pools: hosted}, "", "4", collectAt, 4},
		{"GOGC is set", config{pools: hosted}, "100", "", 100, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("GOGC", test.gogc)
			t.Setenv("GOMAXPROCS", test.processors)
			runtime.GOMAXPROCS(4)
			debug.SetGCPercent(100)
			test.config.tune()
			if got := runtime.GOMAXPROCS(0); got != test.want {
				t.Errorf("%d processors, want %d", got, test.want)
			}
			if got := debug.SetGCPercent(100); got != test.wantGC {
				t.Errorf("GOGC is %d, want %d", got, test.wantGC)
			}
		})
	}
}
