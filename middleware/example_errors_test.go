package middleware_test

import (
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func ExampleErrorPages() {
	pages := middleware.ErrorPages(middleware.ErrorPagesConfig{})
	app := pages(&middleware.HTTPError{Code: 404, Detail: "There is no such note."})
	program := wsgitest.Record(app, wsgitest.NewRequest("GET", "/notes/7").With("Accept", "application/json"))
	fmt.Print(program.Text())
	browser := wsgitest.Record(app, wsgitest.NewRequest("GET", "/notes/7").With("Accept", "text/html"))
	fmt.Println(browser.Status, browser.Headers.Get("Content-Type"))
	// Output:
	// {"type":"about:blank","title":"Not Found","status":404,"detail":"There is no such note."}
	// 404 Not Found text/html; charset=utf-8
}

func ExampleDebugPage() {
	stack := middleware.Chain(
		middleware.Recover(middleware.RecoverConfig{}),
		middleware.DebugPage(middleware.DebugPageConfig{}), // inside Recover, which answers all others
	)
	app := stack(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
		return nil, fmt.Errorf("no such table: notes")
	}))
	for _, peer := range []string{"127.0.0.1:5000", "192.0.2.1:5000"} {
		req := wsgitest.NewRequest("GET", "http://localhost/").With("Accept", "text/html")
		req.RemoteAddr = peer
		res := wsgitest.Record(app, req)
		fmt.Println(res.Status, strings.Contains(res.Text(), "no such table"))
	}
	// Output:
	// 500 Internal Server Error true
	// 500 Internal Server Error false
}
