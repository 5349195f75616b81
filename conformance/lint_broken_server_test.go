package conformance_test

import (
	"bytes"
	"io"
	"iter"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
)

// serverMutants are servers, or middleware in their role, that break one rule.
func serverMutants() []mutant {
	input := wsgi.NewInput(nil)
	errs := wsgi.NewErrors(io.Discard)
	return []mutant{
		{"CALL-04", "no start_response", func(l *conformance.Linter) {
			l.Lint(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
				return nil, errBroken
			})).Call(get().Environ(), nil)
		}},
		{"ENV-01", "no environ", func(l *conformance.Linter) { drain(serve(l.Lint(good), nil)) }},
		byEnviron("ENV-03", "no SERVER_NAME", map[string]any{"SERVER_NAME": nil}),
		byEnviron("ENV-03", "no wsgi.input", map[string]any{"wsgi.input": nil}),
		byEnviron("ENV-03", "no wsgi.errors", map[string]any{"wsgi.errors": nil}),
		byEnviron("ENV-05", "capitals", map[string]any{"server.Key": "x"}),
		byEnviron("ENV-05", "no prefix", map[string]any{".key": "x"}),
		byEnviron("ENV-07", "a number", map[string]any{"REMOTE_PORT": 80}),
		byEnviron("ENV-07", "nil bytes", map[string]any{"HTTP_X": []byte("x")}),
		byEnviron("ENV-14", "a slice", map[string]any{"wsgi.version": []int{1, 0}}),
		byEnviron("ENV-14", "2.0", map[string]any{"wsgi.version": [2]int{2, 0}}),
		byEnviron("ENV-15", "ftp", map[string]any{"wsgi.url_scheme": "ftp"}),
		byEnviron("ENV-15", "empty", map[string]any{"wsgi.url_scheme": ""}),
		byEnviron("ENV-16", "a string", map[string]any{"wsgi.input": "body"}),
		byEnviron("ENV-17", "a string", map[string]any{"wsgi.errors": "log"}),
		byEnviron("ENV-18", "a string", map[string]any{"wsgi.multithread": "true"}),
		byEnviron("ENV-19", "a number", map[string]any{"wsgi.multiprocess": 1}),
		byEnviron("ENV-20", "a number", map[string]any{"wsgi.run_once": 0}),
		byEnviron("CGI-01", "empty", map[string]any{"REQUEST_METHOD": ""}),
		byEnviron("CGI-07", "empty", map[string]any{"SERVER_NAME": ""}),
		byEnviron("CGI-08", "empty", map[string]any{"SERVER_PORT": ""}),
		byEnviron("CGI-09", "a number", map[string]any{"SERVER_PROTOCOL": "1.1"}),
		byEnviron("CGI-12", "type", map[string]any{"HTTP_CONTENT_TYPE": "text/plain"}),
		byEnviron("CGI-12", "length", map[string]any{"HTTP_CONTENT_LENGTH": "0"}),
		byEnviron("CGI-13", "script", map[string]any{"SCRIPT_NAME": "shop"}),
		byEnviron("CGI-13", "path", map[string]any{"PATH_INFO": "cart"}),
		byEnviron("CGI-14", "slash", map[string]any{"SCRIPT_NAME": "/"}),
		byEnviron("CGI-15", "neither", map[string]any{"SCRIPT_NAME": nil, "PATH_INFO": nil}),
		byEnviron("CGI-16", "slash at the end", map[string]any{"SCRIPT_NAME": "/shop/"}),
		byEnviron("CGI-21", "signed", map[string]any{"CONTENT_LENGTH": "+1"}),
		byEnviron("CGI-22", "a name", map[string]any{"SERVER_PORT": "http"}),
		byEnviron("CGI-30", "two words", map[string]any{"REQUEST_METHOD": "GET IT"}),
		byEnviron("COM-01", "a string", map[string]any{"wsgi.input_terminated": "yes"}),
		byEnviron("COM-02", "false", map[string]any{"wsgi.input_terminated": false}),
		byEnviron("INPUT-01", "lines only", map[string]any{"wsgi.input": readLine{input}}),
		byEnviron("INPUT-02", "a reader", map[string]any{"wsgi.input": onlyRead{input}}),
		byEnviron("INPUT-03", "no ReadLines", map[string]any{"wsgi.input": struct {
			onlyRead
			readLine
			lines
		}{onlyRead{input}, readLine{input}, lines{input}}}),
		byEnviron("INPUT-04", "no Lines", map[string]any{"wsgi.input": struct {
			onlyRead
			readLine
			readLines
		}{onlyRead{input}, readLine{input}, readLines{input}}}),
		byEnviron("LOG-01", "no Flush", map[string]any{"wsgi.errors": new(bytes.Buffer)}),
		byEnviron("LOG-02", "no Write", map[string]any{"wsgi.errors": interface{ Flush() error }(flusher{})}),
		byEnviron("LOG-03", "no WriteLines", map[string]any{"wsgi.errors": struct {
			flusher
			*strings.Builder
		}{flusher{}, new(strings.Builder)}}),
		byEnviron("FILE-03", "a string", map[string]any{"wsgi.file_wrapper": "sendfile"}),
		{"INPUT-01", "too much", func(l *conformance.Linter) {
			misread(l, boastful{wsgi.NewInput(strings.NewReader("x"))}, func(in wsgi.InputStream) { in.Read(make([]byte, 1)) })
		}},
		{"INPUT-02", "two lines", func(l *conformance.Linter) {
			misread(l, unbroken{input}, func(in wsgi.InputStream) { in.ReadLine(-1) })
		}},
		{"INPUT-03", "an element of two lines", func(l *conformance.Linter) {
			misread(l, joined{wsgi.NewInput(strings.NewReader("one\ntwo\n"))}, func(in wsgi.InputStream) { in.ReadLines(0) })
		}},
		{"INPUT-04", "an iteration of two lines", func(l *conformance.Linter) {
			misread(l, joined{wsgi.NewInput(strings.NewReader("one\ntwo\n"))}, func(in wsgi.InputStream) {
				for range in.Lines() {
				}
			})
		}},
		{"INPUT-07", "goes on by iteration", func(l *conformance.Linter) {
			misread(l, wsgi.NewInput(strings.NewReader(strings.Repeat("line\n", 21))), func(in wsgi.InputStream) {
				for range in.Lines() {
				}
			})
		}},
		{"INPUT-07", "goes on", func(l *conformance.Linter) {
			misread(l, wsgi.NewInput(strings.NewReader(strings.Repeat("x", 101))), func(in wsgi.InputStream) { io.ReadAll(in) })
		}},
		{"INPUT-07", "goes on with lines", func(l *conformance.Linter) {
			misread(l, wsgi.NewInput(strings.NewReader(strings.Repeat("line\n", 21))), func(in wsgi.InputStream) { in.ReadLines(0) })
		}},
		{"SRV-02", "the same again", func(l *conformance.Linter) {
			app, environ := l.Lint(good), get().Environ()
			for range 2 {
				b := serve(app, environ)
				drain(b)
				b.Close()
			}
		}},
		{"SRV-10", "late write accepted", func(l *conformance.Linter) {
			var write wsgi.Write
			b := serve(l.Lint(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (_ wsgi.Iterable, err error) {
				write, err = start("200 OK", plain.Clone(), nil)
				return generator("x"), err
			})), get().Environ())
			drain(b)
			b.Close()
			write([]byte("late"))
		}},
		{"SRV-10", "late start accepted", func(l *conformance.Linter) {
			var leaked wsgi.StartResponse
			b := serve(l.Lint(wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				leaked = start
				return good(e, start)
			})), get().Environ())
			drain(b)
			b.Close()
			leaked("500 Internal Server Error", plain.Clone(), errBroken)
		}},
		{"START-02", "no write", func(l *conformance.Linter) {
			b, _ := l.Lint(good).Call(get().Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
			drain(b)
			b.Close()
		}},
		byServer("BODY-08", "never closed", drain),
		{"BODY-09", "failed and never closed", func(l *conformance.Linter) {
			drain(serve(l.Lint(failing(1)), get().Environ()))
		}},
		byServer("BODY-10", "stopped and never closed", func(b wsgi.Iterable) {
			for range b.Blocks {
				break
			}
		}),
		byServer("BODY-13", "never used", func(wsgi.Iterable) {}),
		byServer("BODY-11", "closed twice", func(b wsgi.Iterable) {
			drain(b)
			b.Close()
			b.Close()
		}),
		byServer("BODY-19", "iterated twice", func(b wsgi.Iterable) {
			drain(b)
			drain(b)
			b.Close()
		}),
		byServer("BODY-19", "iterated after Close", func(b wsgi.Iterable) {
			b.Close()
			drain(b)
		}),
		byServer("BODY-22", "block changed", func(b wsgi.Iterable) {
			for block := range b.Blocks {
				block[0] ^= 1
			}
			b.Close()
		}),
		{"BODY-22", "written block changed", func(l *conformance.Linter) {
			b, _ := l.Lint(writing("x")).Call(get().Environ(), func(string, wsgi.Headers, error) (wsgi.Write, error) {
				return func(block []byte) (int, error) { block[0] ^= 1; return len(block), nil }, nil
			})
			b.Close()
		}},
		byEnviron("LOG-01", "a writer", map[string]any{"wsgi.errors": struct {
			io.Writer
			io.StringWriter
		}{errs, errs}}),
	}
}

