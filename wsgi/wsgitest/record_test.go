package wsgitest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// The context of a request ends with it.
func TestRecordContext(t *testing.T) {
	res := wsgitest.Record(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if err := environ.Context().Err(); err != nil {
			return nil, err
		}
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	}), new(wsgitest.Request))
	if res.Code != 200 || res.Environ.Context().Err() == nil {
		t.Errorf("got %s, and the context ended with %v", res.Status, res.Environ.Context().Err())
	}
}

// HTTP/1.0 has no interim responses.
func TestRecordHints(t *testing.T) {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		if err := environ.Get("wsgi.early_hints").(func(wsgi.Headers) error)(nil); err != nil {
			return nil, err
		}
		return wsgi.Response{Status: "200 OK"}.Call(environ, start)
	})
	for proto, want := range map[string]int{"HTTP/1.0": 0, "HTTP/1.1": 1} {
		if res := wsgitest.Record(app, &wsgitest.Request{Proto: proto}); res.Code != 200 || len(res.Interim) != want {
			t.Errorf("%s: got %s after %d interim responses, expected %d", proto, res.Status, len(res.Interim), want)
		}
	}
}

// A response is its owner's, whatever is recorded after it.
func TestRecordKept(t *testing.T) {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		path := environ.Var("PATH_INFO")
		return wsgi.Response{Status: "200 OK", Headers: wsgi.Headers{{Name: "X-Path", Value: path}}, Body: wsgi.Strings(path)}.Call(environ, start)
	})
	first := wsgitest.Record(app, wsgitest.NewRequest("GET", "/first"))
	for range 100 { // the gateway uses the memory of a head again, and not at once
		wsgitest.Record(app, wsgitest.NewRequest("GET", "/other"))
	}
	if path := first.Headers.Get("X-Path"); path != "/first" || first.Text() != "/first" {
		t.Errorf("the first response has become that to %s %q", path, first.Text())
	}
}

func TestRecordCases(t *testing.T) {
	for _, tc := range cases(files(t)) {
		t.Run(tc.name, func(t *testing.T) {
			res := wsgitest.Record(tc.app, tc.request)
			if diff := cmp.Diff(tc.want, visible(res)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.why, diff)
			}
		})
	}
}
