package server

import "sync"

// silent is the set of connections on which no request was read yet. A browser
// opens such ones to have them ready. http.Server.Shutdown waits five seconds
// for each, which is long for a person who has pressed Ctrl-C, and in vain:
// net/http does not serve a request that it reads while it shuts down.
type silent struct {
	mu       sync.Mutex
	conns    map[*conn]bool
	stopping bool
}

func (s *silent) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		c.hush()
		return
	}
	if s.conns == nil {
		s.conns = make(map[*conn]bool)
	}
	s.conns[c] = true
}

func (s *silent) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// stop ends the wait for a request on every silent connection. It is for when
// the server shuts down already: a request that comes at this very moment is
// then not served with half of its body.
func (s *silent) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopping = true
	for c := range s.conns {
		c.hush()
	}
}
