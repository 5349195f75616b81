package fastcgi

import (
	"bytes"
	"io"
	"strings"
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

// TestStdinBehindTheLength: what comes behind CONTENT_LENGTH is nobody's, and least
// of all the application's.
func TestStdinBehindTheLength(t *testing.T) {
	for _, tt := range []struct {
		name     string
		declared int64
		sent     []string
		want     string
	}{
		{"in the record of the last byte", 3, []string{"abcdef"}, "abc"},
		{"in a record of its own", 3, []string{"abc", "def"}, "abc"},
		{"nothing", 3, []string{"a", "bc"}, "abc"},
		{"of no length", -1, []string{"abc", "def"}, "abcdef"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStdin(tt.declared, 0, 0)
			for _, text := range tt.sent {
				s.put([]byte(text))
			}
			s.end()
			var got strings.Builder
			if _, err := io.Copy(&got, struct{ io.Reader }{s}); err != nil || got.String() != tt.want {
				t.Errorf("got %q and %v, expected %q", got.String(), err, tt.want)
			}
		})
	}
}
