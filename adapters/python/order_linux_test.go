package python

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/internal/installed"
)

// TestOrder plays Go to a worker, and sees on which way it answers. A response goes
// by the board only if nothing of its request went by the lane: the two are read by
// nobody in particular first, and text for wsgi.errors would come when its request is
// over.
func TestOrder(t *testing.T) {
	const app = `def app(environ, start_response):
    if environ["PATH_INFO"] == "/logs":
        environ["wsgi.errors"].write("first")
    start_response("200 OK", [])
    return [b"a block"]
`
	w := startAlone(t, app)
	for _, tt := range []struct {
		name, path string
		want       []string
	}{
		{"the head is not known yet", "/", []string{"lane: check", "lane: response"}},
		{"nothing but the response", "/", []string{"board: response"}},
		{"text for wsgi.errors", "/logs", []string{"lane: log", "lane: response"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, w.ask(tt.path)); diff != "" {
				t.Errorf("the worker answers (-want +got):\n%s", diff)
			}
		})
	}
}

// alone is a worker without those who attend to it.
type alone struct {
	t    *testing.T
	g    *generation
	said chan string // each frame, in the order in which it came on its way
	lane net.Conn
}

// startAlone starts a worker of the application that is called app in the text.
func startAlone(t *testing.T, text string) *alone {
	t.Helper()
	python := os.Getenv("GOWSGI_PYTHON")
	if python == "" {
		python = installed.Find(t, "python3")
	}
	c, err := Config{App: "alone.py:app", Python: python, Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}.settle()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Dir, "alone.py"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	a := &alone{t: t, said: make(chan string, 16)}
	a.g = &generation{pool: &Pool{config: c, starter: newStarter()}, slots: newSlots(4, 0)}
	if a.g.board, err = newBoard(1, 4); err != nil {
		t.Fatal(err)
	}
	if a.g.queue, err = newQueue(nil); err != nil {
		t.Fatal(err)
	}
	if a.g.replies, err = newReplies(func(id uint64) {
		m, _, err := parseHead(a.g.board.response(a.g.slots.of(id).index))
		a.say("board", m, err)
	}); err != nil {
		t.Fatal(err)
	}
	var ends [4]*os.File // of the control socket, and of the lane
	for i := 0; i < len(ends); i += 2 {
		if ends[i], ends[i+1], err = socketPair(); err != nil {
			t.Fatal(err)
		}
	}
	var conns [2]net.Conn
	for i := range conns {
		if conns[i], err = net.FileConn(ends[2*i]); err != nil {
			t.Fatal(err)
		}
		ends[2*i].Close()
	}
	a.lane = conns[1]
	w := &worker{generation: a.g, control: conns[0].(*net.UnixConn), ready: make(chan struct{}), exited: make(chan struct{})}
	err = w.exec(order{App: c.App, Threads: 1, Lanes: 1, Slots: 4, Ahead: c.ReadAhead}, []*os.File{ends[1], ends[3]})
	ends[1].Close()
	ends[3].Close()
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		a.hear()
	}()
	t.Cleanup(func() {
		w.control.Close() // at the end of which the worker ends
		w.cmd.Wait()
		close(w.exited)
		<-heard
		a.lane.Close()
		a.g.queue.close()
		a.g.queue.r.Close()
		a.g.replies.close()
		a.g.board.close()
		a.g.pool.outputs.Wait()
		a.g.pool.starter.close()
	})
	return a
}

// hear takes the frames of the lane, and accepts each head.
func (a *alone) hear() {
	head := make([]byte, frameHead)
	for {
		if _, err := io.ReadFull(a.lane, head); err != nil {
			return
		}
		m, size, err := parseHead(head)
		if err == nil {
			_, err = io.CopyN(io.Discard, a.lane, int64(size))
		}
		a.say("lane", m, err)
		if m.asks() {
			a.lane.Write(appendReply(nil, replyOK, nil))
		}
	}
}

func (a *alone) say(way string, m message, err error) {
	kind := map[uint16]string{frameResponse: "response", frameLog: "log"}[m.kind]
	switch {
	case err != nil:
		kind = err.Error()
	case m.asks():
		kind = "check"
	case kind == "":
		kind = fmt.Sprint("a frame of type ", m.kind)
	case kind == "response" && m.flags&frameLast == 0:
		kind = "the begin of a response"
	}
	a.said <- way + ": " + kind
}

// ask sends a request and returns what the worker says to it.
func (a *alone) ask(path string) (said []string) {
	s, err := a.g.slots.take(a.t.Context(), 0)
	if err != nil {
		a.t.Fatal(err)
	}
	defer a.g.put(s)
	p := packers.Get().(*packer)
	p.variables = []variable{{"REQUEST_METHOD", "GET"}, {"PATH_INFO", path}}
	if !p.pack(s.id, packetInline, nil) {
		a.t.Fatal("the request is too large")
	}
	a.g.board.request(s.index, p.packet)
	a.g.queue.push(s.id, false)
	for len(said) == 0 || said[len(said)-1] != "lane: response" && said[len(said)-1] != "board: response" {
		said = append(said, <-a.said)
	}
	return said
}
