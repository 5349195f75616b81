package static_test

import (
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/gowsgi/gowsgi/middleware/static"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// Files below /static, and the application for everything else.
func ExampleNew() {
	files := fstest.MapFS{"css/site.css": {Data: []byte("body { margin: 0 }")}}
	stack := static.New(static.Config{Files: files, Prefix: "/static"})
	app := stack(wsgi.Response{Status: "200 OK", Body: wsgi.Strings("a page")})

	for _, target := range []string{"/static/css/site.css", "/static/css/other.css", "/"} {
		res := wsgitest.Record(app, wsgitest.NewRequest("GET", target))
		fmt.Printf("%s: %s %q\n", target, res.Headers.Get("Content-Type"), res.Text())
	}
	// Output:
	// /static/css/site.css: text/css; charset=utf-8 "body { margin: 0 }"
	// /static/css/other.css:  "a page"
	// /:  "a page"
}

// An application of files and nothing else.
func ExampleApplication() {
	app := static.Application(static.Config{Files: fstest.MapFS{"a.txt": {Data: []byte("0123456789")}}})

	res := wsgitest.Record(app, wsgitest.NewRequest("GET", "/a.txt").With("Range", "bytes=2-4"))
	fmt.Println(res.Status, res.Headers.Get("Content-Range"), res.Text())
	res = wsgitest.Record(app, wsgitest.NewRequest("GET", "/../etc/passwd"))
	fmt.Println(res.Status)
	// Output:
	// 206 Partial Content bytes 2-4/10 234
	// 404 Not Found
}

// Bundlers write a digest of the content into the names of files, which then
// need not be asked for again.
func ExampleHashed() {
	app := static.Application(static.Config{
		Files:     fstest.MapFS{"app.3f2a9c1d.js": {}, "app.js": {}},
		Immutable: static.Hashed,
	})
	for _, target := range []string{"/app.3f2a9c1d.js", "/app.js"} {
		fmt.Println(wsgitest.Record(app, wsgitest.NewRequest("GET", target)).Headers.Get("Cache-Control"))
	}
	// Output:
	// public, max-age=31536000, immutable
	// no-cache
}

// What is in a database is served as a file is.
func ExampleContent() {
	report := func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		text := strings.NewReader("a report that was made a moment ago")
		return static.Content{Reader: text, Type: "text/plain; charset=utf-8", ETag: `"v7"`}.Call(environ, start)
	}
	for _, header := range []wsgi.Header{{Name: "Range", Value: "bytes=2-7"}, {Name: "If-None-Match", Value: `"v7"`}} {
		res := wsgitest.Record(wsgi.AppFunc(report), wsgitest.NewRequest("GET", "/").With(header.Name, header.Value))
		fmt.Printf("%s %q\n", res.Status, res.Text())
	}
	// Output:
	// 206 Partial Content "report"
	// 304 Not Modified ""
}
