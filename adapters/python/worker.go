package python

import (
	"bufio"
	"encoding/json"
	"log/slog"
	"net"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

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
		if t := g.trays[w.block].Swap(nil); t != nil {
			t.leave()
		}
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
	if sig == signalKill && w.cmd != nil {
		w.cmd.Process.Kill() // which may have left its group
	}
}

func (w *worker) kill(reason string) {
	w.mu.Lock()
	if w.reason == "" {
		w.reason = reason
	}
	w.mu.Unlock()
	w.signal(signalKill)
}
