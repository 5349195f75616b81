package sandwich

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Kinds are applications that produce a response in each way that there is.
func Kinds(t testing.TB) map[string]wsgi.Application {
	kinds := PlainKinds()
	kinds["one block"] = Text(strings.Repeat("one block ", 400))
	kinds["stream"] = Streams(nil, "a", "", strings.Repeat("stream ", 1000), "z")
	kinds["file"] = File(t, strings.Repeat("file ", 20000))
	return kinds
}

// PlainKinds are the same for a process of its own, where what is sent is sent for
// each request anew, and where there is no test.
func PlainKinds() map[string]wsgi.Application {
	return map[string]wsgi.Application{
		"one block":      Text("one block, and no more"),
		"small":          Text("small"),
		"stream":         Streams(nil, "a", "", "stream", "z"),
		"write":          Writes("written ", "and ", "yielded"),
		"late":           Late("200 OK", "better ", "late"),
		"late 404":       Late("404 Not Found", "no ", "such"),
		"file":           shortFile("a file, and no more"),
		"input":          Reads(),
		"empty":          Answer("200 OK", ""),
		"no content":     wsgi.Response{Status: "204 No Content"},
		"not modified":   wsgi.Response{Status: "304 Not Modified", Headers: Headers("ETag", `"x"`)},
		"not found":      Answer("404 Not Found", "no such thing", "Content-Type", "text/plain"),
		"length":         Answer("200 OK", "12345", "Content-Type", "text/plain", "Content-Length", "5", "ETag", `"v1"`),
		"fails":          wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { return nil, ErrApp }),
		"fails later":    Streams(ErrApp, "begun ", "and"),
		"fails at first": Streams(ErrApp),
		"recovers": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if _, err := start("200 OK", Headers("Content-Length", "999", "ETag", `"old"`), nil); err != nil {
				return nil, err
			}
			_, err := start("503 Sorry", Headers("Content-Type", "text/plain"), ErrApp)
			return wsgi.Strings("later"), err
		}),
		"panics": wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("oh") }),
		"panics later": wsgi.AppFunc(func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", Headers("Content-Type", "text/plain"), nil)
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("begun"), nil) {
					panic("oh")
				}
			}), nil
		}),
	}
}

// ByKind is the application that a request asks for.
func ByKind(all map[string]wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		app, ok := all[environ.Header("X-Kind")]
		if !ok {
			return nil, fmt.Errorf("there is no application %q", environ.Header("X-Kind"))
		}
		return app.Call(environ, start)
	})
}

// Visits are requests of several kinds.
func Visits() map[string]*wsgitest.Request {
	return map[string]*wsgitest.Request{
		"GET":   wsgitest.NewRequest("GET", "/a/b?c=d").With("Accept-Encoding", "gzip, deflate;q=0.5"),
		"HEAD":  wsgitest.NewRequest("HEAD", "/a/b").With("Accept-Encoding", "gzip"),
		"POST":  wsgitest.NewRequest("POST", "/a").Content("text/plain", "posted"),
		"leave": {Target: "/leaves", LeaveAfter: 1},
		"cond":  wsgitest.NewRequest("GET", "/").With("If-None-Match", `"v1"`),
		"range": wsgitest.NewRequest("GET", "/").With("Range", "bytes=0-2"),
		"cors":  wsgitest.NewRequest("OPTIONS", "/").With("Origin", "https://a.example").With("Access-Control-Request-Method", "PUT"),
	}
}
