package conformance

// pythonEnvironProbes look at the types of the environ and of what is in it.
var pythonEnvironProbes = []probe[*serverSubject]{
	onPython("ENV-01", "a dict", func(s *serverRun) {
		if class := entry(s.environFact(), "class"); class != "dict" {
			s.faultf("expected environ to be a dict and of no other class, it is a %v", class)
		}
	}),
	onPython("ENV-22", "keys are str", func(s *serverRun) {
		for _, key := range items(entry(s.environFact(), "keys")) {
			s.faultf("expected every key of environ to be a str, got %v", key)
		}
	}),
	onPython("STR-02", "text is not bytes", func(s *serverRun) {
		for _, pair := range items(entry(s.environFact(), "bytes")) {
			s.faultf("expected a str in every variable of CGI and HTTP and in wsgi.url_scheme, got %v", pair)
		}
	}),
	onPython("STR-09", "str and no subclass", func(s *serverRun) {
		for _, pair := range items(entry(s.environFact(), "subclass")) {
			s.faultf("expected a str and no object of a subclass, got %v", pair)
		}
	}),
	onPython("STR-04", "nothing beyond Latin-1", func(s *serverRun) {
		raw := s.request("GET", "/PROBE/%E2%82%AC%C3%A9?q=%E2%82%AC", "X-Euro: \xe2\x82\xac", "Cookie: e=\xe2\x82\xac")
		for _, pair := range items(entry(s.fact(raw, "environ"), "wide")) {
			s.faultf("expected every character of environ to stand for a byte, got %v", pair)
		}
	}),
}

// environFact is what there is to know about the types in the environ of a
// request that has everything.
func (s *serverRun) environFact() any {
	return s.fact(s.request("POST", "/PROBE/path?query", "Content-Type: text/plain", "Content-Length: 2", "X-Probe: 1", "Cookie: a=1")+"ab", "environ")
}
