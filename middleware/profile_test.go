package middleware_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// recording is where a profile goes.
type recording struct {
	bytes.Buffer
	closed int
	err    error // of Close
}

func (r *recording) Close() error {
	r.closed++
	return r.err
}

// text is the profile without its compression: its strings can be searched.
func (r *recording) text(t *testing.T) string {
	t.Helper()
	z, err := gzip.NewReader(&r.Buffer)
	if err != nil {
		t.Fatalf("the profile is not one: %v", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var burnt int

// What an iteration costs is in the profile, not only the call.
//
//go:noinline
func burnInCall() { burn() }

//go:noinline
func burnInBody() { burn() }

// burn takes some 100 ms of the processor, of which 10 are a sample.
func burn() {
	for i := range 150_000_000 {
		burnt += i & burnt
	}
}

// TestProfile sees that the profile has what the request did, under its label.
func TestProfile(t *testing.T) {
	to := new(recording)
	app := middleware.Profile(func(*wsgi.Environ) io.WriteCloser { return to })(wsgi.AppFunc(
		func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			burnInCall()
			_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				burnInBody()
				if label := goroutineLabels(t); !strings.Contains(label, `"request":"profiled"`) {
					t.Errorf("the labels of the iteration are %q", label)
				}
				yield([]byte("done"), nil)
			}), err
		}))
	if res := wsgitest.Do(t, app, get("/")); res.Text() != "done" || to.closed != 1 {
		t.Errorf("got %q, and the writer was closed %d times, expected once", res.Text(), to.closed)
	}
	profile := to.text(t)
	for _, want := range []string{"burnInCall", "burnInBody", "profiled"} {
		if !strings.Contains(profile, want) {
			t.Errorf("the profile has no %q", want)
		}
	}
}

// TestProfileEnds sees that a recording ends on every path: else there would be
// no other one in the life of the process.
func TestProfileEnds(t *testing.T) {
	errFull := errors.New("the disk is full")
	tests := []struct {
		name string
		app  wsgi.Application
		err  error // of the writer's Close
	}{
		{name: "error", app: breaks(errors.New("broken"))},
		{name: "panic", app: wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("broken") })},
		{name: "no body", app: wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, nil })},
		{name: "writer fails", app: wsgi.Response{Status: "200 OK"}, err: errFull},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			to := &recording{err: tt.err}
			app := middleware.Profile(func(*wsgi.Environ) io.WriteCloser { return to })(tt.app)
			res := wsgitest.Record(app, get("/"))
			if to.closed != 1 {
				t.Errorf("the writer was closed %d times, expected once", to.closed)
			}
			if tt.err != nil && !errors.Is(res.Fault, tt.err) {
				t.Errorf("the operator is told of %v, expected %v", res.Fault, tt.err)
			}
			if err := pprof.StartCPUProfile(io.Discard); err != nil {
				t.Errorf("another profile cannot be begun: %v", err)
			}
			pprof.StopCPUProfile()
		})
	}
}

// TestProfileBusy sees that a request which cannot be recorded is served, and
// that it is said.
func TestProfileBusy(t *testing.T) {
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	defer pprof.StopCPUProfile()
	to := new(recording)
	app := middleware.Profile(func(*wsgi.Environ) io.WriteCloser { return to })(wsgi.Response{Status: "200 OK", Body: wsgi.Strings("served")})
	res := wsgitest.Record(app, get("/"))
	if res.Text() != "served" || !strings.Contains(res.Errors, "is not recorded") || to.closed != 1 || to.Len() != 0 {
		t.Errorf("got %q, the report %q, %d bytes of profile, closed %d times", res.Text(), res.Errors, to.Len(), to.closed)
	}
}

// TestProfileContract keeps the contract, recorded or not.
func TestProfileContract(t *testing.T) {
	keeps(t, someProfiles(10))
}

// someProfiles records one request of every n: its end takes a while.
func someProfiles(n int64) wsgi.Middleware {
	var count atomic.Int64
	return middleware.Profile(func(*wsgi.Environ) io.WriteCloser {
		if count.Add(1)%n != 1 {
			return nil
		}
		return new(recording)
	})
}
