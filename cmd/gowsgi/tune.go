package main

import (
	"os"
	"runtime"
	"runtime/debug"
)

// A garbage collection of a heap as small as that of serve costs little memory
// to put off: at 4 MiB, Go's least, a busy server collects many times a second.
const collectAt = 400 // percent; 16 MiB at the least

// tune sets what Go's runtime has by default for programs of another kind.
// Whoever sets GOGC or GOMAXPROCS has the last word.
//
// Where all that serve does is to hand requests to Python, most of the work is
// done in the workers. Half of the processors are then enough for Go, and with
// all of them it takes longer over each request: its threads keep waking each
// other up for work that one of them could do, on processors that the workers
// want.
func (c *config) tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	if os.Getenv("GOMAXPROCS") == "" && len(c.pools) == 1 && len(c.mounts) == 0 && c.tlsCert == "" {
		runtime.GOMAXPROCS((runtime.GOMAXPROCS(0) + 1) / 2)
	}
}
