//go:build unix

package cgi

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/internal/adaptertest"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestClientEndsProgram: a program that is not wanted any more is told to end, and
// made to when it does not listen.
func TestClientEndsProgram(t *testing.T) {
	const goesOn = "printf 'Content-Type: text/x\\n\\nbegun\\n'\nwhile :; do sleep 0.05; done"
	for _, tt := range []struct {
		name, lines string
		told        bool // it gets to its own end
	}{
		{"listens", "trap 'echo told > told; exit 0' TERM\n" + goesOn, true},
		{"does not listen", "trap '' TERM\n" + goesOn, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // one waits for seconds that must pass
			path := shell(t, "echo $$ > pid\n"+tt.lines)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			c := &Client{Path: path, Logger: adaptertest.Silent}
			answer, err := c.Call(wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET"}).WithContext(ctx),
				func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "pid"))
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			closed := make(chan bool)
			go func() {
				defer close(closed)
				for range answer.Blocks {
					cancel()
				}
				answer.Close()
			}()
			select {
			case <-closed:
			case <-time.After(2 * adaptertest.Patience):
				t.Error("the program goes on")
				if p, err := os.FindProcess(pid); err == nil {
					p.Kill()
				}
				<-closed
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), "told")); (err == nil) != tt.told {
				t.Errorf("the program has ended itself: %t, expected %t", err == nil, tt.told)
			}
		})
	}
}
