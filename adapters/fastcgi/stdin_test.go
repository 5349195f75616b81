package fastcgi

import (
	"bytes"
	"io"
	"testing"
	"testing/synctest"

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

// TestStdinIsBounded: so much is read ahead of the application, and then the web
// server waits.
func TestStdinIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStdin(-1, 0, 0)
		done := false
		go func() {
			s.put(make([]byte, 3*mostBuffered))
			done = true
		}()
		for left := 3 * mostBuffered; left > 0; {
			synctest.Wait()
			if n := len(s.buffer) - s.start; n > mostBuffered || done != (left <= mostBuffered) {
				t.Fatalf("with %d bytes to come %d are in memory, and all were taken: %t", left, n, done)
			}
			n, err := s.Read(make([]byte, mostBuffered))
			if left -= n; err != nil {
				t.Fatal(err)
			}
		}
	})
}
