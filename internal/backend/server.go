package backend

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/server/gateway"
)

// Server accepts connections and knows them, so that it can be stopped.
type Server struct {
	Options
	Gateway gateway.Gateway

	handle func(*Conn)
	quick  bool // connections are short: what waits is accepted as quick

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*Conn]struct{}
	stopping  bool
	empty     chan struct{} // closed when the last connection has ended
}

// New returns a server that calls handle for each connection, on a goroutine
// of its own, and closes the connection when handle returns.
func New(o Options, handle func(*Conn)) (*Server, error) {
	s := &Server{
		Options: o, handle: handle,
		listeners: make(map[net.Listener]struct{}), conns: make(map[*Conn]struct{}), empty: make(chan struct{}),
	}
	if err := s.fill(); err != nil {
		return nil, err
	}
	s.setGateway(&s.Gateway)
	return s, nil
}

// Serve accepts connections of l until the server is stopped, and closes l.
// The error is never nil, and http.ErrServerClosed after Shutdown or Close.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.addListener(l) {
		return http.ErrServerClosed
	}
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, l)
	}()
	var waiting *backlog
	if s.quick {
		waiting = newBacklog(l)
	}
	wait := time.Duration(0)
	for {
		nc, err := l.Accept()
		if err != nil {
			s.mu.Lock()
			stopping := s.stopping
			s.mu.Unlock()
			if stopping {
				return http.ErrServerClosed
			}
			if !temporary(err) {
				return err
			}
			// Out of descriptors, most often: those who hold some will let go.
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			s.Logger.Warn("accepting a connection failed", "error", err, "again in", wait)
			time.Sleep(wait)
			continue
		}
		wait = 0
		s.take(nc, newDirect(nc))
		for _, q := range waiting.next() {
			s.take(q, q)
		}
	}
}

// take serves a connection on a goroutine of its own, if it may be served.
func (s *Server) take(nc net.Conn, d direct) {
	if len(s.Peers) > 0 && !s.admits(nc.RemoteAddr()) {
		s.Logger.Warn("connection refused", "reason", "its address is not among the peers", "remote", nc.RemoteAddr().String())
		nc.Close()
		return
	}
	c := &Conn{Conn: nc, Server: s, direct: d}
	if !s.add(c) {
		nc.Close()
		return
	}
	go s.run(c)
}

func temporary(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Temporary() //lint:ignore SA1019 there is no other word for it
}

func (s *Server) run(c *Conn) {
	defer s.remove(c)
	defer c.Conn.Close()
	s.handle(c)
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.listeners[l] = struct{}{}
	}
	return !s.stopping
}

func (s *Server) add(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopping {
		s.conns[c] = struct{}{}
	}
	return !s.stopping
}

func (s *Server) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.stopping && len(s.conns) == 0 {
		close(s.empty)
	}
}

// grace is how long a new connection may take to say something when the server
// is being stopped: the web server has a request for it, or it would not have
// opened it.
const grace = 500 * time.Millisecond

// stop makes the server take no more connections and requests.
func (s *Server) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return
	}
	s.stopping = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		switch c.state {
		case fresh:
			c.setReadDeadline(time.Now().Add(grace))
		case idle:
			c.Conn.Close()
		case lingering:
			c.lingerFor(lingerPause)
		}
	}
	if len(s.conns) == 0 {
		close(s.empty)
	}
}

// Shutdown stops listening and waits until the running requests are over, or
// ctx ends. Then it returns ctx's error.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stop()
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-s.empty: // at the same moment, or before
		return nil
	default:
		return ctx.Err()
	}
}

// Close stops listening and closes every connection at once.
func (s *Server) Close() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Conn.Close()
	}
	return nil
}

// Connections returns how many connections there are.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Lazy is a Server that is made when it is first used, so that the zero value
// of an adapter's Server works.
type Lazy struct {
	once   sync.Once
	server *Server
	err    error
}

// Get returns the one server, made by make.
func (l *Lazy) Get(make func() (*Server, error)) (*Server, error) {
	l.once.Do(func() { l.server, l.err = make() })
	return l.server, l.err
}
