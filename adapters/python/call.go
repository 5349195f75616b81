package python

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"

	"github.com/gowsgi/gowsgi/wsgi"
)

// call is one request on its way through a worker, and the body of its
// response.
type call struct {
	pool       *Pool
	generation *generation
	slot       *slot
	id         uint64
	environ    *wsgi.Environ
	start      wsgi.StartResponse
	input      io.Reader // what the worker reads; nil for wsgi.input
	spool      io.Closer // behind input
	inputErr   error
	variables  []byte     // of a large request
	headCame   bool       // a head was checked, and kept if it was good
	write      wsgi.Write // of that head

	first message // has the first block
	last  bool    // which is the only one
	done  bool    // the slot is given up
}

// Call has a worker run the request. A request goes to a worker once: when the
// worker ends during it, the client is answered with 502, or the response is
// cut, and nothing is tried again (SRV-01).
func (p *Pool) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	c := &call{pool: p, environ: environ, start: startResponse}
	packer := packers.Get().(*packer)
	defer packers.Put(packer)
	if err := packer.gather(environ); err != nil {
		return c.refuse("400 Bad Request", err)
	}
	flags, inline, err := c.prepareInput()
	if err != nil {
		return nil, err
	}
	if hints, ok := environ.Get("wsgi.early_hints").(func(wsgi.Headers) error); ok && hints != nil {
		flags |= packetHinted
	}
	if err := c.enqueue(packer, flags, inline); err != nil {
		c.closeSpool()
		if errors.Is(err, errFull) || errors.Is(err, errQueueTimeout) || errors.Is(err, errClosed) {
			return c.refuse("503 Service Unavailable", err)
		}
		return nil, err
	}
	body, err := c.begin()
	if err == nil {
		return body, nil
	}
	c.abandon()
	switch {
	case errors.Is(err, errTimeout):
		return c.refuse("504 Gateway Timeout", err)
	case errors.Is(err, errQueueTimeout):
		return c.refuse("503 Service Unavailable", err)
	case errors.Is(err, errWorkerEnded):
		return c.refuse("502 Bad Gateway", err)
	}
	return nil, err
}

// refuse answers for an application that cannot.
func (c *call) refuse(status string, err error) (wsgi.Iterable, error) {
	c.pool.log(slog.LevelWarn, "request failed", "status", status[:3], "error", err.Error(),
		"method", c.environ.Var("REQUEST_METHOD"), "path", c.environ.Var("SCRIPT_NAME")+c.environ.Var("PATH_INFO"))
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}
	if status[:3] == "503" {
		headers = append(headers, wsgi.Header{Name: "Retry-After", Value: "1"})
	}
	var replaces error
	if c.headCame {
		replaces = err
	}
	_, startErr := c.start(status, headers, replaces)
	if startErr != nil {
		return nil, startErr
	}
	if c.environ.Var("REQUEST_METHOD") == "HEAD" {
		return wsgi.Empty(), nil
	}
	return wsgi.Strings(status + "\n"), nil
}

// enqueue puts the request on the queue of the present generation.
func (c *call) enqueue(p *packer, flags uint16, inline []byte) error {
	g := c.pool.acquire()
	if g == nil {
		return errClosed
	}
	defer g.entering.Done()
	s, err := g.slots.take(c.environ.Context(), c.pool.tick.Load())
	if err != nil {
		g.users.Done()
		return err
	}
	c.generation, c.slot, c.id = g, s, s.id
	g.board.cancel(s.index, false)
	if !p.pack(c.id, flags, inline) {
		if p.packet[16]&packetLarge != 0 {
			c.variables = bytes.Clone(p.packet[packetHead:])
			p.packet = p.packet[:packetHead]
		}
		if inline != nil {
			c.input = bytes.NewReader(bytes.Clone(inline))
		}
	}
	g.board.request(s.index, p.packet)
	c.pool.requests.Add(1)
	g.queue.push(c.id, s.company > c.pool.config.Processes*c.pool.config.Threads)
	return nil
}

