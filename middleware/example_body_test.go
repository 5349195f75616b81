package middleware_test

import (
	"compress/gzip"
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/middleware"
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
