package conformance

import "slices"

// pythonFileProbes look at wsgi.file_wrapper with objects of Python's own.
var pythonFileProbes = []probe[*serverSubject]{
	onPython("FILE-03", "one argument or two", func(s *serverRun) {
		calls := items(s.wrapperFact("wrapper_calls"))
		for i, arguments := range []string{"(file)", "(file, 5)"} {
			if i < len(calls) && raised(calls[i]) != "" {
				s.faultf("expected wsgi.file_wrapper%s to make a wrapper, it raised %s", arguments, raised(calls[i]))
			}
		}
	}),
	onPython("FILE-05", "bytes", func(s *serverRun) {
		wrapper := s.wrapperFact("wrapper")
		if types := items(entry(wrapper, "types")); !slices.Equal(types, []any{"bytes"}) {
			s.faultf("expected a wrapped file to give bytes, got %v", types)
		}
		if content := string(s.bytesOf(entry(wrapper, "content"))); content != "file content" {
			s.faultf("expected a wrapped file to give its content, %q, got %q", "file content", content)
		}
	}),
	onPython("FILE-08", "close of the wrapper", func(s *serverRun) {
		wrapper := s.wrapperFact("wrapper_close")
		if entry(wrapper, "has close") != true {
			s.faultf("expected the wrapper of a file that has close to have it too, it has not")
		} else if n := entry(wrapper, "closed"); n != 1 {
			s.faultf("expected close of the wrapper to close the file once, it was closed %v times", n)
		}
	}),
	onPython("FILE-14", "a file without descriptor", func(s *serverRun) {
		if s.fact(s.request("GET", "/PROBE"), "has_file_wrapper") != true {
			s.skipf(noWrapper)
		}
		s.expect(s.alone("GET", s.object("wrapped_memory")), 200, "file content")
	}),
}

// wrapperFact is what the server makes of a file-like object.
func (s *serverRun) wrapperFact(name string) any {
	if s.fact(s.request("GET", "/PROBE"), "has_file_wrapper") != true {
		s.skipf(noWrapper)
	}
	return s.fact(s.request("GET", "/PROBE"), name)
}
