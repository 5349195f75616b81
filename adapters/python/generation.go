package python

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// generation is the workers that have imported the application at about the
// same time, and the queue that they read. A reload makes a new one.
type generation struct {
	pool    *Pool
	number  int
	queue   *queue
	replies *replies
	board   *board
	slots   *slots
	trays   []atomic.Pointer[trays] // of the worker in each block of lanes
	zygote  *worker                 // with Config.Preload
	users   sync.WaitGroup          // requests that may still look at the board

	entering sync.WaitGroup // requests that are not in the queue yet
	spawns   sync.WaitGroup

	forking  sync.Mutex // one at a time
	reviving sync.Mutex

	mu       sync.Mutex
	workers  []*worker
	blocks   []bool // of lanes on the board that a worker has
	want     int    // workers
	starting int
	draining bool             // no more requests come
	failures int              // in a row
	patience time.Time        // before which none is started again
	death    int64            // tick of the last time that a worker ended
	missing  map[uint64]int64 // requests that may be lost, and since which tick
}

// spareBlocks is how many workers there may be on the board beyond twice the
// number that is wanted: old ones that end while new ones begin.
const spareBlocks = 64

// newGeneration starts the workers and waits until all are ready.
func (p *Pool) newGeneration(ctx context.Context, number, want int) (_ *generation, err error) {
	g := &generation{pool: p, number: number, want: want}
	g.blocks = make([]bool, 2*want+spareBlocks)
	g.trays = make([]atomic.Pointer[trays], len(g.blocks))
	g.slots = newSlots(max(fewestSlots, 2*want*p.config.Threads), p.config.Queue)
	if err := g.share(); err != nil {
		return nil, &StartError{App: p.config.App, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, orLong(p.config.StartTimeout))
	defer cancel()
	defer func() {
		if err != nil {
			g.destroy("the start failed")
		}
	}()
	if p.config.Preload {
		zygote, err := g.start(true)
		if err != nil {
			return nil, &StartError{App: p.config.App, Err: err}
		}
		g.zygote = zygote
		if err = zygote.awaitReady(ctx); err != nil {
			return nil, err
		}
	}
	for range want {
		w, err := g.start(false)
		if err != nil {
			return nil, &StartError{App: p.config.App, Err: err}
		}
		g.workers = append(g.workers, w)
	}
	for _, w := range g.workers {
		if err := w.awaitReady(ctx); err != nil {
			return nil, err
		}
		w.isReady = true
	}
	return g, nil
}

// fewestSlots is how many requests may be with the workers or in their queue at the
// least; where there are many lanes it is twice as many as these. Those beyond wait
// for a slot.
const fewestSlots = 256

// share makes what the workers share with this process.
func (g *generation) share() (err error) {
	if g.board, err = newBoard(len(g.blocks)*g.pool.config.Threads, len(g.slots.all)); err != nil {
		return err
	}
	if g.queue, err = newQueue(func(id uint64, err error) { g.giveUp(id, fmt.Errorf("python: the queue of the workers: %w", err)) }); err != nil {
		g.board.close()
		return err
	}
	if g.replies, err = newReplies(g.complete); err != nil {
		g.queue.w.Close()
		g.queue.r.Close()
		g.board.close()
	}
	return err
}

// orLong is a limit that a context can have.
func orLong(d time.Duration) time.Duration {
	if d < 0 {
		return 24 * time.Hour
	}
	return d
}

func (g *generation) takeBlock() (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, taken := range g.blocks {
		if !taken {
			g.blocks[i] = true
			return i, nil
		}
	}
	return -1, fmt.Errorf("python: %d workers of one generation have not ended yet", len(g.blocks))
}

func (g *generation) freeBlock(i int) {
	g.mu.Lock()
	g.blocks[i] = false
	g.mu.Unlock()
}

// nudge has every lane that waits for a request look whether it is to end.
func (g *generation) nudge() {
	g.mu.Lock()
	n := 0
	for _, w := range g.workers {
		n += len(w.lanes)
	}
	g.mu.Unlock()
	g.queue.nudge(n)
}

// drain lets no more requests in. The workers end when the queue is empty.
func (g *generation) drain() {
	g.mu.Lock()
	if g.draining {
		g.mu.Unlock()
		return
	}
	g.draining = true
	deadline := time.Now().Add(orLong(g.pool.config.GracefulTimeout))
	for _, w := range g.workers {
		w.retiring = true
		w.deadline = deadline
	}
	g.mu.Unlock()
	g.queue.close()
}

// put gives a slot back, and it to who waits for one.
func (g *generation) put(s *slot) { g.slots.put(s, g.pool.tick.Load()) }

// destroy ends what is left of the generation, at once.
func (g *generation) destroy(reason string) {
	g.drain()
	g.mu.Lock()
	workers := append([]*worker(nil), g.workers...)
	g.mu.Unlock()
	for _, w := range workers {
		w.kill(reason)
	}
	g.slots.refuse()
	for i := range g.slots.all {
		s := &g.slots.all[i]
		s.mu.Lock()
		id := s.id
		s.mu.Unlock()
		if id != 0 {
			s.fail(id, errWorkerEnded, false)
		}
	}
	for _, w := range workers {
		<-w.exited
	}
	g.mu.Lock()
	zygote := g.zygote
	g.mu.Unlock()
	if zygote != nil {
		zygote.kill(reason)
		<-zygote.exited
	}
	g.queue.r.Close()
	g.replies.close()
	go func() { // a client may be slow to take what a worker has left
		g.users.Wait()
		g.board.close()
	}()
}
