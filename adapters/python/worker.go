package python

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

//go:embed worker.py
var script []byte

// bootstrap runs the script, which is to be read from a descriptor: no file of
// it is anywhere, and nobody's module path has a folder for it.
const bootstrap = "import os\nwith os.fdopen(3, 'rb') as f: script = f.read()\n" +
	"exec(compile(script, '<gowsgi worker>', 'exec'))"

var zeroTime time.Time

// worker is one process that serves, or the one that is forked to make those.
type worker struct {
	generation *generation
	block      int // of lanes on the board, -1 for a zygote
	lanes      []*lane
	control    *net.UnixConn
	cmd        *exec.Cmd // nil when a zygote has forked it
	parent     *worker   // that zygote
	born       time.Time

	ready  chan struct{} // closed when the application is imported
	gone   chan struct{} // closed when the control socket has ended
	exited chan struct{} // closed when all of it is over
	forked chan int      // of a zygote: process ids
	over   atomic.Bool   // the process has ended

	mu     sync.Mutex
	pid    int
	files  []string
	asked  chan []string // for files
	trace  string        // of an application that cannot be imported
	status string        // with which it exited
	reason string        // why it is to end, or was killed

	// Of the supervisor:
	full     bool // to be replaced
	retiring bool
	deadline time.Time // when it is killed
	dumped   time.Time // when its stacks were asked for
	seen     []progress
	isReady  bool
	expiry   time.Time
}

// report is what a worker says on its control socket.
type report struct {
	Op     string   `json:"op"`
	PID    int      `json:"pid"`
	Files  []string `json:"files"`
	Trace  string   `json:"trace"`
	Status string   `json:"status"`
}

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
		Lanes: g.board.lanes, Slots: len(g.slots.all), Multiprocess: c.Processes > 1,
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

// attend follows a worker from its start to its end.
func (w *worker) attend() {
	g := w.generation
	var readers sync.WaitGroup
	for _, l := range w.lanes {
		readers.Add(1)
		go func() {
			defer readers.Done()
			l.read()
			if !w.over.Load() { // nothing more can come of it
				w.kill("a lane has ended: " + l.err.Error())
			}
		}()
	}
	if w.cmd != nil {
		go func() {
			defer close(w.gone)
			w.listen()
		}()
		err := w.cmd.Wait()
		w.setStatus(w.cmd.ProcessState.String())
		if err != nil && w.cmd.ProcessState == nil {
			w.setStatus(err.Error())
		}
		// A process that the application has forked may hold the other end.
		w.control.SetReadDeadline(time.Now().Add(time.Second))
		<-w.gone
	} else {
		w.listen()
		close(w.gone)
	}
	w.over.Store(true)
	for _, l := range w.lanes {
		if id := g.board.begun(l.number); id != 0 { // deliver waits no more
			notify(g.slots.of(id).space)
		}
		l.conn.SetReadDeadline(time.Now()) // lane.read looks once more, and ends
	}
	readers.Wait()
	g.replies.settle()
	for _, l := range w.lanes {
		g.lost(l)
	}
	w.closeConns()
	if w.block >= 0 {
		go func() { // a client may be slow to send what a worker has asked for
			for _, l := range w.lanes {
				l.shutWindow()
			}
			g.freeBlock(w.block)
		}()
	}
	close(w.exited)
	g.pool.wake()
}

// lost fails the request that a lane had begun when its worker ended.
func (g *generation) lost(l *lane) {
	g.mu.Lock()
	g.death = g.pool.tick.Load()
	g.mu.Unlock()
	id := g.board.begun(l.number)
	if id == 0 {
		return
	}
	if g.giveUp(id, errWorkerEnded) {
		g.pool.failed.Add(1)
	}
}

func (w *worker) setStatus(status string) {
	w.mu.Lock()
	w.status = status
	w.mu.Unlock()
}

// listen hears what the worker says, until it ends.
func (w *worker) listen() {
	lines := bufio.NewReader(w.control)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var r report
		if json.Unmarshal(line, &r) != nil {
			w.generation.pool.log(slog.LevelError, "a worker sent what is no report", "pid", w.pid)
			return
		}
		switch r.Op {
		case "ready":
			w.mu.Lock()
			w.files = r.Files
			w.mu.Unlock()
			close(w.ready)
		case "failed":
			w.mu.Lock()
			w.trace = r.Trace
			w.mu.Unlock()
		case "files":
			select {
			case w.asked <- r.Files:
			default:
			}
		case "full":
			w.generation.pool.replace(w, "max requests")
		case "forked":
			w.forked <- r.PID
		case "exited":
			w.generation.childExited(r.PID, r.Status)
		}
		w.generation.pool.wake()
	}
}

func (w *worker) closeConns() {
	if w.control != nil {
		w.control.Close()
	}
	for _, l := range w.lanes {
		l.conn.Close()
	}
}

// signal sends a signal to the process, through its parent where that is a
// zygote: only a parent knows that a number still stands for its child.
func (w *worker) signal(sig int) {
	select {
	case <-w.exited:
		return
	default:
	}
	if w.parent != nil {
		select {
		case <-w.parent.gone: // then init is the parent
		default:
			w.parent.tell(order{Op: "kill", PID: w.pid, Signal: sig})
			return
		}
	}
	signalGroup(w.pid, sig)
}

func (w *worker) kill(reason string) {
	w.mu.Lock()
	if w.reason == "" {
		w.reason = reason
	}
	w.mu.Unlock()
	w.signal(signalKill)
}

// relay passes on what a worker prints, line by line.
func (p *Pool) relay(pid int, r *os.File, exited <-chan struct{}) {
	defer r.Close()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-exited: // what it has started may hold the pipe for ever
			r.SetReadDeadline(time.Now().Add(time.Second))
		case <-ended:
		}
	}()
	lines := bufio.NewReaderSize(r, 64<<10)
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 {
			p.say(pid, string(line))
		}
		if err != nil && err != bufio.ErrBufferFull {
			if err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
				p.log(slog.LevelWarn, "reading what a worker prints", "pid", pid, "error", err.Error())
			}
			return
		}
	}
}
