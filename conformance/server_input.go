package conformance

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

const inputLines = "line1\nline2\nend"

// serverInputProbes look at wsgi.input and wsgi.errors.
var serverInputProbes = []probe[*serverSubject]{
	onServer("INPUT-01", "read", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			b := make([]byte, 8)
			n, err := io.ReadFull(in, b)
			s.same("read of 8 bytes", string(b[:n]), inputLines[:8], err)
		})
	}),
	onServer("INPUT-02", "readline", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			for _, want := range strings.SplitAfter(inputLines, "\n") {
				line, err := in.ReadLine(-1)
				s.same("ReadLine", string(line), want, err)
			}
			if line, err := in.ReadLine(-1); len(line) > 0 || err != io.EOF {
				s.faultf("expected ReadLine at the end to return nothing and io.EOF, got %q, %v", line, err)
			}
		})
	}),
	onServer("INPUT-03", "readlines", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			lines, err := in.ReadLines(0)
			s.lines("ReadLines", lines, err)
		})
	}),
	onServer("INPUT-04", "iteration", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			var lines [][]byte
			var err error
			for line, e := range in.Lines() {
				if err = e; err != nil {
					break
				}
				lines = append(lines, slices.Clone(line))
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
			rest, err := io.ReadAll(in)
			s.same("read of the rest", string(rest), "line2\nend", err)
		})
	}),
	onServer("INPUT-07", "end at the declared length", func(s *serverRun) {
		s.input(inputLines, func(in wsgi.InputStream) {
			all, err := io.ReadAll(in)
			s.same("read to the end", string(all), inputLines, err)
		})
	}),
	onServer("INPUT-10", "the end stays the end", func(s *serverRun) {
		s.input("abc", func(in wsgi.InputStream) {
			io.ReadFull(in, make([]byte, 3))
			for range 2 {
				if n, err := in.Read(make([]byte, 5)); n != 0 || err != io.EOF {
					s.faultf("expected Read at the end to return 0 and io.EOF, got %d, %v", n, err)
				}
				if lines, err := in.ReadLines(0); len(lines) > 0 || err != nil {
					s.faultf("expected ReadLines at the end to return nothing, got %q, %v", lines, err)
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
	onServer("INPUT-17", "not into the next request", func(s *serverRun) {
		s.onHTTP1()
		s.install(s.reader(func(in wsgi.InputStream) {
			all, err := io.ReadAll(in)
			s.same("read to the end", string(all), "abc", err)
		}))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 3") + "abc" + s.request("GET", goodPath))
		s.receive(c, "POST")
		if next, err := c.receive("GET"); err != errClosed && (err != nil || next.body != goodBody) {
			s.faultf("expected the pipelined request to be whole and answered, got %v, %v", next, err)
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
				c.send(s.request("GET", goodPath))
			}()
			s.expect(s.receive(c, "POST"), 200, "not read")
			next, err := c.receive("GET")
			c.Close()
			<-sent
			if err == nil && next.body != goodBody || isTimeout(err) {
				s.faultf("expected a right answer or the end of the connection after a body of %d bytes that was not read, got %v, %v", size, next, err)
			}
		}
	}),
	onServer("INPUT-19", "read while the body is sent", func(s *serverRun) {
		s.install(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plainText(), nil)
			return s.body(func(yield func([]byte, error) bool) {
				if !yield([]byte("head,"), nil) {
					return
				}
				b, err := io.ReadAll(environ.Input())
				yield(b, err)
			}), nil
		})
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 4"))
		s.await("next")
		c.send("tail")
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
			s.record.add("read")
		}))
		c := s.dial().send(s.request("POST", s.path, "Content-Length: 100") + "0123456789")
		if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
			half.CloseWrite()
		}
		s.await("read")
	}),
	onServer("HTTP-07", "chunked request body", func(s *serverRun) {
		s.onHTTP1()
		s.install(s.reader(func(in wsgi.InputStream) {
			all, err := io.ReadAll(in)
			s.same("read of a chunked body", string(all), "hello world", err)
		}))
		c := s.dial().send(s.request("POST", s.path, "Transfer-Encoding: chunked", "Trailer: X-T") +
			"5\r\nhello\r\n6;ext=\"1\"\r\n world\r\n0\r\nX-T: 1\r\n\r\n")
		s.answered(c, "POST")
		s.follow(c)
	}),
	onServer("LOG-02", "wsgi.errors takes text", func(s *serverRun) {
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			s.logging(environ.Errors(), "a line of the conformance suite\n")
			return s.sized("ok")(environ, start)
		})
	}),
	onServer("LOG-05", "wsgi.errors takes any text", func(s *serverRun) {
		s.get(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			s.logging(environ.Errors(), "\u20ac \U0001F600 \xff\xfe\n")
			return s.sized("ok")(environ, start)
		})
	}),
}

// logging uses the methods of an error stream.
func (s *serverRun) logging(errs wsgi.ErrorStream, text string) {
	for _, call := range []struct {
		name string
		err  error
	}{
		{"WriteString", second(errs.WriteString(text))},
		{"Write", second(errs.Write([]byte(text)))},
		{"WriteLines", errs.WriteLines(text, text)},
		{"Flush", errs.Flush()},
	} {
		if call.err != nil {
			s.faultf("expected %s of wsgi.errors to take %q, got %v", call.name, text, call.err)
		}
	}
}

func second(_ int, err error) error { return err }

// input posts a body to an application that uses wsgi.input.
func (s *serverRun) input(body string, use func(in wsgi.InputStream)) {
	s.install(s.reader(use))
	c := s.dial().send(s.request("POST", s.path, fmt.Sprintf("Content-Length: %d", len(body))) + body)
	s.answered(c, "POST")
	s.follow(c)
}

// answered expects the answer of reader.
func (s *serverRun) answered(c *wireConn, method string) {
	s.expect(s.receive(c, method), 200, "read")
}

func (s *serverRun) reader(use func(in wsgi.InputStream)) app {
	return func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		use(environ.Input())
		return s.sized("read")(environ, start)
	}
}

func (s *serverRun) same(what, got, want string, err error) {
	if got != want || err != nil {
		s.faultf("expected %s to return %q, got %q, %v", what, want, got, err)
	}
}

func (s *serverRun) lines(what string, lines [][]byte, err error) {
	var got []string
	for _, line := range lines {
		got = append(got, string(line))
	}
	if want := strings.SplitAfter(inputLines, "\n"); !slices.Equal(got, want) || err != nil {
		s.faultf("expected %s to give %q, got %q, %v", what, want, got, err)
	}
}
