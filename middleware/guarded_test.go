package middleware_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// guards are the middlewares that answer in the place of an application that fails, with
// a request that each of them looks at. panics tells which take a panic for a failure.
var guards = map[string]struct {
	m       wsgi.Middleware
	request func() *wsgitest.Request
	panics  bool
}{
	"Recover":    {middleware.Recover(middleware.RecoverConfig{Log: func(*wsgi.Environ, error) {}}), post, true},
	"DebugPage":  {middleware.DebugPage(middleware.DebugPageConfig{Log: func(*wsgi.Environ, error) {}}), func() *wsgitest.Request { return developer("/") }, true},
	"Timeout":    {middleware.Timeout(time.Hour), post, false},
	"BodyLimit":  {middleware.BodyLimit(10), post, false},
	"DecodeBody": {middleware.DecodeBody(middleware.DecodeBodyConfig{}), func() *wsgitest.Request { return post().With("Content-Encoding", "gzip") }, false},
	"Recursive":  {middleware.Recursive(), post, false},
}

// post is a request with a body of no declared length.
func post() *wsgitest.Request {
	req := wsgitest.NewRequest("POST", "/")
	req.Stream = io.LimitReader(zeros{}, 5)
	return req
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// returns is an application that returns body and err.
func returns(body wsgi.Iterable, err error) wsgi.Application {
	return wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return body, err })
}

func TestGuards(t *testing.T) {
	start := func(string, wsgi.Headers, error) (wsgi.Write, error) { return nil, nil }
	for name, g := range guards {
		t.Run(name+", neither body nor error", func(t *testing.T) {
			body, err := g.m(returns(nil, nil)).Call(g.request().Environ(), start)
			if body != nil || err != nil {
				t.Errorf("got %v, error %v; expected neither, which the server has a word for", body, err)
			}
		})
		t.Run(name+", a body and an error", func(t *testing.T) {
			var closes atomic.Int32
			// http.ErrAbortHandler is one that nobody answers.
			app := returns(tracked{Generator: blocks(nil, "a"), closed: &closes}, http.ErrAbortHandler)
			req := g.request()
			req.ExpectErrors = true
			res := wsgitest.Do(t, g.m(app), req)
			if closes.Load() != 1 || !errors.Is(res.Err, http.ErrAbortHandler) {
				t.Errorf("the body was closed %d times, the response ends with %v", closes.Load(), res.Err)
			}
		})
		t.Run(name+", a panic", func(t *testing.T) {
			for value, passes := range map[any]bool{"oh": !g.panics, http.ErrAbortHandler: true} {
				for _, inBody := range []bool{false, true} {
					var got any
					func() {
						defer func() { got = recover() }()
						body, err := g.m(raises(value, inBody)).Call(g.request().Environ(), start)
						if err == nil {
							defer body.Close()
							body.Blocks(func([]byte, error) bool { return true })
						}
					}()
					if passes != (got == value) {
						t.Errorf("%v, in the body %v: recovered %v, expected it to pass: %v", value, inBody, got, passes)
					}
				}
			}
		})
	}
}

// What was passed on is passed on, whether somebody outside holds it back or not; and a
// body that was stopped is over.
func TestRecoverPassesOn(t *testing.T) {
	m := middleware.Recover(middleware.RecoverConfig{
		Log:  func(_ *wsgi.Environ, err error) { t.Errorf("logged %v", err) },
		Page: func(*wsgi.Environ, error) wsgi.Application { return text("page") },
	})
	run := func(app wsgi.Application, more bool) (yielded []string, failed error) {
		body := bodyOf(t, m(app))
		defer body.Close()
		body.Blocks(func(block []byte, err error) bool {
			if yielded = append(yielded, string(block)); err != nil {
				failed = err
			}
			return more
		})
		return yielded, failed
	}
	if yielded, failed := run(streams(errApp, "begun"), true); len(yielded) != 2 || yielded[0] != "begun" || failed != errApp {
		t.Errorf("yields %q and %v, expected what was begun, and its failure", yielded, failed)
	}
	if yielded, failed := run(streams(errApp, "begun", ""), true); len(yielded) != 3 || failed != errApp {
		t.Errorf("yields %q and %v, expected what was begun, and its failure", yielded, failed)
	}
	// A body that goes on, when it was stopped or has failed, is not heard any more.
	unruly := func(err error) wsgi.Application {
		return wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, started := start("200 OK", nil, nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				yield([]byte("one"), nil)
				yield(nil, err)
				yield([]byte("two"), nil)
			}), started
		})
	}
	if yielded, failed := run(unruly(nil), false); len(yielded) != 1 || failed != nil {
		t.Errorf("yields %q and %v when it was stopped at the first", yielded, failed)
	}
	if yielded, failed := run(unruly(errApp), true); len(yielded) != 2 || failed != errApp {
		t.Errorf("yields %q and %v, expected nothing after the failure", yielded, failed)
	}
	panics := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := start("200 OK", nil, nil)
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			if !yield(nil, nil) {
				panic("stopped")
			}
		}), err
	})
	if yielded, failed := run(panics, false); len(yielded) != 1 || failed != nil {
		t.Errorf("yields %q and %v when it was stopped at the first", yielded, failed)
	}
}