// begin waits for the head of the response.
func (c *call) begin() (wsgi.Iterable, error) {
	ctx := c.environ.Context()
	for {
		m, err := c.next(ctx)
		if err != nil {
			return nil, err
		}
		if m.kind != frameResponse {
			if err := c.serve(&m); err != nil {
				return nil, err
			}
			continue
		}
		if m.flags&frameCheck != 0 {
			c.check(&m)
			continue
		}
		if m.flags&frameLast != 0 {
			c.release()
		}
		body, err := c.respond(m)
		if err != nil {
			m.free()
		}
		return body, err
	}
}

// respond starts the response with the head in m.
func (c *call) respond(m message) (wsgi.Iterable, error) {
	write := c.write
	if m.flags&frameKept == 0 {
		status, headers, err := parseResponse(m.payload[:m.head])
		if err != nil {
			return nil, err
		}
		var replaces error
		if m.flags&frameAgain != 0 {
			replaces = errReplaced
		}
		if write, err = c.start(status, headers, replaces); err != nil {
			return nil, err
		}
	} else if !c.headCame {
		return nil, errFrame
	}
	if m.flags&frameCommit != 0 {
		if _, err := write(nil); err != nil {
			return nil, err
		}
	}
	block := m.payload[m.head:]
	if m.flags&frameLast != 0 && m.buffer == nil && m.trays == nil {
		if len(block) > 0 {
			return wsgi.Bytes(block), nil
		}
		return wsgi.Empty(), nil
	}
	c.first, c.last = m, m.flags&frameLast != 0
	if m.flags&frameSingle != 0 {
		return singleBody{c}, nil
	}
	return body{c}, nil
}

// errReplaced stands for the exc_info of a head that replaces another.
var errReplaced = errors.New("python: the application replaced its response, by exc_info")

// check gives a head to the server, which keeps it or refuses it.
func (c *call) check(m *message) {
	defer c.slotLane().held.Add(-1)
	status, headers, err := parseResponse(m.payload[:m.head])
	if err == nil {
		var replaces error
		if m.flags&frameAgain != 0 {
			replaces = errReplaced
		}
		c.headCame = true
		c.write, err = c.start(status, headers, replaces)
	}
	if err != nil {
		c.slotLane().reply(replyRefused, []byte(err.Error()))
		return
	}
	c.slotLane().reply(replyOK, nil)
}

// next returns the next message for this request.
//
// A context is asked for its channel only in a request that the supervisor has
// seen twice, or that has a deadline: the channel, and to wait for two at once,
// cost more than is left to save.
func (c *call) next(ctx context.Context) (message, error) {
	s := c.slot
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			m := s.queue[0]
			n := copy(s.queue, s.queue[1:])
			s.queue[n] = message{}
			s.queue = s.queue[:n]
			s.queued -= len(m.payload)
			s.mu.Unlock()
			notify(s.space)
			return m, nil
		}
		err, watched := s.failure, s.watched
		s.mu.Unlock()
		if err != nil {
			return message{}, err
		}
		if !watched {
			if _, watched = ctx.Deadline(); !watched {
				<-s.wake
				continue
			}
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return message{}, context.Cause(ctx)
		}
	}
}

// slotLane is the lane that serves the request, once a message has come.
func (c *call) slotLane() *lane {
	c.slot.mu.Lock()
	defer c.slot.mu.Unlock()
	return c.slot.lane
}

// release gives the slot back: the worker is done with the request.
func (c *call) release() {
	if !c.done {
		c.done = true
		c.generation.put(c.slot)
		c.generation.users.Done()
		c.closeSpool()
	}
}

// abandon is release when the worker is not done: it is told that nobody waits
// any more, and the slot comes back when it has ended the request.
func (c *call) abandon() {
	if c.done || c.slot == nil {
		return
	}
	c.done = true
	s, g := c.slot, c.generation
	s.mu.Lock()
	s.abandoned = true
	left := append([]message(nil), s.queue...)
	s.queue = s.queue[:0]
	l, ended := s.lane, s.ended
	g.board.cancel(s.index, true)
	s.mu.Unlock()
	notify(s.space)
	for _, m := range left {
		if m.asks() {
			l.held.Add(-1)
		}
		if m.flags&frameLast == 0 || m.kind == frameLog {
			l.unwanted(m)
		} else {
			m.free()
		}
	}
	if ended {
		g.put(s)
	}
	g.users.Done()
	c.closeSpool()
}
