package gateway_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGatewayThreads is about requests side by side. It is meant for -race.
func TestGatewayThreads(t *testing.T) {
	// overlap: from the call to the close no other request is in the
	// application. The counter has no lock: the race detector looks on.
	t.Run("THR-01/single", func(t *testing.T) {
		g := &gateway.Gateway{SingleThread: true, Errors: io.Discard}
		inside := 0
		step := func(change int) {
			if inside += change; inside != 1 {
				t.Errorf("%d requests are in the application", inside)
			}
			for range 10 {
				runtime.Gosched() // to whom would be in the application now
			}
		}
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				request{gateway: g}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
					step(+1)
					if p.environ.Get("wsgi.multithread") != false {
						t.Error("wsgi.multithread is true")
					}
					start("200 OK", nil, nil)
					body := p.run(func(yield func([]byte, error) bool) {
						step(0)
						yield([]byte("a"), nil)
						step(0)
					})
					body.close = func() error { step(0); inside--; return nil }
					return body, nil
				})
			})
		}
		wg.Wait()
	})
	t.Run("THR-01/turn-is-given-back", func(t *testing.T) {
		g := &gateway.Gateway{SingleThread: true}
		for _, end := range []func(){func() { panic("at the disco") }, func() { panic(errAbort) }, func() {}} {
			request{gateway: g}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
				end()
				return nil, nil
			})
		}
	})
	t.Run("ENV-18/multi", func(t *testing.T) {
		// Two requests meet inside the application, which the flag allows.
		g := &gateway.Gateway{Errors: io.Discard}
		var wg sync.WaitGroup
		meeting := make(chan bool)
		for i := range 2 {
			wg.Go(func() {
				request{gateway: g}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
					if i == 0 {
						meeting <- true
					} else {
						<-meeting
					}
					if p.environ.Get("wsgi.multithread") != true {
						t.Error("wsgi.multithread is false")
					}
					return answer(nil)(p, start)
				})
			})
		}
		wg.Wait()
	})
	t.Run("THR-02/own-state", func(t *testing.T) {
		g := &gateway.Gateway{Environ: map[string]string{"DEPLOYED": "yes"}, Errors: io.Discard}
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				own := fmt.Sprint(i)
				r := request{gateway: g, input: strings.NewReader(own), source: variables{"HTTP_OWN": own}}
				got := r.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
					write, _ := start("200 OK", fields("X-Own", p.environ.Header("Own")), nil)
					body, _ := io.ReadAll(p.input)
					write(body)
					return p.body(p.environ.Var("DEPLOYED")), nil
				})
				want := []string{"head 200 OK; X-Own: " + own, "block " + own, "block yes", "end", "close"}
				if diff := cmp.Diff(want, got.events); diff != "" {
					t.Error(diff)
				}
			})
		}
		wg.Wait()
	})
	// What only the goroutine of Serve may touch, without any lock: the race
	// detector would complain if another one iterated or closed.
	t.Run("THR-03/one-goroutine", func(t *testing.T) {
		state := 0
		request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			state++
			start("200 OK", nil, nil)
			body := p.run(func(yield func([]byte, error) bool) { state++; yield([]byte("a"), nil); state++ })
			body.close = func() error { state++; return nil }
			return body, nil
		})
		if state != 4 {
			t.Errorf("%d steps, expected 4", state)
		}
	})
}

// TestGatewayLeak is about callables and streams that outlive their request,
// or are used by other goroutines during it.
func TestGatewayLeak(t *testing.T) {
	over := &wsgi.ContractError{Rule: "SRV-10"}
	t.Run("SRV-10/after-the-request", func(t *testing.T) {
		var (
			start wsgi.StartResponse
			write wsgi.Write
			kept  *probe
			yield func([]byte, error) bool
			hints func(wsgi.Headers) error
		)
		r := request{
			input: strings.NewReader("left over"),
			adorn: func(w *wire) gateway.Transport { return hintWire{w} },
		}
		got := r.serve(t, func(p *probe, s wsgi.StartResponse) (wsgi.Iterable, error) {
			kept, start = p, s
			write, _ = s("200 OK", nil, nil)
			hints = p.environ.Get("wsgi.early_hints").(func(wsgi.Headers) error)
			return p.run(func(y func([]byte, error) bool) { yield = y; y([]byte("a"), nil) }), nil
		})
		done := make(chan struct{})
		go func() {
			defer close(done)
			if _, err := start("200 OK", nil, nil); !errors.Is(err, over) {
				t.Errorf("start_response: %v", err)
			}
			if _, err := start("200 OK", nil, errBoom); !errors.Is(err, over) {
				t.Errorf("start_response with exc_info: %v", err)
			}
			if n, err := write([]byte("more")); n != 0 || !errors.Is(err, over) {
				t.Errorf("write: %d, %v", n, err)
			}
			if yield([]byte("more"), nil) {
				t.Error("yield returned true")
			}
			if err := hints(nil); !errors.Is(err, over) {
				t.Errorf("early_hints: %v", err)
			}
			if n, err := kept.input.Read(make([]byte, 1)); n != 0 || !errors.Is(err, over) {
				t.Errorf("input: %d, %v", n, err)
			}
			// The dictionary may be kept, and the log knows no requests.
			if kept.environ.Var("PATH_INFO") != "/" {
				t.Error("the environ has gone")
			}
			if _, err := kept.environ.Errors().WriteString("late\n"); err != nil {
				t.Errorf("errors: %v", err)
			}
		}()
		<-done
		if diff := cmp.Diff(got.events, kept.all()); diff != "" {
			t.Errorf("events after the end:\n%s", diff)
		}
	})

	// Nobody may do this. It must not corrupt the response all the same, nor
	// call the transport concurrently.
	t.Run("SRV-10/during-the-request", func(t *testing.T) {
		var blocks atomic.Int64
		got := request{}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, _ := start("200 OK", nil, nil)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for {
						if _, err := write([]byte("w")); err != nil {
							return
						}
						blocks.Add(1)
						start("200 Again", nil, nil)
						p.environ.Errors().WriteString("x\n")
					}
				})
			}
			body := p.run(func(yield func([]byte, error) bool) {
				for yield([]byte("y"), nil) {
					runtime.Gosched()
				}
			})
			body.close = func() error { wg.Wait(); return nil }
			return body, nil
		})
		if got.err == nil {
			t.Error("a second start_response went unnoticed")
		}
		if blocks.Load() == 0 {
			t.Error("nothing was written")
		}
	})

	t.Run("SRV-10/other-request", func(t *testing.T) {
		// The first request's write is used while the second one runs.
		g := new(gateway.Gateway)
		var leaked wsgi.Write
		request{gateway: g}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			leaked, _ = start("200 OK", nil, nil)
			return p.body(), nil
		})
		got := request{gateway: g, ctx: context.Background()}.serve(t, func(p *probe, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, _ := start("200 OK", nil, nil)
			leaked([]byte("stale"))
			write([]byte("fresh"))
			return p.body(), nil
		})
		if diff := cmp.Diff([]string{"head 200 OK", "block fresh", "end", "close"}, got.events); diff != "" {
			t.Error(diff)
		}
	})
}
