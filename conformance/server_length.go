package conformance

import (
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// serverLengthProbes look at Content-Length and at the framing of bodies.
var serverLengthProbes = []probe[*serverSubject]{
	onServer("LEN-01", "body too long", func(s *serverRun) {
		s.expect(s.get(s.answer("200 OK", plainText("Content-Length", "5"), blocksOf("abc", "defgh"))), 200, "abcde")
	}),
	onServer("LEN-02", "iteration stops", func(s *serverRun) {
		s.install(s.answer("200 OK", plainText("Content-Length", "5"), blocksOf("abc", "defgh", "never", "never")))
		s.receive(s.dial().send(s.request("GET", s.path)), "GET")
		s.record.await("end", s.patience)
		if n := s.record.count("yield"); n > 2 {
			s.faultf("expected no further block to be asked for once the Content-Length was exceeded, %d more were", n-2)
		}
	}),
	onServer("LEN-03", "write too long", func(s *serverRun) {
		s.alone("GET", s.writingWith(plainText("Content-Length", "5"), func(write wsgi.Write) {
			defer s.record.addAs("written", "")
			write([]byte("abc"))
			if _, err := write([]byte("defgh")); err == nil {
				s.faultf("expected write beyond the Content-Length to return an error, it returned none")
			}
		}))
		s.await("written") // the client has its five bytes before that
	}),
	onServer("LEN-04", "body too short", func(s *serverRun) {
		s.short(s.answer("200 OK", plainText("Content-Length", "20"), blocksOf("short")))
	}),
	onServer("LEN-04", "write too short", func(s *serverRun) {
		s.short(s.writingWith(plainText("Content-Length", "20"), func(write wsgi.Write) { write([]byte("short")) }))
	}),
	onServer("BODY-03", "one block with a length", func(s *serverRun) {
		s.expect(s.get(s.sized("one block")), 200, "one block")
	}),
	onServer("BODY-03", "two blocks with a length", func(s *serverRun) {
		s.expect(s.get(s.sized("one ", "two")), 200, "one two")
	}),
	onServer("WRITE-12", "write and one block", func(s *serverRun) {
		s.expect(s.get(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plainText(), nil)
			if err != nil || !s.given(write) {
				return wsgi.Strings("yielded"), err
			}
			write([]byte("written "))
			return wsgi.Strings("yielded"), nil
		}), 200, "written yielded")
	}),
	onServer("LEN-08", "no chunks without need", func(s *serverRun) {
		s.onHTTP1()
		for _, status := range []string{"204 No Content", "304 Not Modified"} {
			if r := s.get(s.answer(status, nil, blocksOf())); r.headers.Has("Transfer-Encoding") {
				s.faultf("expected no Transfer-Encoding on %s, got %q", status, r.headers)
			}
		}
	}),
	onServer("LEN-13", "no length on 204", func(s *serverRun) {
		for _, a := range []app{
			s.answer("204 No Content", nil, blocksOf()),
			s.answer("204 No Content", fields("Content-Length", "4"), blocksOf()),
		} {
			if r := s.get(a); r.headers.Has("Content-Length") {
				s.faultf("expected no Content-Length on 204, got %q", r.headers)
			}
		}
	}),
	onServer("LEN-13", "no invented length on HEAD", func(s *serverRun) {
		r := s.do("HEAD", "", s.answer("200 OK", plainText(), blocksOf()))
		if r.headers.Has("Content-Length") {
			s.faultf("expected no Content-Length on HEAD, the application gave none; got %q", r.headers)
		}
		r = s.do("HEAD", "", s.answer("200 OK", plainText("Content-Length", "1234"), blocksOf()))
		if got := r.headers.Get("Content-Length"); got != "1234" {
			s.faultf("expected the application's Content-Length 1234 on HEAD, got %q", got)
		}
	}),
	onServer("LEN-14", "a body whose length lies", func(s *serverRun) {
		s.install(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return lyingBody{s.body(blocksOf("one", "two", "three"))}, nil
		})
		c := s.dial().send(s.request("GET", s.path))
		// On a connection that ends there is no next response to damage.
		if r := s.receive(c, "GET"); r.complete() && !r.closes() {
			s.follow(c)
		}
	}),
	onServer("LEN-15", "empty blocks", func(s *serverRun) {
		if r, next := s.emptyBlocks(); r.body != "ab" && next == nil {
			s.left("BODY-21", "the body ends at an empty block, and so does the response")
		} else {
			s.expect(r, 200, "ab")
		}
	}),
	onServer("HTTP-15", "HEAD", func(s *serverRun) {
		s.onHTTP()
		s.expect(s.do("HEAD", "", s.answer("200 OK", plainText(), blocksOf("no", "body"))), 200, "")
		s.expect(s.do("HEAD", "", s.sized("no body")), 200, "")
		s.expect(s.do("HEAD", "", s.answer("200 OK", plainText("Content-Length", "6"), blocksOf("no", "body"))), 200, "")
		s.expect(s.do("HEAD", "", s.writing(func(write wsgi.Write) { write([]byte("written")) }, "yielded")), 200, "")
	}),
	onServer("HTTP-16", "204 and 304", func(s *serverRun) {
		s.onHTTP()
		s.expect(s.get(s.answer("204 No Content", nil, blocksOf("no body"))), 204, "")
		s.expect(s.get(s.answer("304 Not Modified", fields("ETag", `"x"`), blocksOf("no body"))), 304, "")
	}),
	onServer("HTTP-17", "framing for HTTP/1.0", func(s *serverRun) {
		s.onHTTP1()
		for _, a := range []app{
			s.answer("200 OK", plainText(), blocksOf("old ", "client")),
			s.sized("old client"),
			s.answer("200 OK", plainText("Content-Length", "10"), blocksOf("old ", "client")),
		} {
			s.install(a)
			c := s.dial().send("GET " + s.path + " HTTP/1.0\r\n\r\n")
			r := s.receive(c, "GET")
			if r.framing == "chunked" || r.framing == "both" {
				s.faultf("expected no chunks to a client that speaks HTTP/1.0, got %v", r)
			}
			s.expect(r, 200, "old client")
		}
	}),
	onServer("HTTP-19", "pipelined requests", func(s *serverRun) {
		s.onHTTP1()
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return s.answer("200 OK", plainText(), blocksOf("number ", environ.Var("QUERY_STRING")))(environ, start)
		})
		c := s.dial()
		c.send(s.request("GET", s.path+"?1") + s.request("DELETE", s.path+"?2") + s.request("POST", s.path+"?3", "Content-Length: 3") + "abc" +
			s.request("GET", s.path+"?4"))
		for i, method := range []string{"GET", "DELETE", "POST", "GET"} {
			r, err := c.receive(method)
			want := []string{"number 1", "number 2", "number 3", "number 4"}[i]
			if err == errClosed && i > 0 {
				return // a server may answer one at a time, and close
			}
			if err != nil || r.body != want || r.code != 200 {
				s.fatalf("expected response %d of four to be 200 %q, got %s", i+1, want, got(r, err))
			}
		}
	}),
}

// sized is an application whose body has a length.
func (s *serverRun) sized(blocks ...string) app {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", plainText(), nil); err != nil {
			return nil, err
		}
		return wsgi.Strings(blocks...), nil
	}
}

// short expects that a body which is too short is not waited for, and that
// nothing is put into the gap.
func (s *serverRun) short(a app) {
	s.install(a)
	c := s.dial().send(s.request("GET", s.path) + s.request("GET", goodPath))
	r, err := c.receive("GET")
	if err != nil {
		s.fatalf("expected the beginning of the response, got %v", err)
	}
	if r.complete() || isTimeout(r.err) || !strings.HasPrefix("short", r.body) {
		s.faultf("expected the body %q and then the end of the connection, got %v", "short", r)
	}
}

// lyingBody has one block to judge by its Len, and more in truth.
type lyingBody struct{ *recorded }

func (lyingBody) Len() int { return 1 }
