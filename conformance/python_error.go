package conformance

import (
	"slices"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// pythonErrorProbes look at exceptions that are meant for the process and not
// for the request. They end some servers (AMB-29), which the others after them
// say nothing about then.
var pythonErrorProbes = slices.Concat(
	pythonExits("BaseException", "KeyboardInterrupt", "SystemExit"),
	[]probe[*serverSubject]{
		onPython("SRV-08", "SystemExit beside another request", func(s *serverRun) {
			s.reading("AMB-29")
			s.mortal("SystemExit beside another request", s.exitBeside)
		}),
	},
)

func pythonExits(classes ...string) (probes []probe[*serverSubject]) {
	for _, class := range classes {
		probes = append(probes,
			onPython("ERR-13", class+" in the call", func(s *serverRun) {
				s.reading("AMB-29")
				s.mortal(class+" in the call", func() { s.exits(class, s.exiting(class)) })
			}),
			onPython("ERR-13", class+" in the body", func(s *serverRun) {
				s.reading("AMB-29")
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

// fate is what the probes know of a server that they may have ended.
type fate struct {
	mu     sync.Mutex
	last   string // the last thing that was done to it
	ender  string // since when it does not answer; "" as long as it does
	teller string // the probe that says so, once and for all
}

// exiting is an application that raises an exception of the given class.
func (s *serverRun) exiting(class string) app {
	return s.pythonApp(func(py pythonSide, _ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		return nil, py.Exception(class, onPurpose)
	})
}

// exits expects that the client of an application that raises is not left
// waiting, and that the server goes on.
func (s *serverRun) exits(class string, a app) {
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

// mortal runs a part of the probe of the given name, which may end the server,
// and sees whether the server goes on. Servers take their time to end, so that
// it may be the next probe that notices; the others are skipped then.
func (s *serverRun) mortal(name string, run func()) {
	f := &s.subject.fate
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case s.alive():
		f.ender, f.teller = "", "" // for the first time, or again
	case f.ender == "" && f.last == "":
		f.ender = "before the suite came to what may end a server"
	case f.ender == "":
		f.ender, f.teller = "after "+f.last, name
	}
	s.mourn(f, name)
	f.last = name
	run()
	// An end has no signal but silence, and cheroot looks only twice a second
	// whether it shall end.
	time.Sleep(70 * moment)
	if !s.alive() {
		f.ender, f.teller = "after "+name, name
	}
	s.mourn(f, name)
}

// mourn ends a probe of a server that is gone.
func (s *serverRun) mourn(f *fate, name string) {
	switch {
	case f.ender == "":
	case f.teller == name:
		s.fatalf("expected the server to go on serving, it answers no request any more %s", f.ender)
	default:
		s.skipf("the server answers no request any more %s", f.ender)
	}
}

// alive reports whether the server answers a good request. One that starts a
// process anew has the time for that, which is why this waits longer than
// anything else.
func (s *serverRun) alive() bool {
	for end := time.Now().Add(4 * s.patience); time.Now().Before(end); time.Sleep(5 * moment) {
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
