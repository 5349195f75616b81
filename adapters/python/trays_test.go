//go:build linux

package python_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestTrays: each client gets what is its own, however large blocks come and whoever
// else is served, and in the end all trays are free.
func TestTrays(t *testing.T) {
	for _, threads := range []int{1, 3} {
		c := config(t)
		c.Processes, c.Threads = 2, threads
		s := open(t, c)
		var clients sync.WaitGroup
		for i := range 8 {
			letter := string(rune('a' + i))
			clients.Go(func() {
				for _, way := range []string{"listed", "stated", "once", "blocks", "written"} {
					for _, size := range []int{9 << 10, 100 << 10, 256 << 10, 300 << 10, 1 << 20, 1<<20 + 1, 5 << 20} {
						path := fmt.Sprintf("/raw/marked?%d,%s,%s", size, letter, way)
						if a := s.get(path); a.status != 200 || a.err != nil || a.body != strings.Repeat(letter, size) {
							t.Errorf("%s: got %d, %d bytes, of which %d are right, %v", path, a.status, len(a.body), strings.Count(a.body, letter), a.err)
						}
					}
				}
			})
		}
		clients.Wait()
		eventually(t, "all trays are free", func() bool { made, taken := s.pool.Trays(); return made == 2*16 && taken == 0 })
		if stats := s.pool.Stats(); stats.Restarts != 0 {
			t.Errorf("%+v: workers ended", stats)
		}
	}
}

// TestOnce: a body that says that it has one block has a length, however large that
// block is.
func TestOnce(t *testing.T) {
	s := open(t, config(t))
	for range 2 { // the first head of a worker is asked about
		for _, size := range []int{1, 100 << 10, 300 << 10, 3 << 20} {
			path := fmt.Sprintf("/raw/marked?%d,x,once", size)
			if a := s.get(path); a.status != 200 || len(a.body) != size || a.header.Get("Content-Length") != fmt.Sprint(size) || a.err != nil {
				t.Errorf("%s: got %d, %d bytes, Content-Length %q, %v", path, a.status, len(a.body), a.header.Get("Content-Length"), a.err)
			}
		}
	}
}

// TestTraysOutlive: what a worker has left on trays is sent when it is dead, and is
// not written over by the next one.
func TestTraysOutlive(t *testing.T) {
	s := open(t, config(t))
	const size = 1 << 20
	var slow []*http.Response
	for i := range 8 { // which is twice as much as there are trays for
		response, err := http.Get(fmt.Sprintf("%s/raw/marked?%d,%c,listed", s.url, size, 'a'+i))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		slow = append(slow, response)
	}
	eventually(t, "the worker has no request any more", func() bool { return s.pool.Stats().Busy == 0 })
	syscall.Kill(s.pool.Stats().PIDs[0], syscall.SIGKILL)
	eventually(t, "it is replaced", func() bool { stats := s.pool.Stats(); return stats.Restarts == 1 && stats.Workers == 1 })
	for range 8 {
		s.want(fmt.Sprintf("/raw/marked?%d,Z,listed", size), 200, strings.Repeat("Z", size))
	}
	for i, response := range slow {
		letter := string(rune('a' + i))
		body, err := io.ReadAll(response.Body)
		if string(body) != strings.Repeat(letter, size) || err != nil {
			t.Errorf("%s: got %d bytes, of which %d are right, %v", letter, len(body), strings.Count(string(body), letter), err)
		}
	}
	eventually(t, "the memory of the dead worker is given back", func() bool {
		maps, err := os.ReadFile("/proc/self/maps")
		return err == nil && strings.Count(string(maps), "memfd:gowsgi trays") == 1
	})
	if made, taken := s.pool.Trays(); made != 16 || taken != 0 {
		t.Errorf("%d of %d trays are taken, want none of 16", taken, made)
	}
}

// TestNoTrays: where there is no memory of that kind blocks go by the lane.
func TestNoTrays(t *testing.T) {
	c := config(t)
	c.App = "testdata/apps.py:without_trays()"
	s := open(t, c)
	for _, size := range []int{100 << 10, 1 << 20, 5 << 20} {
		s.want(fmt.Sprintf("/raw/marked?%d,x,stated", size), 200, strings.Repeat("x", size))
	}
	if made, _ := s.pool.Trays(); made != 0 {
		t.Errorf("there are %d trays", made)
	}
}
