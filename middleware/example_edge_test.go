package middleware_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func ExampleHTTPError() {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, _ wsgi.StartResponse) (wsgi.Iterable, error) {
		return nil, &middleware.HTTPError{
			Code:   404,
			Detail: "There is no such page.",
			Err:    errors.New("pages: no row with id 7"), // for the log
		}
	})
	show(middleware.Recover(middleware.RecoverConfig{})(app), get("/7"))
	// Output:
	// GET /7: 404 Not Found: There is no such page.
}

func ExampleRequestID() {
	app := middleware.RequestID(middleware.RequestIDConfig{})(wsgi.AppFunc(
		func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", nil, nil)
			return wsgi.Strings("request " + middleware.RequestIDOf(environ.Context())), err
		}))
	res := wsgitest.Record(app, get("/").With("X-Request-ID", "7f3a"))
	fmt.Println(res.Text(), res.Headers.Get("X-Request-ID"))
	// Output:
	// request 7f3a 7f3a
}

func ExampleProxyFix() {
	// One proxy on this machine, which sets all of the headers.
	app := middleware.ProxyFix(middleware.ProxyFixConfig{
		Proto: 1, Host: 1,
		Trusted: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})(vars("REMOTE_ADDR", "wsgi.url_scheme", "HTTP_HOST", "SERVER_PORT"))
	req := get("/").
		With("X-Forwarded-For", "203.0.113.66, 192.0.2.9"). // the first is the client's own claim
		With("X-Forwarded-Proto", "https").
		With("X-Forwarded-Host", "shop.example")
	req.RemoteAddr = "127.0.0.1:40000"
	show(app, req)
	// Output:
	// GET /: 200 OK: REMOTE_ADDR=192.0.2.9
	// wsgi.url_scheme=https
	// HTTP_HOST=shop.example
	// SERVER_PORT=443
}

func ExampleSecureHeaders() {
	app := middleware.SecureHeaders(middleware.SecureHeadersConfig{FrameOptions: "DENY"})(text("page"))
	res := wsgitest.Record(app, get("/"))
	fmt.Println(res.Headers.Get("X-Frame-Options"), res.Headers.Get("X-Content-Type-Options"))
	// Output:
	// DENY nosniff
}

func ExampleAccessLog() {
	app := middleware.AccessLog(middleware.AccessLogConfig{
		Format: `%h "%r" %>s %b`,
		Output: os.Stdout,
	})(streams(nil, "Hello, ", "world"))
	wsgitest.Record(app, get("/greet?lang=en"))
	// Output:
	// 192.0.2.1 "GET /greet?lang=en HTTP/1.1" 200 12
}

func ExampleRecover() {
	app := middleware.Recover(middleware.RecoverConfig{
		Page: func(environ *wsgi.Environ, err error) wsgi.Application {
			return answer("500 Internal Server Error", "Something went wrong, and we have been told.")
		},
		Log: func(environ *wsgi.Environ, err error) { fmt.Println("log:", err) },
	})(wsgi.AppFunc(func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("no such luck") }))
	show(app, get("/"))
	// Output:
	// log: panic: no such luck
	// GET /: 500 Internal Server Error: Something went wrong, and we have been told.
}

func ExampleTimeout() {
	app := middleware.Timeout(time.Millisecond)(waitsFor())
	show(app, get("/"))
	// Output:
	// GET /: 503 Service Unavailable: The request took too long.
}

func ExampleBodyLimit() {
	app := middleware.BodyLimit(10)(reads())
	show(app,
		wsgitest.NewRequest("POST", "/").Content("text/plain", "short"),
		wsgitest.NewRequest("POST", "/").Content("text/plain", "rather too long"))
	// Output:
	// POST /: 200 OK: short
	// POST /: 413 Request Entity Too Large: The body of the request has more than 10 bytes.
}