// A response that was replaced has two bodies, and both are closed, whatever becomes of
// the other.
func TestRecoverClosesBoth(t *testing.T) {
	errFirst, errPage := errors.New("closing the first"), errors.New("closing the page")
	for _, panicking := range []bool{false, true} {
		var first, second atomic.Int32
		page := returns(tracked{Generator: blocks(nil, "page"), closed: &second, err: errPage}, nil)
		m := middleware.Recover(middleware.RecoverConfig{Page: func(*wsgi.Environ, error) wsgi.Application { return page }, Log: func(*wsgi.Environ, error) {}})
		broken := tracked{Generator: blocks(errApp), closed: &first, err: errFirst}
		app := returns(broken, nil)
		if panicking {
			app = returns(closePanics{broken}, nil)
		}
		body := bodyOf(t, m(app))
		body.Blocks(func([]byte, error) bool { return true })
		err := closing(body)
		if first.Load() != 1 || second.Load() != 1 || !panicking && (!errors.Is(err, errFirst) || !errors.Is(err, errPage)) {
			t.Errorf("panicking %v: closed %d times and %d times, error %v", panicking, first.Load(), second.Load(), err)
		}
		if err := body.Close(); first.Load() != 1 || second.Load() != 1 || err != nil {
			t.Errorf("panicking %v: a second Close closes again, or has the error %v", panicking, err)
		}
	}
}

// closePanics is a body whose Close panics.
type closePanics struct{ tracked }

func (b closePanics) Close() error {
	b.tracked.Close()
	panic("in Close")
}

func closing(body wsgi.Iterable) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%v", v)
		}
	}()
	return body.Close()
}

// streamed is a body that hands over files.
type streamed struct {
	wsgi.Generator
	stream func(yield func([]byte, error) bool, sendFile func(*os.File, int64) (int64, error))
}

func (s streamed) StreamFiles(yield func([]byte, error) bool, sendFile func(*os.File, int64) (int64, error)) {
	s.stream(yield, sendFile)
}

// A file is passed on, or is not, as a block is.
func TestGuardedFiles(t *testing.T) {
	type yields = func([]byte, error) bool
	type sends = func(*os.File, int64) (int64, error)
	answers := middleware.Recover(middleware.RecoverConfig{Page: func(*wsgi.Environ, error) wsgi.Application { return text("page") }, Log: func(*wsgi.Environ, error) {}})
	tests := []struct {
		name   string
		m      wsgi.Middleware
		stream func(yield yields, send sends)
		more   bool
		want   []string
	}{
		{"a failure after a file", answers, func(yield yields, send sends) { send(nil, 1); yield(nil, errApp) }, true, []string{"file", "the application failed"}},
		{"a file after a failure", answers, func(yield yields, send sends) { yield(nil, errApp); send(nil, 1) }, true, []string{"page"}},
		{"a file after the end", answers, func(yield yields, send sends) { yield([]byte("x"), nil); send(nil, 1) }, false, []string{"x"}},
		{"a file that is late", middleware.Timeout(time.Second), func(yield yields, send sends) {
			time.Sleep(time.Minute)
			if _, err := send(nil, 1); !errors.Is(err, middleware.ErrTimeout) {
				t.Errorf("sending a file has the error %v", err)
			}
			yield([]byte("and more"), nil)
		}, true, []string{"The request took too long.\n"}},
		{"a file that is late after another", middleware.Timeout(time.Second), func(yield yields, send sends) {
			send(nil, 1)
			time.Sleep(time.Minute)
			send(nil, 1)
		}, true, []string{"file", middleware.ErrTimeout.Error()}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
					_, err := start("200 OK", nil, nil)
					return streamed{stream: tt.stream}, err
				})
				body := bodyOf(t, tt.m(app))
				defer body.Close()
				var got []string
				body.(wsgi.FileStreamer).StreamFiles(func(block []byte, err error) bool {
					if err != nil {
						block = []byte(err.Error())
					}
					got = append(got, string(block))
					return tt.more
				}, func(_ *os.File, n int64) (int64, error) {
					got = append(got, "file")
					return n, nil
				})
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("what is passed on (-want +got):\n%s", diff)
				}
			})
		})
	}
}
