package python

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// Pool is a Python application in processes of its own, as an application.
// Its methods may be called from any goroutine.
type Pool struct {
	config  Config
	every   time.Duration // of ticks
	starter *starter
	outputs sync.WaitGroup

	tick                                 atomic.Int64
	requests, failed, restarts, recycled atomic.Int64
	reloads                              atomic.Int64

	mu      sync.RWMutex // around current, against a request that is just entering
	current *generation
	old     []*generation
	closed  bool

	reloading  sync.Mutex
	woken      chan struct{}
	stop       chan struct{}
	supervised chan struct{}
	closing    sync.Once
	closedErr  error
	unwatch    func() bool
}

var _ wsgi.Application = (*Pool)(nil)

// Start starts the workers and returns when all of them have imported the
// application. When one of them cannot, the error is a StartError and no
// process is left. When ctx ends, the pool is closed.
func Start(ctx context.Context, c Config) (*Pool, error) {
	c, err := c.settle()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		config: c, starter: newStarter(),
		woken: make(chan struct{}, 1), stop: make(chan struct{}), supervised: make(chan struct{}),
	}
	p.every = p.tickTime()
	p.current, err = p.newGeneration(ctx, 1, c.Processes)
	if err != nil {
		p.outputs.Wait()
		p.starter.close()
		return nil, err
	}
	p.log(slog.LevelInfo, "workers are ready", "app", c.App, "python", c.Python, "workers", c.Processes, "threads", c.Threads)
	go p.supervise()
	p.unwatch = context.AfterFunc(ctx, func() { p.Close() })
	return p, nil
}

// acquire returns the generation that takes requests, and counts the caller
// among its users; nil when the pool is closed.
func (p *Pool) acquire() *generation {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return nil
	}
	p.current.users.Add(1)
	p.current.entering.Add(1)
	return p.current
}

// Reload imports the application anew, in new workers. Once all of them are
// ready they take over, and the old ones end when they have finished what they
// have. When a new one fails, the old ones stay, and the error says why. No
// request is lost either way. For that time there are twice as many workers.
func (p *Pool) Reload(ctx context.Context) error {
	p.reloading.Lock()
	defer p.reloading.Unlock()
	p.mu.RLock()
	before, closed := p.current, p.closed
	p.mu.RUnlock()
	if closed {
		return errClosed
	}
	before.mu.Lock()
	want := before.want
	before.mu.Unlock()
	g, err := p.newGeneration(ctx, before.number+1, want)
	if err != nil {
		return err
	}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		g.destroy("the pool is closed")
		return errClosed
	}
	p.current = g
	p.old = append(p.old, before)
	p.mu.Unlock()
	p.reloads.Add(1)
	// Who entered before has a place in the old queue, or waits for one: only
	// then is it closed.
	go func() {
		before.entering.Wait()
		before.drain()
		p.wake()
	}()
	return nil
}

// buryOld forgets the generations of which nothing is left.
func (p *Pool) buryOld() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.old = slices.DeleteFunc(p.old, func(g *generation) bool {
		g.mu.Lock()
		over := g.draining && len(g.workers) == 0 && g.starting == 0
		g.mu.Unlock()
		if over {
			g.destroy("the generation is over") // which waits for nobody but a zygote
		}
		return over
	})
}

// SetProcesses changes the number of workers: more are started, or some end
// when they have finished what they have.
func (p *Pool) SetProcesses(n int) {
	p.mu.RLock()
	g := p.current
	p.mu.RUnlock()
	g.mu.Lock()
	g.want = max(1, min(n, len(g.blocks)-spareBlocks/2))
	g.mu.Unlock()
	p.wake()
}

// Close is Shutdown with GracefulTimeout as the limit of time.
func (p *Pool) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), orLong(p.config.GracefulTimeout))
	defer cancel()
	return p.Shutdown(ctx)
}

