package middleware_test

import (
	"testing"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// holders are the middlewares that may hold a head back until the body is known.
var holders = map[string]wsgi.Middleware{
	"ETag":          middleware.ETag(),
	"ContentLength": middleware.ContentLength(),
	"Compress":      middleware.Compress(middleware.CompressConfig{MinBytes: 1}),
	"ErrorPages":    middleware.ErrorPages(middleware.ErrorPagesConfig{}),
	"Sendfile":      middleware.Sendfile(middleware.SendfileConfig{Header: "X-Sendfile", Folders: map[string]string{"/nowhere": ""}}),
}

// A head that the server would refuse is refused when it is given, and not when it is
// too late to give another.
func TestHeldIsRefusedAtOnce(t *testing.T) {
	for name, m := range holders {
		for what, bad := range map[string]struct {
			status  string
			headers wsgi.Headers
		}{
			"a status":      {"200", headers("Content-Type", "text/plain")},
			"a header":      {"200 OK", headers("Content-Type", "text/plain", "X", "a\r\nb")},
			"a hop-by-hop":  {"200 OK", headers("Content-Type", "text/plain", "Connection", "close")},
			"two of length": {"200 OK", headers("Content-Type", "text/plain", "Content-Length", "1", "Content-Length", "2")},
		} {
			var refused error
			app := wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				if _, refused = start(bad.status, bad.headers, nil); refused == nil {
					return wsgi.Strings("x"), nil
				}
				_, err := start("503 Sorry", headers("Content-Type", "text/plain"), refused)
				return wsgi.Strings("sorry"), err
			})
			res := wsgitest.Do(t, m(app), get("/").With("Accept-Encoding", "x"))
			if refused == nil || res.Code != 503 || res.Text() != "sorry" {
				t.Errorf("%s, %s: start_response has the error %v, the response is %s %q", name, what, refused, res.Status, res.Text())
			}
		}
	}
}

// The server gets the error for which a head replaces another.
func TestHeldKeepsExcInfo(t *testing.T) {
	for name, m := range holders {
		var told []error
		body, err := m(wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := start("200 OK", headers("Content-Type", "text/plain"), nil); err != nil {
				return nil, err
			}
			_, err := start("503 Sorry", headers("Content-Type", "text/plain"), errApp)
			return wsgi.Strings("sorry"), err
		})).Call(get("/").Environ(), func(_ string, _ wsgi.Headers, excInfo error) (wsgi.Write, error) {
			told = append(told, excInfo)
			return nil, nil
		})
		if err != nil || len(told) == 0 || told[len(told)-1] != errApp {
			t.Errorf("%s: the server is told of %v, error %v; expected the application's error with the last head", name, told, err)
			continue
		}
		body.Close()
	}
}
