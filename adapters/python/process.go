package python

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"time"
)

//go:embed worker.py
var script []byte

// bootstrap runs the script, which is to be read from a descriptor: no file of
// it is anywhere, and nobody's module path has a folder for it.
const bootstrap = "import os\nwith os.fdopen(3, 'rb') as f: script = f.read()\n" +
	"exec(compile(script, '<gowsgi worker>', 'exec'))"

// order is what it is told.
type order struct {
	Op           string   `json:"op,omitempty"`
	App          string   `json:"app,omitempty"`
	Path         []string `json:"path,omitempty"`
	Zygote       bool     `json:"zygote"`
	Threads      int      `json:"threads,omitempty"`
	First        int      `json:"first"`
	Lanes        int      `json:"lanes,omitempty"`
	Slots        int      `json:"slots,omitempty"`
	Multiprocess bool     `json:"multiprocess"`
	Ahead        int      `json:"ahead"`
	MaxRequests  int      `json:"max_requests"`
	PID          int      `json:"pid,omitempty"`
	Signal       int      `json:"signal,omitempty"`
}

// start starts a worker, or a zygote. It does not wait until it is ready.
func (g *generation) start(zygote bool) (_ *worker, err error) {
	c := &g.pool.config
	w := &worker{
		generation: g, block: -1, born: time.Now(),
		ready: make(chan struct{}), gone: make(chan struct{}), exited: make(chan struct{}),
		forked: make(chan int, 1), asked: make(chan []string, 1),
	}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			w.closeConns()
			if w.block >= 0 {
				g.freeBlock(w.block)
			}
		}
	}()
	ours, control, err := socketPair()
	if err != nil {
		return nil, err
	}
	theirs = append(theirs, control)
	conn, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return nil, err
	}
	w.control = conn.(*net.UnixConn)
	if !zygote {
		if w.block, err = g.takeBlock(); err != nil {
			return nil, err
		}
		for i := range c.Threads {
			ours, lane, err := socketPair()
			if err != nil {
				return nil, err
			}
			theirs = append(theirs, lane)
			number := w.block*c.Threads + i
			g.board.clear(number)
			l, err := newLane(w, number, ours)
			if err != nil {
				return nil, err
			}
			w.lanes = append(w.lanes, l)
		}
	}
	o := order{
		App: c.App, Path: c.Path, Zygote: zygote, Threads: c.Threads, First: max(0, w.block) * c.Threads,
		Lanes: g.board.lanes, Slots: len(g.slots.all), Multiprocess: c.Multiprocess || c.Processes > 1,
		Ahead: c.ReadAhead,
	}
	if c.MaxRequests > 0 {
		o.MaxRequests = c.MaxRequests + rand.IntN(max(0, c.MaxRequestsJitter)+1)
	}
	if c.MaxLifetime > 0 {
		w.expiry = w.born.Add(c.MaxLifetime + rand.N(c.MaxLifetime/10+1))
	}
	g.mu.Lock()
	w.parent = g.zygote
	g.mu.Unlock()
	if zygote {
		w.parent = nil
	}
	if w.parent != nil {
		err = w.parent.fork(w, o, theirs)
	} else {
		err = w.exec(o, theirs)
	}
	if err != nil {
		return nil, err
	}
	go w.attend()
	return w, nil
}

// exec starts the process.
func (w *worker) exec(o order, theirs []*os.File) error {
	g := w.generation
	c := &g.pool.config
	scriptR, scriptW, err := os.Pipe()
	if err != nil {
		return err
	}
	defer scriptR.Close()
	outR, outW, err := os.Pipe()
	if err != nil {
		scriptW.Close()
		return err
	}
	defer outW.Close()
	name := "gowsgi worker " + c.App
	if o.Zygote {
		name = "gowsgi zygote " + c.App
	}
	w.cmd = exec.Command(c.Python, "-c", bootstrap, name)
	w.cmd.Dir, w.cmd.Env = c.Dir, c.Env
	w.cmd.Stdout, w.cmd.Stderr = outW, outW
	w.cmd.ExtraFiles = append([]*os.File{scriptR, theirs[0], g.queue.r, g.board.file, g.replies.w}, theirs[1:]...)
	err = isolate(w.cmd, c)
	if err == nil {
		err = g.pool.starter.do(w.cmd.Start)
	}
	if err != nil {
		outR.Close()
		scriptW.Close()
		return fmt.Errorf("python: starting a worker: %w", err)
	}
	w.pid = w.cmd.Process.Pid
	g.pool.outputs.Add(1)
	go func() {
		defer g.pool.outputs.Done()
		g.pool.relay(w.pid, outR, w.exited)
	}()
	go func() {
		defer scriptW.Close()
		scriptW.Write(script)
	}()
	return w.tell(o)
}

// fork has a zygote make the process.
func (z *worker) fork(w *worker, o order, theirs []*os.File) error {
	g := z.generation
	g.forking.Lock()
	defer g.forking.Unlock()
	o.Op, o.App, o.Path = "fork", "", nil
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	raw, err := z.control.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { sent = passDescriptors(fd, append(data, '\n'), theirs) }); err != nil {
		return err
	}
	if sent != nil {
		return sent
	}
	select {
	case w.pid = <-z.forked:
		return nil
	case <-z.gone:
		return errors.New("python: the process that forks workers has ended")
	case <-time.After(g.pool.config.StartTimeout):
		return errors.New("python: the process that forks workers does not answer")
	}
}

func (w *worker) tell(o order) error {
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = w.control.Write(append(data, '\n'))
	return err
}
