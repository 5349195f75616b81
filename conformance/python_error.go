package conformance

import (
	"slices"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// pythonErrorProbes look at exceptions that are meant for the process and not
// for the request. They end some servers (AMB-29), which the others after them
// say nothing about then.
var pythonErrorProbes = slices.Concat(
	pythonExits("BaseException", "GeneratorExit", "KeyboardInterrupt", "SystemExit"),
	[]probe[*serverSubject]{
		onPython("SRV-08", "SystemExit beside another request", func(s *serverRun) {
			s.mortal("SystemExit beside another request", s.exitBeside)
		}),
	},
)

func pythonExits(classes ...string) (probes []probe[*serverSubject]) {
	for _, class := range classes {
		probes = append(probes,
			onPython("ERR-13", class+" in the call", func(s *serverRun) {
				s.mortal(class+" in the call", func() { s.exits(class, s.exiting(class)) })
			}),
			onPython("ERR-13", class+" in the body", func(s *serverRun) {
				s.mortal(class+" in the body", func() {
					s.exits(class, s.pythonApp(func(py pythonSide, _ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
						start("200 OK", plainText(), nil)
						return s.body(func(yield func([]byte, error) bool) { yield(nil, py.Exception(class, onPurpose)) }), nil
					}))
				})
			}))
	}
	return probes
}

const onPurpose = "conformance: on purpose"

// exiting is an application that raises an exception of the given class.
func (s *serverRun) exiting(class string) app {
	return s.pythonApp(func(py pythonSide, _ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		return nil, py.Exception(class, onPurpose)
	})
}

// exits expects that the client of an application that raises is not left
// waiting, and that the server goes on.
func (s *serverRun) exits(class string, a app) {
	s.reading("AMB-29")
	s.install(a)
	if r, err := s.dial().send(s.request("GET", s.path)).receive("GET"); isTimeout(err) || err == nil && isTimeout(r.err) {
		s.faultf("expected a response or the end of the connection after %s, the client was left waiting for %v", class, s.patience)
	}
}

// exitBeside lets one request end with SystemExit while another is under way.
func (s *serverRun) exitBeside() {
	g := s.gate()
	defer g.open()
	s.install(s.answer("200 OK", plainText(), func(yield func([]byte, error) bool) {
		if yield([]byte("begun, "), nil) {
			s.record.add("waits")
			g.wait()
			yield([]byte("ended"), nil)
		}
	}))
	other := s.dial().send(s.request("GET", s.path))
	s.await("waits")
	s.install(s.exiting("SystemExit"))
	exit := s.dial().send(s.request("GET", s.path))
	exit.within(50 * moment)
	exit.r.Peek(1) // a server that has one thread answers it later
	g.open()
	r, err := other.receive("GET")
	if err != nil || r.body != "begun, ended" || !r.complete() {
		s.faultf("expected a request to end well while another ended with SystemExit, got %v, %v", r, err)
	}
}

// mortal runs a part of a probe that may end the server, and sees whether the
// server goes on. A server that is gone already is not looked at, unless it is
// this probe that ended it.
func (s *serverRun) mortal(name string, run func()) {
	before := s.subject.endedBy.Load()
	if before == nil && !s.alive(s.patience) {
		before = s.ended("something before " + name)
	}
	switch {
	case before != nil && *before == name:
		s.fatalf("expected the server to go on serving, it answered no request any more")
	case before != nil && !s.alive(s.patience): // it may have been started again
		s.skipf("the server has not answered since %s", *before)
	}
	s.subject.endedBy.Store(nil)
	run()
	if !s.alive(s.patience) {
		s.ended(name)
		s.fatalf("expected the server to go on serving, it answered no request for %v", s.patience)
	}
}

func (s *serverRun) ended(by string) *string {
	s.subject.endedBy.Store(&by)
	return &by
}

// alive reports whether the server answers a good request. One that starts a
// process anew has the time for that.
func (s *serverRun) alive(patience time.Duration) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * moment) {
		if c, err := s.tryDial(); err == nil {
			r, err := c.send(s.request("GET", goodPath)).receive("GET")
			c.Close()
			if err == nil && r.body == goodBody {
				return true
			}
		}
	}
	return false
}
