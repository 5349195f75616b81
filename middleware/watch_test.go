package middleware_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime/pprof"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
)

// sizedStream is a body that is a list and hands over files.
type sizedStream struct{ streamed }

func (sizedStream) Len() int { return 1 }

// What is both a list and something with files is both to the server.
func TestWatchedIsWhatItWas(t *testing.T) {
	for name, m := range map[string]wsgi.Middleware{
		"Observe":       middleware.Observe(middleware.ObserveConfig{Finish: func(*middleware.Observation) {}}),
		"OnClose":       middleware.OnClose(func(*wsgi.Environ) error { return nil }),
		"ProfileLabels": middleware.ProfileLabels(nil),
	} {
		sent := 0
		body := bodyOf(t, m(returns(sizedStream{streamed{stream: func(_ func([]byte, error) bool, send func(*os.File, int64) (int64, error)) {
			n, err := send(nil, 7)
			if n != 7 || err != nil {
				t.Errorf("%s: sending a file gives %d, %v", name, n, err)
			}
		}}}, nil)))
		sized, isSized := body.(wsgi.Sized)
		files, hasFiles := body.(wsgi.FileStreamer)
		if !isSized || !hasFiles || sized.Len() != 1 {
			t.Fatalf("%s: a list %v, files %v, expected both", name, isSized, hasFiles)
		}
		files.StreamFiles(nil, func(_ *os.File, n int64) (int64, error) { sent += int(n); return n, nil })
		if sent != 7 {
			t.Errorf("%s: %d bytes of a file were sent, expected 7", name, sent)
		}
		body.Close()
	}
}

// A file whose sending fails, or a body that panics while files are sent, is known to
// whoever watches.
func TestObserveFilesThatFail(t *testing.T) {
	observe := func(stream func(send func(*os.File, int64) (int64, error))) *middleware.Observation {
		var seen *middleware.Observation
		m := middleware.Observe(middleware.ObserveConfig{Finish: func(o *middleware.Observation) { seen = o }})
		body := bodyOf(t, m(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, nil)
			return streamed{stream: func(_ func([]byte, error) bool, send func(*os.File, int64) (int64, error)) { stream(send) }}, err
		})))
		func() {
			defer func() { recover() }()
			body.(wsgi.FileStreamer).StreamFiles(func([]byte, error) bool { return true }, func(_ *os.File, n int64) (int64, error) { return n / 2, io.ErrClosedPipe })
		}()
		body.Close()
		return seen
	}
	if o := observe(func(send func(*os.File, int64) (int64, error)) { send(nil, 8) }); !o.Stopped || o.Bytes != 4 || o.Err != nil {
		t.Errorf("a client that left: stopped %v, %d bytes, error %v", o.Stopped, o.Bytes, o.Err)
	}
	o := observe(func(func(*os.File, int64) (int64, error)) { panic("oh") })
	if panicked := (*wsgi.PanicError)(nil); !errors.As(o.Err, &panicked) || panicked.Value != "oh" {
		t.Errorf("a panic: error %v", o.Err)
	}
}

// The labels are there while files are sent, and are gone then.
func TestProfileLabelsOfFiles(t *testing.T) {
	labelled := func() bool {
		var all bytes.Buffer
		pprof.Lookup("goroutine").WriteTo(&all, 1)
		return bytes.Contains(all.Bytes(), []byte(`"of":"files"`))
	}
	m := middleware.ProfileLabels(func(*wsgi.Environ) []string { return []string{"of", "files"} })
	during := false
	body := bodyOf(t, m(returns(streamed{stream: func(func([]byte, error) bool, func(*os.File, int64) (int64, error)) { during = labelled() }}, nil)))
	defer body.Close()
	if labelled() {
		t.Error("the labels are there before the body is iterated")
	}
	body.(wsgi.FileStreamer).StreamFiles(nil, nil)
	if !during || labelled() {
		t.Errorf("labelled while files are sent: %v; and then: %v", during, labelled())
	}
}

// However often a body is closed, the request ends once.
func TestWatchedClosesOnce(t *testing.T) {
	var closes atomic.Int32
	ends := 0
	m := middleware.OnClose(func(*wsgi.Environ) error { ends++; return errApp })
	body := bodyOf(t, m(returns(tracked{Generator: blocks(nil, "a"), closed: &closes, err: io.ErrClosedPipe}, nil)))
	if err := body.Close(); !errors.Is(err, errApp) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("Close has the error %v, expected that of the body and that of the hook", err)
	}
	if err := body.Close(); err != nil || ends != 1 || closes.Load() != 1 {
		t.Errorf("closed again: error %v, the hook ran %d times, the body was closed %d times", err, ends, closes.Load())
	}
	panicking := bodyOf(t, m(returns(closePanics{tracked{closed: &closes}}, nil)))
	if err := closing(panicking); err == nil || ends != 2 {
		t.Errorf("a Close that panics: %v, the hook ran %d times", err, ends)
	}
}
