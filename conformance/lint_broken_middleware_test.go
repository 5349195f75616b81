package conformance_test

import (
	"github.com/gowsgi/gowsgi/wsgi"
)

// middlewareMutants are middleware between two observers.
func middlewareMutants() []mutant {
	all := func(inner wsgi.Iterable) []byte {
		var b []byte
		for block := range inner.Blocks {
			b = append(b, block...)
		}
		return b
	}
	pairs := func(inner wsgi.Iterable, yield func([]byte, error) bool) {
		var kept []byte
		n := 0
		for block, err := range inner.Blocks {
			if err != nil {
				yield(nil, err)
				return
			}
			kept = append(kept, block...)
			if n++; n == 2 {
				if !yield(kept, nil) {
					return
				}
				kept = nil
			}
		}
		yield(kept, nil)
	}
	// replace is a middleware that makes its own body of the inner one.
	replace := func(body func(inner wsgi.Iterable) wsgi.Iterable) wsgi.Middleware {
		return func(app wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				inner, err := app.Call(e, start)
				if err != nil {
					return inner, err
				}
				return body(inner), nil
			})
		}
	}
	lengthy := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", append(plain.Clone(), wsgi.Header{Name: "Content-Length", Value: "3"}), nil)
		return wsgi.Strings("abc"), err
	})
	return []mutant{
		between("MW-04", "collects", good, filter(func(inner wsgi.Iterable, yield func([]byte, error) bool) {
			yield(all(inner), nil)
		})),
		// AMB-42: who holds data back yields an empty block meanwhile.
		between("MW-05", "pairs", good, filter(pairs)),
		between("MW-06", "drops the last", good, filter(func(inner wsgi.Iterable, yield func([]byte, error) bool) {
			n := 0
			for block, err := range inner.Blocks {
				if n++; n < 3 && !yield(block, err) {
					return
				}
			}
		})),
		between("MW-07", "reads at once", good, replace(func(inner wsgi.Iterable) wsgi.Iterable {
			b := all(inner)
			inner.Close()
			return wsgi.Bytes(b)
		})),
		between("MW-08", "writes", good, func(app wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				var write wsgi.Write
				inner, err := app.Call(e, func(status string, headers wsgi.Headers, excInfo error) (w wsgi.Write, err error) {
					write, err = start(status, headers, excInfo)
					return write, err
				})
				if err != nil {
					return inner, err
				}
				return body{inner, func(inner wsgi.Iterable, yield func([]byte, error) bool) {
					for block := range inner.Blocks {
						write(block)
					}
				}}, nil
			})
		}),
		between("MW-10", "no Close", good, replace(func(inner wsgi.Iterable) wsgi.Iterable {
			return wsgi.Generator(inner.Blocks)
		})),
		between("MW-10", "another body", good, replace(func(wsgi.Iterable) wsgi.Iterable { return wsgi.Bytes([]byte("mine")) })),
		between("MW-10", "an error", good, func(app wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				app.Call(e, start)
				return nil, errBroken
			})
		}),
		between("MW-11", "doubles", lengthy, filter(func(inner wsgi.Iterable, yield func([]byte, error) bool) {
			for block, err := range inner.Blocks {
				if !yield(append(block[:len(block):len(block)], block...), err) {
					return
				}
			}
		})),
		between("MW-12", "drops exc_info", wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("500 Internal Server Error", plain.Clone(), errBroken)
			return generator("x"), err
		}), func(app wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(e *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				return app.Call(e, func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
					return start(status, headers, nil)
				})
			})
		}),
		between("MW-18", "keeps Len", good, replace(func(inner wsgi.Iterable) wsgi.Iterable {
			return sized{body{inner, func(inner wsgi.Iterable, yield func([]byte, error) bool) {
				inner.Blocks(yield)
				yield([]byte("more"), nil)
			}}, 3}
		})),
		between("MW-19", "hides the error", failing(1), filter(func(inner wsgi.Iterable, yield func([]byte, error) bool) {
			for block, err := range inner.Blocks {
				if err != nil || !yield(block, nil) {
					return
				}
			}
		})),
	}
}
