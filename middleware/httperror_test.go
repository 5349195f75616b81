package middleware_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func TestHTTPError(t *testing.T) {
	tests := []struct {
		name   string
		err    *middleware.HTTPError
		status string
		text   string
	}{
		{"phrase", &middleware.HTTPError{Code: 404}, "404 Not Found", "Not Found\n"},
		{"detail", &middleware.HTTPError{Code: 400, Detail: "no such <b>date</b>"}, "400 Bad Request", "no such <b>date</b>\n"},
		{"the reason is not told", &middleware.HTTPError{Code: 503, Err: errApp}, "503 Service Unavailable", "Service Unavailable\n"},
		{"unknown code", &middleware.HTTPError{Code: 499}, "499 Error", "Error\n"},
		{"no code", &middleware.HTTPError{}, "500 Internal Server Error", "Internal Server Error\n"},
		{"no code of an error", &middleware.HTTPError{Code: 200}, "500 Internal Server Error", "Internal Server Error\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Do(t, conformance.NewLinter(t).Lint(tt.err), &wsgitest.Request{})
			if res.Status != tt.status || res.Text() != tt.text || tt.err.Status() != tt.status {
				t.Errorf("got %s %q, expected %s %q", res.Status, res.Text(), tt.status, tt.text)
			}
			head := wsgitest.Do(t, tt.err, &wsgitest.Request{Method: "HEAD"})
			if diff := cmp.Diff(res.Headers, head.Headers); diff != "" {
				t.Errorf("headers for HEAD (-GET +HEAD):\n%s", diff)
			}
		})
	}
	err := fmt.Errorf("wrapped: %w", &middleware.HTTPError{Code: 405, Detail: "use POST", Headers: headers("Allow", "POST"), Err: io.EOF})
	if want := "wrapped: 405 Method Not Allowed: use POST: EOF"; err.Error() != want || !errors.Is(err, io.EOF) {
		t.Errorf("the error is %q, expected %q", err, want)
	}
	var app wsgi.Application
	if !errors.As(err, &app) {
		t.Fatal("the error is no application")
	}
	typed := &middleware.HTTPError{Code: 400, Detail: "{}", Headers: headers("content-type", "application/json")}
	for name, tt := range map[string]struct {
		app  wsgi.Application
		want wsgi.Headers
	}{
		"plain text":        {app, headers("Content-Type", "text/plain; charset=utf-8", "X-Content-Type-Options", "nosniff", "Content-Length", "9", "Allow", "POST")},
		"a type, one alone": {typed, headers("X-Content-Type-Options", "nosniff", "Content-Length", "3", "content-type", "application/json")},
	} {
		if diff := cmp.Diff(tt.want, wsgitest.Do(t, tt.app, &wsgitest.Request{}).Headers); diff != "" {
			t.Errorf("%s: headers (-want +got):\n%s", name, diff)
		}
	}
}
