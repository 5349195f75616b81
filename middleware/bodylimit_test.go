package middleware_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestBodyLimit(t *testing.T) {
	const limit = 10
	m := middleware.BodyLimit(limit)
	chunked := func(body string) *wsgitest.Request {
		req := wsgitest.NewRequest("POST", "/")
		req.Stream = strings.NewReader(body)
		return req
	}
	t.Run("more than was declared, on a server that does not end the body", func(t *testing.T) {
		long := middleware.SetEnv(map[string]any{"wsgi.input_terminated": nil, "wsgi.input": wsgi.NewInput(io.LimitReader(zeros{}, 1<<20))})
		req := wsgitest.NewRequest("POST", "/").Content("text/plain", "x")
		if res := wsgitest.Do(t, middleware.Chain(long, m)(reads()), req); res.Code != 413 {
			t.Errorf("got %s, expected 413", res.Status)
		}
	})
	t.Run("declared", func(t *testing.T) {
		for n, want := range map[int]int{0: 200, limit: 200, limit + 1: 413} {
			req := wsgitest.NewRequest("POST", "/").Content("text/plain", strings.Repeat("x", n))
			app := reads()
			if want == 413 { // chi finds out when it reads
				app = fails(t)
			}
			if res := wsgitest.Do(t, m(app), req); res.Code != want || want == 200 && len(res.Text()) != n {
				t.Errorf("%d bytes: got %s, expected %d", n, res.Status, want)
			}
		}
	})
	t.Run("not declared", func(t *testing.T) {
		for n, want := range map[int]int{0: 200, limit - 1: 200, limit: 200, limit + 1: 413, 100000: 413} {
			if res := wsgitest.Do(t, m(reads()), chunked(strings.Repeat("x", n))); res.Code != want || want == 200 && len(res.Text()) != n {
				t.Errorf("%d bytes: got %s with %d bytes, expected %d", n, res.Status, len(res.Text()), want)
			}
		}
	})
	t.Run("what can be read", func(t *testing.T) {
		for _, size := range []int{1, 3, limit, limit + 1, 100} {
			app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				var all []byte
				for {
					p := make([]byte, size)
					n, err := environ.Input().Read(p)
					all = append(all, p[:n]...)
					if err != nil {
						var over *middleware.HTTPError
						if string(all) != "0123456789" || !errors.As(err, &over) || over.Code != 413 {
							t.Errorf("reads of %d: got %q and the error %v", size, all, err)
						}
						if _, again := environ.Input().Read(p); again != err {
							t.Errorf("the next Read has the error %v", again)
						}
						return nil, err
					}
				}
			})
			wsgitest.Do(t, m(app), chunked("0123456789ab"))
		}
	})
	t.Run("after the first byte", func(t *testing.T) {
		app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("begun"), nil) {
					_, err := io.ReadAll(environ.Input())
					yield(nil, err)
				}
			}), err
		})
		req := chunked("0123456789ab")
		req.ExpectErrors = true
		if res := wsgitest.Do(t, m(app), req); res.Text() != "begun" || !errors.Is(res.Err, gateway.ErrCut) {
			t.Errorf("got %s %q, error %v", res.Status, res.Text(), res.Err)
		}
	})
	t.Run("zero", func(t *testing.T) {
		if res := wsgitest.Do(t, middleware.BodyLimit(0)(reads()), chunked("x")); res.Code != 413 {
			t.Errorf("got %s", res.Status)
		}
		if res := wsgitest.Do(t, middleware.BodyLimit(0)(reads()), &wsgitest.Request{}); res.Code != 200 {
			t.Errorf("no body: got %s", res.Status)
		}
	})
	t.Run("other failures go on", func(t *testing.T) {
		if res := wsgitest.Do(t, m(streams(errApp)), &wsgitest.Request{ExpectErrors: true}); res.Code != 500 || !errors.Is(res.Fault, errApp) {
			t.Errorf("got %s, reported %v", res.Status, res.Fault)
		}
	})
	panics(t, func() { middleware.BodyLimit(-1) }, "BodyLimit", "-1")
	keeps(t, middleware.BodyLimit(1<<63-1))
	keeps(t, middleware.BodyLimit(1<<20))
}
