package conformance_test

import (
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// mutant is a subject that breaks one rule.
type mutant struct {
	rule string
	name string
	run  func(l *conformance.Linter)
}

var (
	errBroken = errors.New("something broke")
	plain     = wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}
)

func get() *wsgitest.Request { return wsgitest.NewRequest("GET", "/") }

// byApp is a mutant application behind our server.
func byApp(rule, name string, app wsgi.AppFunc) mutant {
	return mutant{rule, name, func(l *conformance.Linter) { wsgitest.Record(l.Lint(app), get()) }}
}

// byHead is an application whose only fault is in its head. The body is one
// that fits code.
func byHead(rule, name, status string, headers ...wsgi.Header) mutant {
	return byApp(rule, name, func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if strings.HasPrefix(status, "2") && !strings.HasPrefix(status, "204") {
			headers = append(plain.Clone(), headers...)
		}
		if _, err := start(status, headers, nil); err != nil {
			return nil, err
		}
		return wsgi.Empty(), nil
	})
}

// byBody is an application whose only fault is in its body.
func byBody(rule, name string, body wsgi.Iterable, headers ...wsgi.Header) mutant {
	return byApp(rule, name, func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if _, err := start("200 OK", append(plain.Clone(), headers...), nil); err != nil {
			return nil, err
		}
		return body, nil
	})
}

// generator is a body of blocks that nothing is known of.
func generator(blocks ...string) wsgi.Iterable {
	return wsgi.Generator(func(yield func([]byte, error) bool) {
		for _, b := range blocks {
			if !yield([]byte(b), nil) {
				return
			}
		}
	})
}

// good is an application without a fault, whose body is watched.
var good wsgi.AppFunc = func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	if _, err := start("200 OK", plain.Clone(), nil); err != nil {
		return nil, err
	}
	return generator("one", "two", "three"), nil
}

// serve is a server without a fault, for mutants that differ from it in one
// step.
func serve(app wsgi.Application, environ *wsgi.Environ) wsgi.Iterable {
	body, err := app.Call(environ, acceptAll)
	if err != nil {
		panic(err)
	}
	return body
}

func acceptAll(string, wsgi.Headers, error) (wsgi.Write, error) {
	return func(block []byte) (int, error) { return len(block), nil }, nil
}

// byServer is a mutant server. drive gets the body of good.
func byServer(rule, name string, drive func(body wsgi.Iterable)) mutant {
	return mutant{rule, name, func(l *conformance.Linter) {
		drive(serve(l.Lint(good), get().Environ()))
	}}
}

func drain(body wsgi.Iterable) {
	for range body.Blocks {
	}
}

// byEnviron is a server whose environ has other variables than it should; nil
// is for those that it should not lack.
func byEnviron(rule, name string, changes map[string]any) mutant {
	return mutant{rule, name, func(l *conformance.Linter) {
		environ := get().Environ()
		for key, value := range changes {
			if value == nil {
				environ.Delete(key)
			} else {
				environ.Set(key, value)
			}
		}
		body := serve(l.Lint(good), environ)
		drain(body)
		body.Close()
	}}
}

// between is a mutant middleware between two observers.
func between(rule, name string, inner wsgi.Application, m wsgi.Middleware) mutant {
	return mutant{rule, name, func(l *conformance.Linter) {
		wsgitest.Record(l.Lint(m(l.Lint(inner))), get())
	}}
}

// body is an inner body with another iteration.
type body struct {
	wsgi.Iterable
	blocks func(inner wsgi.Iterable, yield func([]byte, error) bool)
}

func (b body) Blocks(yield func([]byte, error) bool) { b.blocks(b.Iterable, yield) }

// filter is a middleware that does something with the blocks of the body.
func filter(blocks func(inner wsgi.Iterable, yield func([]byte, error) bool)) wsgi.Middleware {
	return func(app wsgi.Application) wsgi.Application {
		return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			inner, err := app.Call(environ, start)
			if err != nil {
				return inner, err
			}
			return body{inner, blocks}, nil
		})
	}
}

// sized is a body that says how many blocks it has.
type sized struct {
	wsgi.Iterable
	n int
}

func (s sized) Len() int { return s.n }

// Parts of an input stream. Their methods are those of the contract.
type (
	onlyRead  struct{ io.Reader }
	readLine  struct{ s wsgi.InputStream }
	readLines struct{ s wsgi.InputStream }
	lines     struct{ s wsgi.InputStream }
)

func (r readLine) ReadLine(n int) ([]byte, error)     { return r.s.ReadLine(n) }
func (r readLines) ReadLines(n int) ([][]byte, error) { return r.s.ReadLines(n) }
func (r lines) Lines() iter.Seq2[[]byte, error]       { return r.s.Lines() }

// Streams that have a Close, although nobody may call it.

type closableInput struct{ wsgi.InputStream }

func (closableInput) Close() error { return nil }

type closableErrors struct{ wsgi.ErrorStream }

func (closableErrors) Close() error { return nil }
