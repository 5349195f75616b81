package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// inputLines ends with a newline, so that whoever reads its lines need not read
// further than the body goes to know the last one.
const inputLines = "line1\nline2\nend\n"

// A server is free to let the stream go on behind the declared length
// (INPUT-06), though it should not (INPUT-07). So the probes of other rules read
// what was declared and no more.

// serverInputProbes look at wsgi.input and wsgi.errors.
var serverInputProbes = []probe[*serverSubject]{
	onServer("INPUT-01", "read", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			// All of it: a server may cut the response to a body that is not
			// read (INPUT-18).
			for i := 0; i < len(inputLines); i += 8 {
				b := make([]byte, 8)
				n, err := io.ReadFull(in, b)
				s.same("read of 8 bytes", string(b[:n]), inputLines[i:i+8], err)
			}
		})
	}),
	onServer("INPUT-02", "readline", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			for want := range strings.Lines(inputLines) {
				line, err := in.ReadLine(-1)
				s.same("ReadLine", string(line), want, err)
			}
		})
	}),
	onServer("INPUT-03", "readlines", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			lines, err := in.ReadLines(len(inputLines) - 1) // which the last line exceeds
			s.lines("ReadLines", lines, err)
		})
	}),
	onServer("INPUT-03", "readlines without a hint", func(s *serverRun) {
		s.untilEnd(inputLines, s.reader(func(in wsgi.InputStream) {
			lines, err := in.ReadLines(0)
			s.lines("ReadLines", lines, err)
		}))
	}),
	onServer("INPUT-04", "iteration", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			var lines [][]byte
			var err error
			for line, e := range in.Lines() {
				if err = e; err != nil {
					break
				}
				if lines = append(lines, slices.Clone(line)); len(lines) == 3 {
					break
				}
			}
			s.lines("Lines", lines, err)
		})
	}),
	onServer("INPUT-05", "one position for all methods", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			b := make([]byte, 2)
			_, err := io.ReadFull(in, b)
			s.same("read of 2 bytes", string(b), "li", err)
			line, err := in.ReadLine(-1)
			s.same("ReadLine after it", string(line), "ne1\n", err)
			rest := make([]byte, len("line2\nend\n"))
			n, err := io.ReadFull(in, rest)
			s.same("read of the rest", string(rest[:n]), "line2\nend\n", err)
		})
	}),
	onServer("INPUT-07", "end at the declared length", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			all, err := io.ReadAll(in)
			s.same("read to the end", string(all), inputLines, err)
		})
	}),
	onServer("INPUT-07", "lines to the end", func(s *serverRun) {
		s.input("line\nend\n", func(in wsgi.InputStream) {
			for _, want := range []string{"line\n", "end\n"} {
				line, err := in.ReadLine(-1)
				s.same("ReadLine", string(line), want, err)
			}
			if line, err := in.ReadLine(-1); len(line) > 0 || err != io.EOF {
				s.faultf("expected ReadLine at the end to return nothing and io.EOF, got %q, %v", line, err)
			}
		})
	}),
	onServer("INPUT-07", "iteration to the end", func(s *serverRun) {
		s.input("line\nend\n", func(in wsgi.InputStream) {
			var all []string
			for line, err := range in.Lines() {
				if err != nil {
					s.faultf("expected the lines of the body, got %v", err)
				}
				all = append(all, string(line))
			}
			if !slices.Equal(all, []string{"line\n", "end\n"}) {
				s.faultf("expected iteration to give %q, got %q", []string{"line\n", "end\n"}, all)
			}
		})
	}),
	onServer("INPUT-10", "the end stays the end", func(s *serverRun) {
		s.input("abc", func(in wsgi.InputStream) {
			io.ReadFull(in, make([]byte, 3))
			for range 2 {
				if n, err := in.Read(make([]byte, 5)); n != 0 || err != io.EOF {
					s.faultf("expected Read at the end to return 0 and io.EOF, got %s", got(n, err))
				}
				if lines, err := in.ReadLines(0); len(lines) > 0 || err != nil {
					s.faultf("expected ReadLines at the end to return nothing, got %s", got(fmt.Sprintf("%q", lines), err))
				}
			}
		})
	}),
	onServer("INPUT-11", "readline with a size", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			line, err := in.ReadLine(3)
			s.same("ReadLine(3)", string(line), "lin", err)
			line, err = in.ReadLine(100)
			s.same("ReadLine(100)", string(line), "e1\n", err)
		})
	}),
	onServer("INPUT-17", "read before a pipelined request", func(s *serverRun) {
		s.onHTTP1()
		good := s.request("GET", goodPath)
		before := s.dial().send(good + good)
		s.receive(before, "GET")
		if _, err := before.receive("GET"); isTimeout(err) {
			s.left("HTTP-19", "the server leaves pipelined requests unanswered")
		}
		s.install(s.reader(func(in wsgi.InputStream) { s.declared(in, "abc") }))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 3") + "abc" + good)
		s.receive(c, "POST")
		if next, err := c.receive("GET"); err != errClosed && (err != nil || next.body != goodBody) {
			s.faultf("expected the pipelined request to be whole and answered, got %v, %v", next, err)
		}
	}),
	onServer("INPUT-17", "not into the next request", func(s *serverRun) {
		s.onHTTP1()
		s.install(s.reader(func(in wsgi.InputStream) {
			all, err := io.ReadAll(in)
			s.same("read to the end", string(all), "abc", err)
		}))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 3") + "abc" + s.request("GET", goodPath))
		if _, err := c.receive("POST"); isTimeout(err) {
			s.skipf(endless)
		}
	}),
	onServer("INPUT-18", "not read", func(s *serverRun) {
		s.onHTTP1()
		for _, size := range []int{10, 300 << 10} {
			s.install(s.sized("not read"))
			c := s.dial()
			sent := make(chan bool)
			go func() {
				defer close(sent)
				c.send(s.request("POST", s.path, fmt.Sprintf("Content-Length: %d", size)) + strings.Repeat("x", size))
			}()
			// A server may close a connection with a request that nobody read,
			// and what it sent can be lost to the client then (RFC 9112, 9.6).
			if r, err := c.receive("POST"); isTimeout(err) || err == nil && (r.code != 200 || r.body != "not read") {
				s.faultf("expected a response 200 with body %q, got %v, %v", "not read", r, err)
			}
			if c.last != nil && c.last.closes() { // and how long it reads on is its own affair
				c.Close()
				<-sent
				continue
			}
			<-sent
			// Not before: a server that does not see a request which came
			// together with the body breaks HTTP-19, and not at each try.
			next, err := c.send(s.request("GET", goodPath)).receive("GET")
			c.Close()
			if err == nil && next.body != goodBody || isTimeout(err) {
				s.faultf("expected a right answer or the end of the connection after a body of %d bytes that was not read, got %s", size, got(next, err))
			}
		}
	}),
	onServer("INPUT-19", "read while the response is sent", func(s *serverRun) {
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return s.body(func(yield func([]byte, error) bool) {
				if !yield([]byte("head,"), nil) {
					return
				}
				b := make([]byte, 4)
				_, err := io.ReadFull(environ.Input(), b)
				yield(b, err)
			}), nil
		})
		// The body comes at once: a server may read it before it calls
		// (INPUT-16).
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 4") + "tail")
		s.expect(s.receive(c, "POST"), 200, "head,tail")
	}),
	onServer("INPUT-20", "empty without a body", func(s *serverRun) {
		for _, method := range []string{"GET", "POST"} {
			s.install(s.reader(func(in wsgi.InputStream) {
				all, err := io.ReadAll(in)
				s.same("read without a body", string(all), "", err)
			}))
			s.answered(s.dial().send(s.request(method, s.path)), method)
		}
	}),
	onServer("INPUT-21", "cut short", func(s *serverRun) {
		s.install(s.reader(func(in wsgi.InputStream) {
			if all, err := io.ReadAll(in); err == nil {
				s.faultf("expected an error in the place of a body's missing end, got %q and a clean end", all)
			}
		}))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 100") + "0123456789")
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
		// A server that reads the body before it calls has nothing to call for.
		s.refusable = true
		if _, err := c.receive("POST"); isTimeout(err) {
			s.faultf("expected an answer or the end of the connection when a body is cut short, there was neither")
		}
	}),
	onServer("HTTP-07", "chunked request body", func(s *serverRun) {
		s.onHTTP1()
		s.onNewHTTP()
		s.install(s.reader(func(in wsgi.InputStream) { s.declared(in, "hello world") }))
		c := s.dial().send(s.request("POST", s.path, "Transfer-Encoding: chunked", "Trailer: X-T") +
			"5\r\nhello\r\n6;ext=\"1\"\r\n world\r\n0\r\nX-T: 1\r\n\r\n")
		r := s.receive(c, "POST")
		if r.code == 411 || r.code == 501 {
			s.skipf("the server refuses chunked bodies: %q", r.line)
		}
		s.expect(r, 200, "read")
		s.follow(c)
	}),
}

