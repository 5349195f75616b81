package bridge

import (
	"errors"
	"fmt"
	"io"

	"github.com/gowsgi/gowsgi/wsgi"
)

// errOver says that a callable was used too late, and that there is no call in
// its process from which the server could be asked what it makes of that.
var errOver = fmt.Errorf("bridge: the call is over, and its process has no other: %w", errors.ErrUnsupported)

// command has Python do something in Go's turn, and returns what came of it.
func (s *strand) command(name string, args ...any) (any, error) {
	return s.commandThen(nil, name, args...)
}

// commandThen is command, and sends what follows the frame.
func (s *strand) commandThen(follow func() error, name string, args ...any) (any, error) {
	s.mu.Lock()
	if !s.turn {
		s.mu.Unlock()
		return s.bridge.late(s, name, args)
	}
	defer s.mu.Unlock()
	s.change()
	return s.commandLocked(follow, name, args...)
}

// lend is command for what another strand of the same process wants. It
// reports false when it is not Go's turn here.
func (s *strand) lend(name string, args ...any) (result any, err error, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.turn {
		return nil, nil, false
	}
	result, err = s.commandLocked(nil, name, args...)
	return result, err, true
}

// commandLocked is command for who holds the lock. what follows the frame, if
// it is not nil, is sent behind it.
func (s *strand) commandLocked(follow func() error, name string, args ...any) (any, error) {
	if s.fault != nil {
		return nil, s.fault
	}
	message := []any{name}
	for _, arg := range args {
		if err, ok := arg.(error); ok {
			arg = s.cause(err)
		}
		message = append(message, arg)
	}
	err := s.c.send(frameCall, message)
	if err == nil && follow != nil {
		err = follow()
	}
	for err == nil {
		var f frame
		if f, err = s.c.receive(); err != nil {
			break
		}
		switch f.kind {
		case frameResult:
			return f.value, nil
		case frameRaised:
			e, err := s.ledger.exception(f.value)
			if err != nil {
				s.fail(err)
				return nil, err
			}
			return nil, e
		case frameEvent:
			s.happened(f.value)
		case frameCall:
			// The server reads a file of ours, say. What is done for it may
			// need commands of its own.
			s.mu.Unlock()
			kind, answer := s.serve(f.value)
			s.mu.Lock()
			err = s.c.send(kind, answer)
		default:
			err = fmt.Errorf("bridge: frame %q in the place of an answer to %s", f.kind, name)
		}
	}
	s.fail(err)
	return nil, s.fault
}

// serve does what Python asks of an object on this side, and returns the
// answer.
func (s *strand) serve(request any) (kind byte, answer any) {
	args, _ := request.([]any)
	var what string
	var number, size int
	if !(scan(args, &what, &number) || scan(args, &what, &number, &size)) || number < 0 || number >= len(s.files) {
		return frameRaise, s.cause(fmt.Errorf("bridge: request %v for a file", args))
	}
	var err error
	switch file := s.files[number]; what {
	case "read":
		var b []byte
		err = guard(func() error {
			b, err = readSize(file, size)
			return err
		})
		answer = b
	case "close":
		err = guard(file.(io.Closer).Close)
	}
	if err != nil {
		return frameRaise, s.cause(err)
	}
	return frameResult, answer
}

// happened tells who watches an object on Python's side what happened to it.
func (s *strand) happened(value any) {
	var number int
	var text string
	if args, ok := value.(Tuple); ok && scan(args, &number, &text) && number >= 0 && number < len(s.watchers) {
		s.watchers[number](text)
	}
}

// cause is an error of the application as Python is told of it.
func (s *strand) cause(err error) Tuple {
	var panicked *wsgi.PanicError
	return s.ledger.cause(err, errors.As(err, &panicked))
}
