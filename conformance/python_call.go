package conformance

import "github.com/gowsgi/gowsgi/wsgi"

// pythonCallProbes look at how a Python server calls.
var pythonCallProbes = []probe[*serverSubject]{
	onPython("CALL-04", "two positional arguments", func(s *serverRun) {
		how := s.how()
		if named := items(how["named"]); len(named) > 0 {
			s.faultf("expected the application to be called with two positional arguments, it was called with the keywords %v", named)
		}
		if more, _ := how["more"].(int); more > 0 {
			s.faultf("expected the application to be called with two arguments, it was called with %d", 2+more)
		}
	}),
	onPython("CALL-01", "like any other callable", func(s *serverRun) {
		const body = "by whatever callable"
		s.expect(s.get(s.answer("200 OK", plainText(), blocksOf("by ", "whatever ", "callable"))), 200, body)
		s.expect(s.get(s.sized(body)), 200, body)
		how := s.how()
		for _, name := range items(how["touched"]) {
			s.faultf("expected the application, which is a %v, to be called and not looked at; its attribute %v was asked for", how["shape"], name)
		}
	}),
}

// how makes a request and returns how the application was called.
func (s *serverRun) how() map[string]any {
	said := make(chan saying, 1)
	s.alone("GET", s.pythonApp(func(py pythonSide, environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		said <- saying{value: py.How()}
		return s.sized("ok")(environ, start)
	}))
	how, _ := s.hear(said).(map[string]any)
	return how
}
