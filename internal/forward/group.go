package forward

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// Group is a number of backends that can stand in for each other. Each request
// goes to the one that has the fewest under way.
type Group struct {
	mu       sync.Mutex
	backends []*Backend
	most     int         // requests under way at one backend, 0 for no limit
	turn     int         // with whom the next search begins: equals take turns
	waiting  []*waiter   // in the order in which they came
	retrying int         // of them, how many have tried a backend before
	alarm    *time.Timer // for the next backend that is left alone no longer, while somebody waits
}

// Backend is one of a Group.
type Backend struct {
	Addr string

	group    *Group
	active   int       // requests under way
	failures int       // requests that it did not answer, one after the other
	until    time.Time // until then it is left alone when there is another
	idle     idleList
}

// NewGroup returns a group of backends that take at most most requests each at
// the same time, 0 for no limit.
func NewGroup(addrs []string, most int) *Group {
	g := &Group{most: most}
	for _, addr := range addrs {
		g.backends = append(g.backends, &Backend{Addr: addr, group: g})
	}
	return g
}

// The two ways in which Acquire fails, besides the end of its context.
var (
	ErrBusy = errors.New("every backend has as many requests under way as it may, expected one to be free in time")
	ErrNone = errors.New("no backend is left to be tried")
)

// choose returns the backend that is to take a request, nil when those that
// could have no room; some tells whether there are any. The caller holds the
// lock.
func (g *Group) choose(tried []*Backend, now time.Time) (best *Backend, some bool) {
	var down *Backend // the one with room that is to be tried again first
	left := false     // some are left alone
	for i := range g.backends {
		b := g.backends[(g.turn+i)%len(g.backends)]
		if slices.Contains(tried, b) {
			continue
		}
		room := g.most == 0 || b.active < g.most
		if now.Before(b.until) {
			left = true
			if room && (down == nil || b.until.Before(down.until)) {
				down = b
			}
			continue
		}
		some = true
		if room && (best == nil || b.active < best.active) {
			best = b
		}
	}
	if !some && left {
		// Better a backend that has failed than none.
		best, some = down, true
	}
	if best != nil {
		best.active++
		g.turn++
		if best.failures > 0 {
			best.until = now.Add(penalty(best.failures)) // one request finds out, the others go elsewhere
		}
	}
	return best, some
}

// penalty is how long a backend is left alone after so many failures.
func penalty(failures int) time.Duration {
	return min(time.Second<<min(failures-1, 5), 30*time.Second)
}

// Release ends a request at b.
func (b *Backend) Release() {
	g := b.group
	g.mu.Lock()
	defer g.mu.Unlock()
	b.active--
	g.serve()
}

// Failed notes that b has not answered a request: it could not be reached, or took
// it in vain. A backend that fails at once has the fewest requests under way, and
// would otherwise get most of them.
func (b *Backend) Failed() {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	b.failures++
	b.until = time.Now().Add(penalty(b.failures))
	b.group.serve() // who waits for b may take another now
}

// Answered notes that b has answered a request.
func (b *Backend) Answered() {
	b.group.mu.Lock()
	defer b.group.mu.Unlock()
	if b.failures > 0 {
		b.failures, b.until = 0, time.Time{}
		b.group.serve()
	}
}