// Shutdown ends the workers: those that are busy may finish what they have until
// ctx ends, and are then killed, which is an error. It returns when no process is
// left. Requests that come meanwhile are answered with 503. The second call of
// Shutdown or Close, and every later one, waits for the first.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.closing.Do(func() { p.closedErr = p.shutdown(ctx) })
	return p.closedErr
}

func (p *Pool) shutdown(ctx context.Context) error {
	if p.unwatch != nil {
		p.unwatch()
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.reloading.Lock() // none is under way, and the next one will see closed
	defer p.reloading.Unlock()
	p.mu.Lock()
	generations := append([]*generation{p.current}, p.old...)
	p.mu.Unlock()
	// A context that has ended leaves no time: what is over already is not late.
	over := func(ended <-chan struct{}) bool {
		select {
		case <-ended:
			return true
		default:
		}
		select {
		case <-ended:
			return true
		case <-ctx.Done():
			return false
		}
	}
	late := false
	for _, g := range generations {
		idle := make(chan struct{})
		go func() {
			g.users.Wait()
			close(idle)
		}()
		late = late || !over(idle)
		g.drain()
	}
	for _, g := range generations {
		g.mu.Lock()
		workers := slices.Clone(g.workers)
		g.mu.Unlock()
		for _, w := range workers {
			late = late || !over(w.exited)
		}
	}
	close(p.stop)
	<-p.supervised
	for _, g := range generations {
		g.spawns.Wait() // then all that was started is in the list
		g.destroy("the pool is closed")
	}
	p.outputs.Wait()
	p.starter.close()
	if late {
		return errors.New("python: workers that did not end in time were killed")
	}
	return nil
}

// Stats is the state of a Pool at one moment.
type Stats struct {
	Generation int // 1, and one more with each reload
	Workers    int // that are ready
	Lanes      int // requests that they can run at a time
	Busy       int // of the lanes
	Waiting    int // requests that no lane has begun

	// Since the start:
	Requests int64 // that were given to a worker
	Failed   int64 // that were lost with their worker
	Restarts int64 // workers that ended although nobody wanted it
	Recycled int64 // workers that were replaced by a limit
	Reloads  int64

	PIDs []int // of the workers
}

// Stats returns the state of the pool.
func (p *Pool) Stats() Stats {
	p.mu.RLock()
	g := p.current
	p.mu.RUnlock()
	s := Stats{
		Generation: g.number, Requests: p.requests.Load(), Failed: p.failed.Load(),
		Restarts: p.restarts.Load(), Recycled: p.recycled.Load(), Reloads: p.reloads.Load(),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.workers {
		if !w.isReady {
			continue
		}
		s.PIDs = append(s.PIDs, w.pid)
		if w.retiring {
			continue
		}
		s.Workers++
		s.Lanes += len(w.lanes)
		for _, l := range w.lanes {
			if g.board.begun(l.number) != 0 {
				s.Busy++
			}
		}
	}
	taken, waiting := g.slots.used()
	s.Waiting = max(0, taken-s.Busy) + waiting
	return s
}

// Files returns the source files that the workers have imported by now. Of one that
// is still to become ready there are none.
func (p *Pool) Files(ctx context.Context) []string {
	p.mu.RLock()
	g := p.current
	p.mu.RUnlock()
	g.mu.Lock()
	workers := slices.Clone(g.workers)
	g.mu.Unlock()
	var files []string
	for _, w := range workers {
		// One that starts has yet to read what it is to run, from the same socket: a
		// question right behind that would end it, and the next one, for as long as
		// somebody asks.
		select {
		case <-w.ready:
		default:
			continue
		}
		w.mu.Lock()
		files = append(files, w.files...)
		w.mu.Unlock()
		if w.tell(order{Op: "files"}) != nil {
			continue
		}
		select {
		case more := <-w.asked:
			files = append(files, more...)
		case <-w.exited:
		case <-ctx.Done():
		}
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func (p *Pool) log(level slog.Level, message string, args ...any) {
	p.config.Logger.Log(context.Background(), level, message, args...)
}
