package conformance

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverLoggedProbes look at what the server logs by itself. They need its log,
// Suite.Log, or what it prints, Suite.Output.
var serverLoggedProbes = []probe[*serverSubject]{
	onServer("ERR-07", "errors are logged", func(s *serverRun) {
		s.onLog()
		if s.subject.printed {
			s.printsErrors()
			return
		}
		for _, ending := range errorEndings {
			text := s.fails(ending)
			if _, ok := s.logged(func(log string) bool { return strings.Contains(log, text) }); !ok {
				s.faultf("expected %s to be in the log with its text, %q, it is not within %v", ending.name, text, s.patience)
			}
		}
	}),
	onServer("BODY-14", "an error of Close is logged", func(s *serverRun) {
		s.onLog()
		if s.subject.printed {
			s.printsAnError()
		}
		text := plannedText()
		s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return &recorded{record: s.record, blocks: blocksOf("complete"), closeErr: errors.New(text)}, nil
		})
		if !s.record.await("close", s.patience) {
			s.left("BODY-08", notClosed)
		}
		there := func(log string) bool { return strings.Contains(log, text) }
		log, ok := s.logged(there)
		if !ok && s.subject.printed {
			log = s.printsOn(errorEndings[0])
		}
		if !there(log) {
			s.faultf("expected an error of Close to be in the log with its text, %q, it is not within %v", text, s.patience)
		}
	}),
	onServer("ERR-15", "a client that leaves is no error", func(s *serverRun) {
		s.onLog()
		if s.subject.printed {
			s.printsNoLeavers()
			return
		}
		before := len(s.subject.log())
		s.leave()
		s.get(s.sized("ok")) // by then the end of the first request has been logged
		log := string(s.subject.log()[before:])
		for _, trace := range []string{"Traceback (most recent call last)", "goroutine "} {
			if i := strings.Index(log, trace); i >= 0 {
				s.faultf("expected no stack trace in the log when a client leaves, got %q", shorten(log[i:]))
			}
		}
	}),
}

// errorEndings are the ways in which a request can fail, a line of the log for
// each.
var errorEndings = []errorEnding{
	{"an error of the call", func(s *serverRun, err error) app {
		return func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, err }
	}},
	{"an error of the body", func(s *serverRun, err error) app { return s.answer("200 OK", plainText(), failing(err)) }},
	{"an error of the body behind a block", func(s *serverRun, err error) app {
		return s.answer("200 OK", plainText(), failing(err, "begun"))
	}},
	{"a panic", func(s *serverRun, err error) app {
		return func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic(err) }
	}},
}

type errorEnding struct {
	name string
	make func(s *serverRun, err error) app
}

// fails makes a request fail, and returns the text of its error, which occurs
// nowhere else.
func (s *serverRun) fails(ending errorEnding) (text string) {
	text = plannedText()
	s.install(ending.make(s, errors.New(text)))
	c := s.dial().send(s.request("GET", s.path))
	c.receive("GET")
	c.Close()
	return text
}

// leave makes a client leave in the middle of a response that does not end, and
// returns when the server has closed the body.
func (s *serverRun) leave() {
	closed := s.record.count("close")
	s.leaves(s.answer("200 OK", plainText(), untilStopped(s.patience)))
	if !s.record.awaitMore("close", closed, s.patience) {
		s.left("BODY-10", "the body is not closed when the client leaves")
	}
}

// untilStopped yields large blocks until it is stopped, or for too long.
func untilStopped(patience time.Duration) wsgi.Generator {
	return func(yield func([]byte, error) bool) {
		block := bytes.Repeat([]byte{'x'}, 64<<10)
		for end := time.Now().Add(patience); yield(block, nil) && time.Now().Before(end); {
		}
	}
}

const (
	noLog     = "the suite was given neither the server's log nor what it prints (Suite.Log, Suite.Output)"
	elsewhere = "what is written to wsgi.errors is not in the log that the suite was given"
	unprinted = "what is written to wsgi.errors is not among what the server prints: it logs elsewhere, or keeps its log in a buffer"
)

// skipElsewhere ends a probe that finds nothing of what was written to
// wsgi.errors.
func (s *serverRun) skipElsewhere() {
	if s.subject.printed {
		s.skipf(unprinted)
	}
	s.skipf(elsewhere)
}

// onLog ends a probe of the log where there is none. What the log has by now is
// not looked at.
func (s *serverRun) onLog() {
	if s.subject.log == nil {
		s.skipf(noLog)
	}
	s.logFrom = len(s.subject.log())
}

// mark returns a text that occurs nowhere else.
func mark() string { return fmt.Sprintf("conformance-%d-%d-", time.Now().UnixNano(), marks.Add(1)) }

var marks atomic.Int64

// plannedText returns the text of an error that occurs nowhere else.
func plannedText() string { return "on purpose: " + mark() }

// logged waits until the log is as it should be, and returns what came into it
// since onLog.
func (s *serverRun) logged(good func(log string) bool) (log string, ok bool) {
	return s.loggedWithin(s.patience, good)
}

// loggedWithin is logged for a wait of another length. Nobody tells of a new
// line in a log, and so it is looked at again and again.
func (s *serverRun) loggedWithin(patience time.Duration, good func(log string) bool) (log string, ok bool) {
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for deadline := time.Now().Add(patience); ; <-ticks.C {
		log = string(s.subject.log()[s.logFrom:])
		if good(log) {
			return log, true
		}
		if time.Now().After(deadline) {
			return log, false
		}
	}
}
