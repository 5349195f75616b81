package conformance

// pythonStartProbes look at what a start_response of Python's takes.
var pythonStartProbes = append([]probe[*serverSubject]{
	onPython("START-25", "None for exc_info", func(s *serverRun) {
		if got := items(s.provokeFact("start_none")); len(got) == 2 && raised(got[0]) != "" {
			s.faultf("expected start_response(status, headers, None) to be the same as without None, it raised %s", raised(got[0]))
		}
	}),
	onPython("START-25", "None for exc_info at a second call", func(s *serverRun) {
		got := items(s.provokeFact("start_none"))
		if len(got) != 2 || raised(got[0]) != "" || raised(got[1]) != "" {
			return
		}
		if raised(s.provokeFact("start_twice")) != "" { // else it is START-19's affair
			s.faultf("expected a second start_response with None for exc_info to be refused, it was not")
		}
	}),
	onPython("START-15", "outside of the except block", func(s *serverRun) {
		s.provoke("GET", s.object("late_exc_info"))
		s.told()
		if s.record.has("nothing") {
			s.left("START-14", "start_response with exc_info does not raise after output")
		}
		for _, event := range s.record.all() {
			if event != "the original" && event != "told" {
				s.faultf("expected start_response to raise the exception that it was given as exc_info when the except block is left, it raised %s", event)
			}
		}
	}),
	onPython("START-21", "an exception is not kept", func(s *serverRun) {
		s.provoke("GET", s.object("kept_exc_info"))
		s.told()
		if s.record.has("kept") {
			s.faultf("expected nobody to keep the exception that was given as exc_info while the body is sent, somebody does")
		}
	}),
},
	pythonRefusals(
		"headers as a tuple", "headers as an iterator", "headers as a dict", "header as a list", "header of three",
		"name as bytes", "value as bytes", "value as a number", "value beyond Latin-1",
		"status as bytes", "status as a number", "status beyond Latin-1",
	)...)

// told waits until the object of the Python side has told what it has seen.
func (s *serverRun) told() {
	if !s.record.await("told", s.patience) {
		s.skipf("not decided: the body was not iterated to its end")
	}
}

// pythonRefusals makes a probe of each head that start_response should refuse
// for the types or the characters in it.
func pythonRefusals(heads ...string) (probes []probe[*serverSubject]) {
	for _, head := range heads {
		probes = append(probes, onPython("START-22", "refuses "+head, func(s *serverRun) {
			if raised(s.provokeFact("refuses", head)) == "" {
				s.faultf("expected start_response to refuse a %s, it raised nothing", head)
			}
		}))
	}
	return probes
}
