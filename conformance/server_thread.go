package conformance

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverThreadProbes look at requests that run at the same time.
var serverThreadProbes = []probe[*serverSubject]{
	onServer("ENV-18", "wsgi.multithread", func(s *serverRun) {
		var m encounter
		// One that says it runs several is given more than one chance to show it.
		for range 3 {
			if m = s.encounter(); m.met || !m.multithread {
				break
			}
		}
		switch {
		case m.met && !m.multithread && m.multiprocess:
			s.skipf("the server has several processes, and two requests at once may have been in two of them")
		case m.met && !m.multithread:
			s.faultf("expected wsgi.multithread to be true where two requests are in the application at once, it is false")
		case !m.met && m.multithread:
			s.skipf("not decided: wsgi.multithread is true, and of two requests one came into the application after the other")
		}
	}),
	onServer("CGI-10", "nothing of the request before", func(s *serverRun) {
		var environs []map[string]any
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			s.mu.Lock()
			environs = append(environs, environ.Map())
			s.mu.Unlock()
			return s.sized("ok")(environ, start)
		})
		c := s.dial()
		r := s.receive(c.send(s.request("GET", s.path, "Cookie: secret=1", "Authorization: Basic eA==", "X-One: 1", "Content-Type: a/b")), "GET")
		if r.closes() || r.framing == "close" {
			c = s.dial()
		}
		if _, err := c.send(s.request("GET", s.path)).receive("GET"); err != nil { // a server need not keep a connection
			s.receive(s.dial().send(s.request("GET", s.path)), "GET")
		}
		s.mu.Lock()
		seen := slices.Clone(environs)
		s.mu.Unlock()
		if len(seen) != 2 {
			s.left("SRV-01", fmt.Sprintf("two requests made %d calls", len(seen)))
		}
		for _, key := range []string{"HTTP_COOKIE", "HTTP_AUTHORIZATION", "HTTP_X_ONE", "CONTENT_TYPE"} {
			// A server may make up a CONTENT_TYPE, which is another probe's affair.
			if value := seen[1][key]; value != nil && value != "" && value == seen[0][key] {
				s.faultf("expected no %s in a request without that header, got %q, which the request before it had", key, value)
			}
		}
	}),
	onServer("THR-02", "requests do not mix", func(s *serverRun) {
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			id := environ.Var("QUERY_STRING")
			body := make([]byte, len(id))
			if _, err := io.ReadFull(environ.Input(), body); err != nil {
				return nil, err
			}
			return s.answer("200 OK", plainText("X-Id", id), blocksOf(id, " ", string(body)))(environ, start)
		})
		// Each connection has its request at once: a server that takes one
		// after the other would wait for the first to speak.
		// There are no more of them than the shortest queue of connections holds.
		s.together(4, func(i int) {
			for round := range 4 {
				id := fmt.Sprint("request-", i, "-", round)
				c := s.dial()
				c.send(s.request("POST", s.path+"?"+id, fmt.Sprintf("Content-Length: %d", len(id))) + id)
				r, err := c.receive("POST")
				c.Close()
				if err != nil || r.headers.Get("X-Id") != id || r.body != id+" "+id {
					s.faultf("expected the answer to %s, got %s", id, got(r, err))
				}
			}
		})
	}),
}

// encounter is what came of two requests at the same time.
type encounter struct {
	met                       bool // they were in the application at once
	multithread, multiprocess bool // as environ has it
}

// encounter makes two requests of which each waits in the application for the
// other: not for long where the server says that it runs one at a time.
func (s *serverRun) encounter() (m encounter) {
	var mu sync.Mutex
	inside := 0
	together := make(chan struct{})
	s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		wait := 5 * moment
		mu.Lock()
		m.multithread = environ.Get("wsgi.multithread") == true
		m.multiprocess = environ.Get("wsgi.multiprocess") == true
		if m.multithread {
			wait = min(50*moment, s.patience/2)
		}
		if inside++; inside == 2 && !m.met {
			m.met = true
			close(together)
		}
		mu.Unlock()
		select {
		case <-together:
		case <-time.After(wait):
		}
		mu.Lock()
		inside--
		mu.Unlock()
		return s.sized("ok")(environ, start)
	})
	a := s.dial().send(s.request("GET", s.path))
	b := s.dial().send(s.request("GET", s.path))
	s.receive(a, "GET")
	s.receive(b, "GET")
	mu.Lock()
	defer mu.Unlock()
	return m
}
