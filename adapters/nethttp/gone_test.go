package nethttp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
)

// TestGone: when the client is gone writes fail, and nothing more is yielded.
func TestGone(t *testing.T) {
	for _, test := range []struct {
		name  string
		write func(w http.ResponseWriter) error
	}{
		{"Write", func(w http.ResponseWriter) error { _, err := w.Write(make([]byte, 5000)); return err }},
		{"WriteString", func(w http.ResponseWriter) error { _, err := io.WriteString(w, strings.Repeat("x", 5000)); return err }},
		{"Flush", func(w http.ResponseWriter) error {
			io.WriteString(w, "x")
			return http.NewResponseController(w).Flush()
		}},
		{"ReadFrom", func(w http.ResponseWriter) error {
			_, err := io.Copy(w, strings.NewReader(strings.Repeat("x", 5000)))
			return err
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			transport := recorder{after: 2, err: errCut}
			n := 0
			err, _ := run(t, handler(func(w http.ResponseWriter, r *http.Request) {
				for ; n < 10; n++ {
					if test.write(w) != nil {
						break
					}
				}
				if test.write(w) == nil {
					t.Error("a write after the failed one succeeded")
				}
			}), get(), "", &transport)
			if n != 2 || len(transport.blocks) != 2 || err == nil {
				t.Errorf("write %d failed after %d blocks, Serve returned %v; want 2, 2 and an error", n, len(transport.blocks), err)
			}
		})
	}
}

// TestGoneCause: the error says why.
func TestGoneCause(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	var got error
	runContext(ctx, handler(func(w http.ResponseWriter, r *http.Request) {
		cancel(why)
		<-r.Context().Done()
		_, got = w.Write(make([]byte, 5000))
	}), get(), "", &recorder{err: errCut})
	if !errors.Is(got, why) {
		t.Errorf("error is %v, want %v", got, why)
	}
}

func TestCloseNotify(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runContext(ctx, handler(func(w http.ResponseWriter, r *http.Request) {
		gone := w.(interface{ CloseNotify() <-chan bool }).CloseNotify()
		cancel()
		<-gone
	}), get(), "", new(recorder))
}

// TestKept: a ResponseWriter that is used when the request is over fails, and
// does no harm.
func TestKept(t *testing.T) {
	var kept http.ResponseWriter
	run(t, handler(func(w http.ResponseWriter, r *http.Request) { kept = w; io.WriteString(w, "x") }), get(), "", new(recorder))
	run(t, handler(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "y") }), get(), "", new(recorder))
	_, err := io.WriteString(kept, "z")
	if err == nil || !strings.Contains(err.Error(), "after ServeHTTP has returned") {
		t.Errorf("Write returned %v", err)
	}
	if http.NewResponseController(kept).Flush() == nil {
		t.Error("Flush returned nil")
	}
	if _, err := io.Copy(kept, strings.NewReader("z")); err == nil {
		t.Error("ReadFrom returned nil")
	}
}

// TestPull: the body works as a coroutine, where a yield from the wrong
// goroutine would end the process.
func TestPull(t *testing.T) {
	app := handler(func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprint(w, i)
			w.(http.Flusher).Flush()
		}
	})
	body, err := app.Call(wsgi.EnvironFromMap(nil), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	next, stop := iter.Pull2(body.Blocks)
	defer stop()
	for i := range 2 {
		if block, err, ok := next(); string(block) != fmt.Sprint(i) || err != nil || !ok {
			t.Errorf("block %d is %q, %v, %v", i, block, err, ok)
		}
	}
}

// TestPanickingConsumer: a panic in the loop over the blocks passes through the
// handler. One that recovers it and writes again must not reach yield.
func TestPanickingConsumer(t *testing.T) {
	body, _ := handler(func(w http.ResponseWriter, r *http.Request) {
		func() {
			defer func() { recover() }()
			w.Write(make([]byte, 5000))
		}()
		w.Write(make([]byte, 5000))
	}).Call(wsgi.EnvironFromMap(nil), func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil })
	defer func() {
		if recover() == nil {
			t.Error("the panic was lost")
		}
	}()
	calls := 0
	for range body.Blocks {
		if calls++; calls > 1 {
			t.Error("yield was called after it had panicked")
		}
		panic("consumer")
	}
}
