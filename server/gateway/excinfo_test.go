package gateway_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayExcInfo is about the third argument of start_response: what it
// replaces, and when it comes too late.
func TestGatewayExcInfo(t *testing.T) {
	runExchanges(t, []exchange{
		{
			// AMB-05, exc-before.
			name: "START-13/replaces-both",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("X-Old", "1", "Content-Length", "3"), nil)
				_, err := start("500 Sorry", fields("X-New", "1"), errBoom)
				p.rule("start", err)
				return p.body("more than three"), nil
			},
			want: []string{
				"start: ok", "head 500 Sorry; X-New: 1", "block more than three", "end", "close",
			},
		}, {
			name: "START-13/empty-then-exc",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("X-Old", "1"), nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield(nil, nil)
					_, err := start("500 Sorry", fields("X-New", "1"), errBoom)
					p.rule("start", err)
					yield([]byte("sorry"), nil)
				}), nil
			},
			want: []string{"start: ok", "head 500 Sorry; X-New: 1", "block sorry", "end", "close"},
		}, {
			// Covers: START-15, START-26, ERR-02
			name: "START-14/exc-after",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", nil, nil)
				return p.run(func(yield func([]byte, error) bool) {
					yield([]byte("a"), nil)
					write, err := start("500 Sorry", fields("X-New", "1"), errBoom)
					p.note("write is nil: %t, is the original: %t", write == nil, errors.Is(err, errBoom))
					yield(nil, err)
				}), nil
			},
			want: []string{
				"head 200 OK", "block a", "write is nil: true, is the original: true", "close",
			},
			reports: []string{"ERROR response cut"},
		}, {
			name: "START-14/bad-exc-after",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("a"))
				_, err := start("bad", nil, errBoom)
				p.note("is the original: %t", errors.Is(err, errBoom))
				return nil, err
			},
			want:    []string{"head 200 OK", "block a", "is the original: true"},
			reports: []string{"ERROR response cut"},
		}, {
			// A panic keeps its identity through the conversion to an error.
			name: "START-15/panic",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				write, _ := start("200 OK", nil, nil)
				write([]byte("a"))
				panicked := &wsgi.PanicError{Value: "a value"}
				_, err := start("500 Sorry", nil, panicked)
				got := new(wsgi.PanicError)
				p.note("found: %t, the same: %t", errors.As(err, &got), got == panicked)
				return nil, err
			},
			want:    []string{"head 200 OK", "block a", "found: true, the same: true"},
			reports: []string{"ERROR response cut"},
		}, {
			name: "START-18/last-wins",
			call: func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				start("200 OK", fields("X-First", "1"), nil)
				start("500 Sorry", fields("X-Second", "1"), errBoom)
				start("503 Busy", fields("X-Third", "1"), errBoom)
				return p.body("a"), nil
			},
			want: []string{"head 503 Busy; X-Third: 1", "block a", "end", "close"},
		},
	})

	t.Run("START-21/exc_info-is-not-kept", func(t *testing.T) {
		// The error is collected while the response still streams.
		type large struct {
			error
			_ [1 << 10]byte
		}
		collected := make(chan struct{})
		got := request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", nil, nil)
			func() {
				excInfo := &large{error: errBoom}
				runtime.AddCleanup(excInfo, func(c chan struct{}) { close(c) }, collected)
				start("500 Sorry", nil, excInfo)
			}()
			return p.run(func(yield func([]byte, error) bool) {
				yield([]byte("a"), nil)
				for range 100 { // one collection is not bound to find it
					runtime.GC()
					select {
					case <-collected:
						yield([]byte("b"), nil)
						return
					case <-time.After(10 * time.Millisecond):
					}
				}
				t.Error("the error was not collected while the response streamed")
			}), nil
		})
		if got.err != nil {
			t.Error(got.err)
		}
	})
}