type flusher struct{}

func (flusher) Flush() error { return nil }

// boastful returns more than was asked for.
type boastful struct{ wsgi.InputStream }

func (boastful) Read(p []byte) (int, error) { return len(p) + 1, nil }

// unbroken does not know where a line ends.
type unbroken struct{ wsgi.InputStream }

func (unbroken) ReadLine(int) ([]byte, error) { return []byte("a\nb\n"), nil }

// misread serves an application that reads from a broken stream.
func misread(l *conformance.Linter, in wsgi.InputStream, read func(wsgi.InputStream)) {
	environ := get().Environ()
	environ.Set("wsgi.input", in)
	environ.Set("CONTENT_LENGTH", "100")
	environ.Delete("wsgi.input_terminated")
	serve(l.Lint(reading(read)), environ).Close()
}

// joined gives all lines as one, but for ReadLine.
type joined struct{ wsgi.InputStream }

func (in joined) ReadLines(int) ([][]byte, error) {
	all, err := io.ReadAll(in)
	return [][]byte{all}, err
}

func (in joined) Lines() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { yield(io.ReadAll(in)) }
}

// reading is an application that does something with the input.
func reading(read func(wsgi.InputStream)) wsgi.AppFunc {
	return func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		read(e.Input())
		_, err := start("204 No Content", nil, nil)
		return wsgi.Empty(), err
	}
}

// failing is an application whose body fails after n blocks.
func failing(n int) wsgi.AppFunc {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", plain.Clone(), nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for range n {
				if !yield([]byte("block"), nil) {
					return
				}
			}
			yield(nil, errBroken)
		}), err
	}
}

// writing is an application that writes its blocks.
func writing(blocks ...string) wsgi.AppFunc {
	return func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		write, err := start("200 OK", plain.Clone(), nil)
		if err != nil {
			return nil, err
		}
		for _, b := range blocks {
			if _, err := write([]byte(b)); err != nil {
				return nil, err
			}
		}
		return generator(), nil
	}
}
