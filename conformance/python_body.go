package conformance

import (
	"slices"
	"strings"
)

// pythonBodyProbes look at how bodies of all shapes are iterated and closed.
var pythonBodyProbes = append(pythonShapes("a list", "a tuple", "a deque", "a generator", "a map", "an iterator", "an object with __iter__"),
	onPython("BODY-12", "close of the object that was returned", func(s *serverRun) {
		s.expect(s.alone("GET", s.object("watched")), 200, shapedBody)
		s.await("close")
		if s.record.has("close of the iterator") {
			s.faultf("expected close of the object that the application returned, close of its iterator was called")
		}
	}),
	onPython("BODY-19", "one iterator", func(s *serverRun) {
		s.expect(s.alone("GET", s.object("watched")), 200, shapedBody)
		s.await("close")
		if n := s.record.count("iter"); n != 1 {
			s.faultf("expected one iterator to be made of the body, %d were", n)
		}
	}),
	onPython("BODY-23", "not asked beyond the end", func(s *serverRun) {
		s.expect(s.alone("GET", s.object("watched")), 200, shapedBody)
		s.await("close")
		if n := s.record.count("end"); n != 1 {
			s.faultf("expected no iterator to be asked for more when it has ended, it was asked %d times more", n-1)
		}
	}),
	onPython("BODY-13", "close when there is no iterator", func(s *serverRun) {
		s.provoke("GET", s.object("unwilling"))
		s.closed()
	}),
	onPython("BODY-17", "no other attribute", func(s *serverRun) {
		s.expect(s.alone("GET", s.object("tempting")), 200, shapedBody)
		s.await("close")
		for _, event := range slices.Compact(s.record.all()) {
			if name, ok := strings.CutPrefix(event, "attribute "); ok {
				s.faultf("expected nothing of a body to be used but iteration, len and close, its attribute %s was asked for", name)
			}
		}
	}),
	onPython("STR-03", "text is not lost in silence", func(s *serverRun) {
		s.install(s.object("text"))
		r, err := s.dial().send(s.request("GET", s.path)).receive("GET")
		const text = "text, and more"
		if err == nil && r.code == 200 && r.complete() && r.framing != "close" && r.body != text {
			s.faultf("expected a body of str to be refused, or to be sent as the bytes of %q, got %v", text, r)
		}
	}),
)

const shapedBody = "one, two, three"

// pythonShapes makes a probe of each shape that an iterable of blocks can
// have.
func pythonShapes(shapes ...string) (probes []probe[*serverSubject]) {
	for _, shape := range shapes {
		probes = append(probes, onPython("BODY-18", shape, func(s *serverRun) {
			s.expect(s.alone("GET", s.object("shape", shape)), 200, shapedBody)
		}))
	}
	return probes
}
