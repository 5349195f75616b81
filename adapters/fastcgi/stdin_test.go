package fastcgi

import (
	"bytes"
	"io"
	"testing"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
)

// TestStdinWakes passes bodies of many times the buffer from one goroutine to
// another: each of the two waits for the other all the time, and a word that
// the wrong one takes leaves both waiting.
func TestStdinWakes(t *testing.T) {
	block := bytes.Repeat([]byte("x"), mostBuffered+1)
	for range 1000 {
		s := newStdin(int64(4*len(block)), 0, adaptertest.Patience)
		go func() {
			for range 4 {
				s.put(block)
			}
		}()
		n, err := io.Copy(io.Discard, struct{ io.Reader }{s})
		if err != nil || n != s.declared {
			t.Fatalf("%d bytes came and then %v; expected %d and the end", n, err, s.declared)
		}
	}
}
