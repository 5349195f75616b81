package conformance_test

import (
	"io"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
)

// applicationMutants are applications that break one rule behind our server.
func applicationMutants() []mutant {
	header := func(name, value string) wsgi.Header { return wsgi.Header{Name: name, Value: value} }
	return []mutant{
		byHead("HDR-01", "no phrase", "200"),
		byHead("HDR-01", "two spaces", "200  OK"),
		byHead("HDR-02", "blank at the end", "200 OK "),
		byHead("HDR-03", "tab", "200 O\tK"),
		byHead("HDR-04", "line feed", "200 OK\n"),
		byHead("HDR-05", "too small", "099 Low"),
		byHead("HDR-09", "blank in a name", "200 OK", header("X Y", "z")),
		byHead("HDR-09", "legal and odd", "200 OK", header("X-Odd_", "z")),
		byHead("HDR-10", "colon", "200 OK", header("X:", "z")),
		byHead("HDR-11", "line feed", "200 OK", header("X", "a\nb")),
		byHead("HDR-13", "TE", "200 OK", header("TE", "trailers")),
		byHead("HDR-14", "close", "200 OK", header("Connection", "close")),
		byHead("HDR-14", "Keep-Alive", "200 OK", header("keep-alive", "5")),
		byHead("LEN-09", "chunked", "200 OK", header("Transfer-Encoding", "chunked")),
		byHead("HTTP-05", "upgrade", "200 OK", header("Upgrade", "websocket")),
		byHead("HDR-19", "Status", "200 OK", header("Status", "200 OK")),
		byHead("HDR-20", "type of nothing", "204 No Content", header("Content-Type", "text/plain")),
		byHead("HDR-23", "switching", "101 Switching Protocols"),
		byHead("EXP-08", "continue", "100 Continue"),
		byHead("HDR-24", "ETag", "200 OK", header("ETag", "abc")),
		byHead("HDR-24", "weak", "200 OK", header("ETag", `w/"abc"`)),
		byHead("HDR-24", "Location", "303 See Other", header("Location", "")),
		byHead("HDR-24", "length of nothing", "204 No Content", header("Content-Length", "0")),
		byHead("STR-04", "UTF-8", "200 OK", header("X-Price", "5 €")),
		byHead("LEN-10", "words", "200 OK", header("Content-Length", "many")),
		byHead("LEN-11", "twice", "200 OK", header("Content-Length", "0"), header("content-length", "0")),
		byBody("LEN-01", "too long", generator("1234"), header("Content-Length", "3")),
		byBody("LEN-01", "too long, one block", wsgi.Bytes([]byte("1234")), header("Content-Length", "3")),
		byBody("LEN-04", "too short", generator("12"), header("Content-Length", "3")),
		byBody("LEN-04", "too short, one block", wsgi.Bytes([]byte("12")), header("Content-Length", "3")),
		byBody("BODY-07", "wrong Len", sized{generator("1", "2"), 3}),
		byBody("BODY-04", "a byte at a time", generator(strings.Split(strings.Repeat("x", 2000), "")...)),
		byBody("BODY-15", "goes on after an error", wsgi.Generator(func(yield func([]byte, error) bool) {
			yield(nil, errBroken)
			yield([]byte("more"), nil)
		})),
		{"BODY-15", "goes on when stopped", func(l *conformance.Linter) {
			b := serve(l.Lint(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				_, err := start("200 OK", plain.Clone(), nil)
				return wsgi.Generator(func(yield func([]byte, error) bool) {
					for range 3 {
						yield([]byte("block"), nil)
					}
				}), err
			})), get().Environ())
			b.Blocks(func([]byte, error) bool { return false })
			b.Close()
		}},
		byApp("BODY-01", "nothing", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain.Clone(), nil)
			return nil, err
		}),
		byApp("WRITE-05", "nothing after write", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plain.Clone(), nil)
			if err == nil {
				_, err = write([]byte("all"))
			}
			return nil, err
		}),
		byApp("WRITE-08", "write in the body", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plain.Clone(), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) { write([]byte("x")) }), err
		}),
		byApp("HTTP-16", "a body of 204", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("204 No Content", nil, nil)
			return generator("x"), err
		}),
		// AMB-33: a body without a type is not forbidden, and seldom meant.
		byApp("HDR-20", "no type", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, nil)
			return generator("x"), err
		}),
		byApp("START-04", "a block before", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return generator("x"), nil
		}),
		byApp("START-04", "one block", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Bytes([]byte("x")), nil
		}),
		byApp("START-04", "an empty block before", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				yield(nil, nil)
				if _, err := start("200 OK", plain.Clone(), nil); err != nil {
					yield(nil, err)
					return
				}
				yield([]byte("x"), nil)
			}), nil
		}),
		byApp("SRV-07", "never", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return generator(), nil
		}),
		byApp("SRV-07", "never, one empty block", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Bytes(nil), nil
		}),
		byApp("SRV-10", "late start", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain.Clone(), nil)
			return closing{generator("x"), func() { late = start }}, err
		}).then(func() { late("200 OK", plain.Clone(), errBroken) }),
		byApp("SRV-10", "late write", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plain.Clone(), nil)
			return closing{generator("x"), func() { lateWrite = write }}, err
		}).then(func() { lateWrite([]byte("late")) }),
		byApp("START-12", "exc_info of a success", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain.Clone(), errBroken)
			return generator("x"), err
		}),
		byApp("START-16", "trapped in the body", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain.Clone(), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("x"), nil) {
					start("500 Internal Server Error", plain.Clone(), errBroken)
				}
			}), err
		}),
		byApp("START-16", "trapped, and more", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", plain.Clone(), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("x"), nil) {
					start("500 Internal Server Error", plain.Clone(), errBroken)
					yield([]byte("more"), nil)
				}
			}), err
		}),
		byApp("START-16", "trapped in the call", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", plain.Clone(), nil)
			if err == nil {
				write([]byte("x"))
				start("500 Internal Server Error", plain.Clone(), errBroken)
			}
			return wsgi.Bytes(nil), err
		}),
		byApp("START-19", "twice", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", plain.Clone(), nil)
			_, err := start("200 OK", plain.Clone(), nil)
			return generator("x"), err
		}),
		{"START-20", "again after a failure", func(l *conformance.Linter) {
			refuse := func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, errBroken }
			l.Lint(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", plain.Clone(), nil)
				_, err := start("200 OK", plain.Clone(), nil)
				return nil, err
			})).Call(get().Environ(), refuse)
		}},
		byApp("START-27", "changed before the body", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			headers := plain.Clone()
			_, err := start("200 OK", headers, nil)
			headers[0].Value = "text/html"
			return generator("x"), err
		}),
		byApp("START-27", "changed, one block", func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			headers := plain.Clone()
			_, err := start("200 OK", headers, nil)
			headers[0].Value = "text/html"
			return wsgi.Bytes([]byte("x")), err
		}),
		byApp("LOG-04", "CRLF", func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			e.Errors().WriteString("note\r\n")
			return good(e, start)
		}),
		{"INPUT-15", "closed", func(l *conformance.Linter) {
			environ := get().Environ()
			environ.Set("wsgi.input", closableInput{wsgi.NewInput(nil)})
			serve(l.Lint(reading(func(in wsgi.InputStream) { in.(io.Closer).Close() })), environ).Close()
		}},
		{"LOG-10", "closed", func(l *conformance.Linter) {
			environ := get().Environ()
			environ.Set("wsgi.errors", closableErrors{wsgi.NewErrors(io.Discard)})
			b := serve(l.Lint(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				e.Errors().(io.Closer).Close()
				return good(e, start)
			})), environ)
			drain(b)
			b.Close()
		}},
	}
}

// Callables that outlive their request.
var (
	late      wsgi.StartResponse
	lateWrite wsgi.Write
)

// then runs more after the mutant.
func (m mutant) then(more func()) mutant {
	run := m.run
	m.run = func(l *conformance.Linter) {
		run(l)
		more()
	}
	return m
}

type closing struct {
	wsgi.Iterable
	before func()
}

func (c closing) Close() error {
	c.before()
	return c.Iterable.Close()
}
