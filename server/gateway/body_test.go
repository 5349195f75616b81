package gateway_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayBody is about the returned iterable: how it is iterated, and
// what of it is used.
func TestGatewayBody(t *testing.T) {
	runExchanges(t, []exchange{
		{
			name: "BODY-01/nil",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("X-Stale", "1"), nil)
				return nil, nil
			},
			want:    failed,
			reports: []string{"ERROR application failed (BODY-01)"},
		}, {
			// A nil pointer in an interface is not nil; it is a body that
			// panics, and its Close panics as well.
			name: "BODY-01/typed-nil",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				var body *probeBody
				return body, nil
			},
			want:    failed,
			reports: []string{"ERROR application failed", "ERROR closing the response body failed"},
		}, {
			name: "BODY-01/nil-generator",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Generator(nil), nil
			},
			want:    failed,
			reports: []string{"ERROR application failed"},
		}, {
			// stream. Covers: BUF-01, BUF-02, BUF-03, BUF-06, BODY-25
			name: "BODY-03/stream",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.steps("a", "b", "c"), nil
			},
			want: []string{
				"ask 1", "head 200 OK", "block a", "ask 2", "block b", "ask 3", "block c", "end", "close",
			},
		}, {
			name: "BODY-05/all-bytes",
			call: answer(nil, allBytes(), "Foo: Bar\r\n\r\nHello", "Bar\nBaz"),
			want: []string{
				"head 200 OK", "block " + allBytes(), "block Foo: Bar\r\n\r\nHello", "block Bar\nBaz", "end", "close",
			},
		}, {
			// booby-trapped. Covers: BODY-18, EXT-01
			name: "BODY-17/booby-trapped",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return trappedBody{p.body("a", "b"), trap{p.t}}, nil
			},
			want: []string{"head 200 OK", "block a", "block b", "end", "close"},
		}, {
			name: "BODY-02/stock-bodies",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return wsgi.Reader(bytes.NewReader([]byte("abcde")), 2), nil
			},
			want: []string{"head 200 OK", "block ab", "block cd", "block e", "end"},
		}, {
			// A body may be deaf to yield's result; the gateway is not.
			name: "BODY-23/nothing-after-an-error",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					p.note("more: %t", yield(nil, errBoom))
					p.note("more: %t", yield([]byte("b"), nil))
					p.note("more: %t", yield(nil, nil))
				}), nil
			},
			want:    []string{"head 200 OK", "block a", "more: false", "more: false", "more: false", "close"},
			reports: []string{"ERROR response cut"},
		}, {
			// A block that comes with an error is not data: the error ends it.
			name: "BODY-23/block-with-error",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) { yield([]byte("a"), errBoom) }), nil
			},
			want:    join(failed, []string{"close"}),
			reports: []string{"ERROR application failed"},
		},
	})

	t.Run("BODY-21/ten-thousand-empties", func(t *testing.T) {
		got := request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				if n := testing.AllocsPerRun(10_000, func() { yield(nil, nil) }); n != 0 {
					t.Errorf("an empty block costs %v allocations, expected none", n)
				}
				yield([]byte("a"), nil)
			}), nil
		})
		if diff := cmp.Diff([]string{"head 200 OK", "block a", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("BODY-22/reuse-buffer", func(t *testing.T) {
		got := request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				buffer := make([]byte, 1, 8)
				for c := byte('a'); c < 'd'; c++ {
					buffer[0] = c
					yield(buffer, nil)
					if buffer[0] != c || !bytes.Equal(buffer[1:8], make([]byte, 7)) {
						t.Errorf("the gateway changed the block: %q", buffer[:8])
					}
				}
			}), nil
		})
		if diff := cmp.Diff([]string{"head 200 OK", "block a", "block b", "block c", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})

	t.Run("BODY-19/iterated-once", func(t *testing.T) {
		iterations := 0
		request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			return p.run(func(yield func([]byte, error) bool) {
				iterations++
				yield([]byte("a"), nil)
			}), nil
		})
		if iterations != 1 {
			t.Errorf("the body was iterated %d times, expected once", iterations)
		}
	})
}

func allBytes() string {
	var b []byte
	for c := range 256 {
		b = append(b, byte(c))
	}
	return string(b)
}

// A trap has the methods that a server is tempted to use in the place of the
// contract's.
type trap struct{ t *testing.T }

func (tr trap) sprung(method string) { tr.t.Errorf("the gateway called %s", method) }

func (tr trap) WriteTo(io.Writer) (int64, error) { tr.sprung("WriteTo"); return 0, nil }
func (tr trap) Read([]byte) (int, error)         { tr.sprung("Read"); return 0, io.EOF }
func (tr trap) Bytes() []byte                    { tr.sprung("Bytes"); return nil }
func (tr trap) String() string                   { tr.sprung("String"); return "" }
func (tr trap) Name() string                     { tr.sprung("Name"); return "" }
func (tr trap) Fd() uintptr                      { tr.sprung("Fd"); return 0 }
func (tr trap) ServeHTTP(any, any)               { tr.sprung("ServeHTTP") }
func (tr trap) Next() ([]byte, error)            { tr.sprung("Next"); return nil, io.EOF }
func (tr trap) Size() int64                      { tr.sprung("Size"); return 0 }
func (tr trap) Flush() error                     { tr.sprung("Flush"); return nil }
func (tr trap) Format(fmt.State, rune)           { tr.sprung("Format") }

type trappedBody struct {
	*probeBody
	trap
}

type trappedApp struct {
	wsgi.AppFunc
	trap
}

// A constructed is the instance of a class as an application.
type constructed struct {
	*probeBody
	start wsgi.StartResponse
}

func (c constructed) Blocks(yield func([]byte, error) bool) {
	if _, err := c.start("200 OK", nil, nil); err != nil {
		yield(nil, err)
		return
	}
	c.probeBody.Blocks(yield)
}

// TestGatewayShapes serves the same logic as a function, a method value, a
// class, an instance, a value with booby traps, and from behind a middleware.
//
// Covers: CALL-01, CALL-02, CALL-03, APP-03, APP-04
func TestGatewayShapes(t *testing.T) {
	record := new(recording)
	p := &probe{t: t, recording: record}
	call := func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		start("200 OK", nil, nil)
		return p.body("same"), nil
	}
	shapes := []struct {
		name string
		app  wsgi.Application
	}{
		{"CALL-01/function", wsgi.AppFunc(call)},
		{"CALL-01/method", wsgi.AppFunc(wsgi.AppFunc(call).Call)},
		{"CALL-01/class", wsgi.AppClass[constructed](func(_ *wsgi.Environ, start wsgi.StartResponse) constructed {
			return constructed{p.body("same"), start}
		})},
		{"CALL-01/instance", &trappedApp{AppFunc: call, trap: trap{t}}},
		{"CALL-01/booby-trapped", trappedApp{call, trap{t}}},
		{"MW-02/behind-middleware", wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return trappedApp{call, trap{t}}.Call(environ, start)
		})},
	}
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			record.events = nil
			got := request{}.serveApp(t, record, shape.app)
			if diff := cmp.Diff([]string{"head 200 OK", "block same", "end", "close"}, got.events); diff != "" {
				t.Error(diff)
			}
		})
	}
}
