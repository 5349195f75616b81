//go:build unix

package cgi

import (
	"context"
	"io"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
)

// TestDrainLate: what lies in the socket is read, for its end would be a reset
// otherwise, also when there is no time left to wait for more.
func TestDrainLate(t *testing.T) {
	near, far := socketPair(t)
	if _, err := near.Write(make([]byte, 64<<10)); err != nil {
		t.Fatal(err)
	}
	body, stuck := io.Pipe() // somebody else has it
	defer stuck.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	drain(ctx, body, far, adaptertest.Patience)
	far.Close()
	if b, err := io.ReadAll(near); len(b) > 0 || err != nil {
		t.Errorf("the web server gets %d bytes and %v, expected the end", len(b), err)
	}
}
