package middleware_test

import (
	"compress/gzip"
	"fmt"
	"strings"
	"testing/fstest"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func ExampleCompress() {
	app := middleware.Compress(middleware.CompressConfig{
		Codings: []middleware.Coding{middleware.Gzip(gzip.BestSpeed)},
	})(answer("200 OK", strings.Repeat("again and ", 1000), "Content-Type", "text/plain"))
	res := wsgitest.Record(app, get("/").With("Accept-Encoding", "gzip"))
	fmt.Println(res.Headers.Get("Content-Encoding"), len(res.Body()) < 1000)
	// Output:
	// gzip true
}

func ExampleETag() {
	app := middleware.Chain(middleware.ConditionalGet(), middleware.ETag())(text("hello"))
	first := wsgitest.Record(app, get("/"))
	again := wsgitest.Record(app, get("/").With("If-None-Match", first.Headers.Get("ETag")))
	fmt.Println(first.Status, again.Status)
	// Output:
	// 200 OK 304 Not Modified
}

func ExampleContentLength() {
	app := middleware.ContentLength()(text("hello"))
	fmt.Println(wsgitest.Record(app, get("/")).Headers.Get("Content-Length"))
	// Output:
	// 5
}

func ExampleContentType() {
	app := middleware.ContentType(middleware.ContentTypeConfig{Charset: "utf-8"})(text("hello"))
	fmt.Println(wsgitest.Record(app, get("/")).Headers.Get("Content-Type"))
	// Output:
	// text/plain; charset=utf-8
}

func ExampleStatic() {
	// For a folder: root, err := os.OpenRoot("public"), and root.FS().
	public := fstest.MapFS{"style.css": {Data: []byte("body { margin: 0 }")}}
	static := middleware.Static(middleware.StaticConfig{FS: public})
	app := middleware.Mount("/static", static(answer("404 Not Found", "no such file")))(text("application"))
	show(app, get("/static/style.css"), get("/static/../secret"), get("/"))
	// Output:
	// GET /static/style.css: 200 OK: body { margin: 0 }
	// GET /static/../secret: 404 Not Found: no such file
	// GET /: 200 OK: application
}

func ExampleContent() {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
		text := "a report of many pages"
		return middleware.Content{
			Reader:  strings.NewReader(text),
			Size:    int64(len(text)),
			Headers: wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}},
		}.Call(environ, start)
	})
	show(app, get("/report").With("Range", "bytes=2-7"))
	// Output:
	// GET /report: 206 Partial Content: report
}
