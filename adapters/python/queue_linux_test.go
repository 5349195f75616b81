package python

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestQueue: requests that come while all workers are busy go out together, and
// none is left behind; others go out at once.
func TestQueue(t *testing.T) {
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
			for i := range tt.n {
				want = append(want, uint64(i+1))
			}
			if yields := pushTogether(q, want, tt.patient); tt.patient && yields != 1 {
				t.Errorf("%d of them let others run, want the first alone", yields)
			}
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
			slices.Sort(got) // who yields comes last
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("ids (-want +got):\n%s", diff)
			}
			if writes != tt.writes {
				t.Errorf("%d writes, want %d", writes, tt.writes)
			}
		})
	}
}

// pushTogether pushes the first id, and the others when that yields, or else after
// it: as when their goroutines were ready to run. It returns how many yielded.
func pushTogether(q *queue, ids []uint64, patient bool) (yields int) {
	rest := ids[1:]
	others := func() {
		for len(rest) > 0 {
			id := rest[0]
			rest = rest[1:]
			q.push(id, patient)
		}
	}
	q.yield = func() { yields++; others() }
	q.push(ids[0], patient)
	others()
	return yields
}

// TestQueueFails: a request that cannot be put on the queue is told so, and so is
// each that has gone with it.
func TestQueueFails(t *testing.T) {
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
	pushTogether(q, []uint64{1, 2, 3}, true)
	slices.Sort(failed)
	if diff := cmp.Diff([]uint64{1, 2, 3}, failed); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
}