// input posts a body to an application that uses wsgi.input.
func (s *serverRun) input(body string, use func(in wsgi.InputStream)) {
	s.install(s.reader(use))
	c := s.dial().send(s.request("POST", s.path, fmt.Sprintf("Content-Length: %d", len(body))) + body)
	s.answered(c, "POST")
	s.follow(c)
}

// endless is why a probe that reads to the end of a stream may say nothing.
const endless = "the stream has no end of its own: see INPUT-07"

// untilEnd is input for what cannot know the end of the body in another way
// than by coming to it.
func (s *serverRun) untilEnd(body string, a app) {
	s.install(a)
	c := s.dial().send(s.request("POST", s.path, fmt.Sprintf("Content-Length: %d", len(body))) + body)
	if _, err := c.receive("POST"); isTimeout(err) {
		s.skipf(endless)
	}
}

func (s *serverRun) same(what, came, want string, err error) {
	if came != want || err != nil {
		s.faultf("expected %s to return %q, got %s", what, want, got(quote(came), err))
	}
}

func (s *serverRun) lines(what string, lines [][]byte, err error) {
	var came []string
	for _, line := range lines {
		came = append(came, string(line))
	}
	if want := slices.Collect(strings.Lines(inputLines)); !slices.Equal(came, want) || err != nil {
		s.faultf("expected %s to give %q, got %s", what, want, got(fmt.Sprintf("%q", came), err))
	}
}
