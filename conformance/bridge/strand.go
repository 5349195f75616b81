package bridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"github.com/gowsgi/gowsgi/wsgi"
)

// strand is one call of the application by a Python server: a connection on
// which at any time one side speaks. While the application in Go runs, it is
// Go's turn: what the application does with the server travels as commands,
// which Python obeys and answers. When the application has returned, or its
// body has yielded, it is Python's turn, until the server wants something of
// the body.
type strand struct {
	bridge *Bridge
	id     int // of the call in its process
	pid    int

	environ *wsgi.Environ
	sent    map[string]any // the environ as Python has it

	mu    sync.Mutex // held by who speaks in Go's turn
	c     *conn
	turn  bool
	fault error // what ended the connection

	ledger   ledger
	files    []io.Reader    // that Python reads, by number
	watchers []func(string) // of objects on Python's side, by number

	iterating bool // the body has begun
	stopped   bool // yield has returned false, or is about to
	closing   bool // because the body is closed
}

// errGone says that Python has dropped the call: the process ended, or the
// body was forgotten without being closed.
var errGone = errors.New("bridge: the server has dropped the call")

// run plays the application until Python has nothing more to ask.
func (s *strand) run(app wsgi.Application, vars map[string]any, how map[string]any) {
	ctx, cancel := context.WithCancel(s.bridge.ctx)
	defer cancel()
	src := &source{strand: s, vars: vars, how: how}
	for key, value := range vars {
		vars[key] = src.value(key, value)
	}
	s.sent = make(map[string]any, len(vars))
	for key, value := range vars {
		s.sent[key] = value
	}
	s.environ = wsgi.NewEnviron(ctx, src)
	s.mu.Lock() // another call may want to use this one
	s.turn = true
	s.mu.Unlock()
	var body wsgi.Iterable
	err := guard(func() (err error) {
		body, err = app.Call(s.environ, s.startResponse)
		return err
	})
	if err != nil {
		if body != nil { // AMB-36 has no counterpart in Python
			guard(body.Close)
		}
		s.pass(frameRaise, s.cause(err))
		return
	}
	if !s.answer(body) {
		return
	}
	for s.await(body) {
	}
}

// answer makes Python return the body, and reports whether more is to come.
func (s *strand) answer(body wsgi.Iterable) bool {
	switch b := body.(type) {
	case nil:
		s.pass(frameReturn, Tuple{"none"})
		return false
	case *object:
		if b.strand == s {
			return s.pass(frameReturn, Tuple{"object", b.number})
		}
	case wsgi.Block:
		s.pass(frameReturn, Tuple{"list", []any{[]byte(b)}})
		return false
	}
	if isList(body) {
		blocks := []any{}
		for block := range body.Blocks {
			blocks = append(blocks, block)
		}
		s.pass(frameReturn, Tuple{"list", blocks})
		return false
	}
	if sized, ok := body.(wsgi.Sized); ok {
		return s.pass(frameReturn, Tuple{"sized", sized.Len()})
	}
	return s.pass(frameReturn, Tuple{"body"})
}

// await waits until the server wants something of the body, and does it. It
// reports false when there is nothing more to come.
func (s *strand) await(body wsgi.Iterable) bool {
	switch kind := s.event(); kind {
	case frameNext:
		if s.iterating {
			return s.pass(frameStop, nil)
		}
		s.iterating = true // once, even after a close: that is for the probe to see
		err := guard(func() error {
			body.Blocks(s.yield)
			return nil
		})
		switch {
		case s.closing:
			return s.close(body)
		case s.stopped:
			return false
		case err != nil:
			return s.pass(frameRaise, s.cause(err))
		}
		return s.pass(frameStop, nil)
	case frameClose:
		return s.close(body)
	}
	return false
}

// yield gives a block to the server, and returns when the server wants the
// next one, or something else.
func (s *strand) yield(block []byte, err error) bool {
	if s.stopped {
		return false
	}
	kind, value := byte(frameYield), any(block)
	if err != nil {
		kind, value = frameRaise, s.cause(err)
	}
	if block == nil && err == nil {
		value = []byte{}
	}
	s.stopped = true
	if !s.pass(kind, value) {
		return false
	}
	switch s.event() {
	case frameNext:
		s.stopped = false
	case frameClose:
		s.closing = true
	}
	return !s.stopped
}

// close closes the body as often as the server does.
func (s *strand) close(body wsgi.Iterable) bool {
	s.closing = false
	if err := guard(body.Close); err != nil {
		return s.pass(frameRaise, s.cause(err))
	}
	return s.pass(frameClosed, nil)
}

// pass ends Go's turn with a frame. It reports false when the connection has
// ended.
func (s *strand) pass(kind byte, value any) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.change()
	s.turn = false
	s.fail(s.c.send(kind, value))
	return s.fault == nil
}

// event waits in Python's turn for what the server wants of the body: the
// frames frameNext and frameClose. It is Go's turn then. It returns 0 at the
// end of the connection.
func (s *strand) event() byte {
	for {
		f, err := s.c.receive()
		s.mu.Lock()
		s.turn = err == nil
		s.fail(err)
		s.mu.Unlock()
		if err != nil {
			return 0
		}
		switch f.kind {
		case frameNext, frameClose:
			return f.kind
		case frameEvent:
			s.happened(f.value)
			s.mu.Lock()
			s.turn = false
			s.mu.Unlock()
		case frameCall:
			kind, answer := s.serve(f.value)
			if !s.pass(kind, answer) {
				return 0
			}
		default:
			s.mu.Lock()
			s.fail(fmt.Errorf("bridge: frame %q in the place of an event", f.kind))
			s.mu.Unlock()
			return 0
		}
	}
}

// fail keeps the first reason why the connection is of no more use.
func (s *strand) fail(err error) {
	if err == nil || s.fault != nil {
		return
	}
	s.turn = false
	s.fault = err
	if err == io.EOF || isReset(err) {
		s.fault = errGone
	}
	s.c.Close()
}

// guard calls a function of the application on a goroutine of its own, so that
// neither a panic nor runtime.Goexit ends more than the function.
func guard(f func() error) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = errExited
		defer func() {
			if v := recover(); v != nil {
				err = &wsgi.PanicError{Value: v, Stack: debug.Stack()}
			}
		}()
		err = f()
	}()
	<-done
	return err
}

var errExited = errors.New("bridge: the application ended its goroutine")
