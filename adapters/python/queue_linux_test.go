package python

import (
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestQueue: requests that come while all workers are busy go out together, and
// none is left behind; others go out at once.
func TestQueue(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // then who yields lets all others run
	tests := []struct {
		name    string
		patient bool
		n       int
		writes  int
	}{
		{"one", true, 1, 1},
		{"some", true, mostJoined - 1, 1},
		{"many", true, 2*mostJoined + 1, 3},
		{"a worker is free", false, 3, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			// On such a socket, other than on a pipe, each read is one write.
			fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_SEQPACKET|syscall.SOCK_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			r, w := os.NewFile(uintptr(fds[0]), "r"), os.NewFile(uintptr(fds[1]), "w")
			defer r.Close()
			defer w.Close()
			q := &queue{r: r, w: w, failed: func(id uint64, err error) { t.Errorf("request %d: %v", id, err) }}
			var want, got []uint64
			var pushed sync.WaitGroup
			for i := range tt.n {
				id := uint64(i + 1)
				want = append(want, id)
				pushed.Go(func() { q.push(id, tt.patient) })
			}
			pushed.Wait()
			writes := 0
			for buffer := make([]byte, 4096); len(got) < tt.n; writes++ {
				n, err := r.Read(buffer)
				if err != nil {
					t.Fatal(err)
				}
				for b := buffer[:n]; len(b) > 0; b = b[tokenSize:] {
					got = append(got, binary.LittleEndian.Uint64(b))
				}
			}
			slices.Sort(got) // goroutines begin in an order of their own
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if writes != tt.writes {
				t.Errorf("%d writes, want %d", writes, tt.writes)
			}
		})
	}
}

// TestQueueFails: a request that cannot be put on the queue is told so, and so is
// each that has gone with it.
func TestQueueFails(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var failed []uint64
	q, err := newQueue(func(id uint64, err error) {
		if !errors.Is(err, syscall.EPIPE) {
			t.Errorf("request %d fails with %v, want that nobody reads", id, err)
		}
		failed = append(failed, id)
	})
	if err != nil {
		t.Fatal(err)
	}
	defer q.close()
	q.r.Close()
	var pushed sync.WaitGroup
	for id := range uint64(3) {
		pushed.Go(func() { q.push(id, true) })
	}
	pushed.Wait()
	slices.Sort(failed)
	if diff := cmp.Diff([]uint64{0, 1, 2}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}
