package wsgitest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// fakeT is a test that keeps its failures.
type fakeT struct {
	testing.TB
	failures []string
}

func (t *fakeT) Helper()           {}
func (t *fakeT) Error(args ...any) { t.failures = append(t.failures, fmt.Sprint(args...)) }

// complaint is an application that writes to wsgi.errors.
func complaint(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	environ.Errors().WriteString("disk is full\n")
	return wsgi.Response{Status: "200 OK"}.Call(environ, start)
}

func TestDoFailsTheTest(t *testing.T) {
	tests := []struct {
		name string
		app  wsgi.AppFunc
		want string // in the failure; "" for none
	}{
		{"fine", answer("200 OK", text, wsgi.Strings("hello")), ""},
		{"an honest 500", answer("500 Internal Server Error", text, wsgi.Strings("sorry")), ""},
		{"wsgi.errors", complaint, "wsgi.errors: disk is full"},
		{"error", answer("200 OK", text, fails(errBoom)), "application failed: boom"},
		{"panic", func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("boom") }, "do_test.go:"},
		{"cut", answer("200 OK", text, fails(errBoom, "hello")), `response "200 OK": wsgi: the response was cut`},
		{"abort", answer("200 OK", text, fails(http.ErrAbortHandler)), "abort Handler"},
		{"a broken rule that spoils nothing", answer("204 No Content", nil, wsgi.Strings("x")), "HTTP-16"},
		{"close", answer("200 OK", text, &closing{err: errBoom}), "closing the response body failed: boom"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			outcome := new(fakeT)
			wsgitest.Do(outcome, tt.app, get())
			switch {
			case tt.want == "" && outcome.failures != nil:
				t.Errorf("the test failed: %q, expected success", outcome.failures)
			case tt.want != "" && (len(outcome.failures) != 1 || !strings.Contains(outcome.failures[0], tt.want)):
				t.Errorf("the test's failures: %q, expected one with %q", outcome.failures, tt.want)
			}

			outcome = new(fakeT)
			req := get()
			req.ExpectErrors = true
			wsgitest.Do(outcome, tt.app, req)
			if outcome.failures != nil {
				t.Errorf("with ExpectErrors the test failed: %q", outcome.failures)
			}
		})
	}
}

// A client that leaves is no fault of the application (ERR-15).
func TestDoClientLeft(t *testing.T) {
	endless := func() wsgi.Iterable {
		return wsgi.Generator(func(yield func([]byte, error) bool) {
			for yield([]byte("tick"), nil) {
			}
		})
	}
	t.Run("after some blocks", func(t *testing.T) {
		req := get()
		req.LeaveAfter = 3
		res := wsgitest.Do(t, answer("200 OK", text, endless()), req)
		if len(res.Blocks) != 3 || res.Err == nil {
			t.Errorf("%d blocks and error %v, expected 3 and an error", len(res.Blocks), res.Err)
		}
	})
	t.Run("by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		req := get()
		req.Context = ctx
		var seen error
		app := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			cancel()
			<-environ.Context().Done()
			seen = environ.Context().Err()
			return answer("200 OK", text, endless())(environ, start)
		}
		res := wsgitest.Do(t, wsgi.AppFunc(app), req)
		if seen == nil || res.Code != 0 || res.Err == nil || res.Closes != 1 {
			t.Errorf("context error %v, code %d, error %v, %d closes; expected an error, 0, an error, 1",
				seen, res.Code, res.Err, res.Closes)
		}
	})
}

// The application runs in the test's goroutine, so it may end the test.
func TestDoGoexit(t *testing.T) {
	body := &closing{}
	done := make(chan bool)
	go func() {
		returned := false
		defer func() { done <- returned }()
		wsgitest.Record(answer("200 OK", text, body.exiting()), get())
		returned = true
	}()
	if returned := <-done; returned || body.closes != 1 {
		t.Errorf("Record returned: %v, body closed %d times; expected no return and 1", returned, body.closes)
	}
}
