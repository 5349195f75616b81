package python_test

import (
	"fmt"
	"testing"
)

// TestSignalsOfAll: systemd ends a service by a SIGTERM to each of its processes, and
// systemctl kill sends any other to all of them too. What it means is for Go's process
// to say: the workers finish what they have, and so does the process that forks them.
func TestSignalsOfAll(t *testing.T) {
	for _, preload := range []bool{false, true} {
		t.Run(fmt.Sprintf("preload %v", preload), func(t *testing.T) {
			c := config(t)
			c.Preload = preload
			s := open(t, c)
			path := "/signalled"
			if preload {
				path += "?zygote"
			}
			s.want(path, 200, "[15, 15]")
			s.want(path, 200, "[15, 15]")
			if stats := s.pool.Stats(); stats.Restarts != 0 {
				t.Errorf("%d workers ended, want none", stats.Restarts)
			}
			if s.log.has("has ended") {
				t.Error("the process that forks workers has ended")
			}
		})
	}
}
