package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// pythonSide is what the source of an environ is when a Python server calls by
// way of package bridge: the way to what only Python has.
type pythonSide interface {
	// Fact calls a function of the Python side with the call.
	Fact(name string, args ...any) (any, error)
	// Object makes a body that lives on the Python side; see is told what is
	// done with it.
	Object(name string, see func(event string), args ...any) (wsgi.Iterable, error)
	// Exception makes an exception of the given class. Whoever returns it
	// raises it.
	Exception(class, text string) error
	// How tells how the server called the application.
	How() map[string]any
}

// serverPythonProbes look at what Go's types see to, and Python's do not. Those
// that may end a careless server are the last.
var serverPythonProbes = slices.Concat(
	pythonCallProbes,
	pythonEnvironProbes,
	pythonInputProbes,
	pythonStartProbes,
	pythonBodyProbes,
	pythonFileProbes,
	pythonErrorProbes,
)

// onPython makes a probe for Python servers.
func onPython(rule, name string, run func(s *serverRun)) probe[*serverSubject] {
	return onServer(rule, name, func(s *serverRun) {
		if !s.subject.python {
			s.skipf("the types of package wsgi see to it; a Python server can break it")
		}
		run(s)
	})
}

// errNoPython says that a server which is said to be Python's does not call by
// way of package bridge.
var errNoPython = errors.New("conformance: the application is not called by way of package bridge")

// pythonApp is an application that uses the Python side.
func (s *serverRun) pythonApp(use func(py pythonSide, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error)) app {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		py, ok := environ.Source().(pythonSide)
		if !ok {
			s.faultf("expected the environ of a call from Python, there is none: %v", errNoPython)
			return nil, errNoPython
		}
		return use(py, environ, start)
	}
}

// saying is what a function of the Python side has said.
type saying struct {
	value any
	err   error
}

// fact sends a request and returns what the function of the Python side says
// of the call. The application answers 200 with a body "ok", unless the
// function failed.
func (s *serverRun) fact(raw, name string, args ...any) any {
	said := make(chan saying, 1)
	s.install(s.pythonApp(func(py pythonSide, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		value, err := py.Fact(name, args...)
		said <- saying{value, err}
		if err != nil {
			return nil, err
		}
		return s.sized("ok")(environ, start)
	}))
	_, err := s.dial().send(strings.Replace(raw, "/PROBE", s.path, 1)).receive("GET")
	if isTimeout(err) {
		s.fatalf("expected the application to be called and to end, it did not within %v", s.patience)
	}
	return s.hear(said)
}

// provokeFact is fact for a function that leaves the response in whatever
// state the server makes of it.
func (s *serverRun) provokeFact(name string, args ...any) any {
	said := make(chan saying, 1)
	s.provoke("GET", s.pythonApp(func(py pythonSide, _ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		value, err := py.Fact(name, args...)
		said <- saying{value, err}
		return nil, errProbe
	}))
	return s.hear(said)
}

// hear takes what was said before the response came.
func (s *serverRun) hear(said <-chan saying) any {
	select {
	case t := <-said:
		if t.err != nil {
			s.fatalf("expected the application to get on, it got %v", t.err)
		}
		return t.value
	default:
		s.fatalf("expected the application to be called, it was not")
		return nil
	}
}

// object is an application that returns a body of the Python side, whose
// events are recorded.
func (s *serverRun) object(name string, args ...any) app {
	return s.pythonApp(func(py pythonSide, _ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		return py.Object(name, s.record.add, args...)
	})
}

// items is the list that value is.
func items(value any) []any {
	list, _ := value.([]any)
	return list
}

// entry is the value of a key of the map that value is.
func entry(value any, key string) any {
	dict, _ := value.(map[string]any)
	return dict[key]
}

// raised is what a fact says of a call: the class and the text of what it
// raised, "" when it raised nothing.
func raised(value any) string {
	list := items(value)
	if len(list) != 2 || list[0] == "" {
		return ""
	}
	return fmt.Sprintf("%v: %v", list[0], list[1])
}
