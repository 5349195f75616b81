package fastcgi

import (
	"errors"
	"io"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/internal/backend"
	"github.com/gowsgi/gowsgi/server/gateway"
)

// mostBuffered is how much of a request body is read ahead of the application.
// When so much waits, the connection is not read: the web server feels it.
const mostBuffered = 64 << 10

// stdin is the request body between the goroutine that reads the connection
// and the application.
type stdin struct {
	pace     backend.Pace
	declared int64 // CONTENT_LENGTH, -1 for none
	most     int64 // bytes that a body without length may have, 0 for no limit

	mu     sync.Mutex
	buffer []byte
	start  int   // of what was not read yet, in buffer
	total  int64 // bytes that came
	err    error // what follows what is in buffer; nil while more may come

	// One for each direction: between its look at the buffer and its wait, the
	// one could take the word that was meant for the other, and both would wait.
	filled  chan struct{} // for Read: there is data or an end
	drained chan struct{} // for put: there is room, or no need of it
}

func newStdin(declared, most int64, timeout time.Duration) *stdin {
	return &stdin{
		pace: backend.Pace{Timeout: timeout}, declared: declared, most: most,
		filled: make(chan struct{}, 1), drained: make(chan struct{}, 1),
	}
}

// signal wakes the one that waits on c, now or next.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put takes what came, and waits while there is no room.
func (s *stdin) put(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 && s.err == nil {
		room := mostBuffered - (len(s.buffer) - s.start)
		if room == 0 {
			s.mu.Unlock()
			<-s.drained
			s.mu.Lock()
			continue
		}
		if s.start > 0 && len(s.buffer)+len(p) > cap(s.buffer) {
			s.buffer = s.buffer[:copy(s.buffer, s.buffer[s.start:])]
			s.start = 0
		}
		part := p[:min(len(p), room)]
		p = p[len(part):]
		if s.declared >= 0 { // what is more than declared does not count
			part = part[:min(int64(len(part)), s.declared-s.total)]
		}
		s.buffer = append(s.buffer, part...)
		s.total += int64(len(part))
		switch {
		case s.total == s.declared:
			s.err = io.EOF
		case s.declared < 0 && s.most > 0 && s.total > s.most:
			s.err = &gateway.ClientError{Status: "413 Content Too Large", Err: errors.New("the body is larger than the limit")}
		}
		signal(s.filled)
	}
}

// end marks the end of the stream.
func (s *stdin) end() {
	if s.declared > s.total {
		s.fail(io.ErrUnexpectedEOF) // INPUT-21
		return
	}
	s.fail(io.EOF)
}

// fail makes err what follows, unless the end is known already.
func (s *stdin) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	signal(s.filled)
	signal(s.drained)
}

// close makes the rest of the stream go nowhere.
func (s *stdin) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = errors.New("the request is over")
	}
	signal(s.filled)
	signal(s.drained)
}

// Read reads from the body for the gateway.
func (s *stdin) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	var slow <-chan time.Time
	begin := time.Time{}
	for s.start == len(s.buffer) && s.err == nil {
		if begin.IsZero() && s.pace.Timeout > 0 {
			begin = time.Now()
			timer := time.NewTimer(s.pace.Begin())
			defer timer.Stop()
			slow = timer.C
		}
		s.mu.Unlock()
		select {
		case <-s.filled:
			s.mu.Lock()
		case <-slow:
			s.mu.Lock()
			if s.err == nil {
				s.err = backend.ErrSlow
			}
		}
	}
	n := copy(p, s.buffer[s.start:])
	if s.start += n; s.start == len(s.buffer) {
		s.buffer, s.start = s.buffer[:0], 0
	}
	if !begin.IsZero() {
		s.pace.End(time.Since(begin), n)
	}
	signal(s.drained)
	if n == 0 {
		return 0, s.err
	}
	return n, nil
}
