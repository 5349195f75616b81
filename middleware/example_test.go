package middleware_test

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gowsgi/gowsgi/middleware"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// show prints what app answers to requests.
func show(app wsgi.Application, requests ...*wsgitest.Request) {
	for _, req := range requests {
		res := wsgitest.Record(app, req)
		fmt.Printf("%s %s: %s", req.Method, req.Target, res.Status)
		if text := strings.TrimSpace(res.Text()); text != "" {
			fmt.Printf(": %s", text)
		}
		fmt.Println()
	}
}

func get(target string) *wsgitest.Request { return wsgitest.NewRequest("GET", target) }

func ExampleChain() {
	hello := func(word string) wsgi.Middleware {
		return func(next wsgi.Application) wsgi.Application {
			return wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
				fmt.Println(word)
				return next.Call(environ, start)
			})
		}
	}
	stack := middleware.Chain(hello("outer"), hello("inner"))
	show(stack(text("application")), get("/"))
	// Output:
	// outer
	// inner
	// GET /: 200 OK: application
}

func ExampleWhen() {
	closed := func(wsgi.Application) wsgi.Application { return answer("503 Service Unavailable", "at night") }
	posts := func(environ *wsgi.Environ) bool { return environ.Var("REQUEST_METHOD") == "POST" }
	app := middleware.When(posts, closed)(text("application"))
	show(app, get("/"), wsgitest.NewRequest("POST", "/"))
	// Output:
	// GET /: 200 OK: application
	// POST /: 503 Service Unavailable: at night
}

func ExampleMount() {
	shop := vars("SCRIPT_NAME", "PATH_INFO")
	app := middleware.Mount("/shop", shop)(text("elsewhere"))
	show(app, get("/shop/cart"), get("/shopping"))
	// Output:
	// GET /shop/cart: 200 OK: SCRIPT_NAME=/shop
	// PATH_INFO=/cart
	// GET /shopping: 200 OK: elsewhere
}

func ExampleDispatch() {
	app := middleware.Dispatch(map[string]wsgi.Application{
		"/shop":               text("shop"),
		"admin.example.org/":  text("administration"),
		"*.example.org/files": text("files"),
	})(text("nothing of these"))
	show(app,
		get("/shop/cart"),
		get("http://admin.example.org/shop"),
		get("http://www.example.org/files/1"),
		get("http://www.example.org/"),
	)
	// Output:
	// GET /shop/cart: 200 OK: shop
	// GET http://admin.example.org/shop: 200 OK: administration
	// GET http://www.example.org/files/1: 200 OK: files
	// GET http://www.example.org/: 200 OK: nothing of these
}

func ExampleCascade() {
	pages := middleware.Mount("/pages", text("a page"))(answer("404 Not Found", "no page"))
	app := middleware.Cascade(pages)(text("application"))
	show(app, get("/pages/1"), get("/other"))
	// Output:
	// GET /pages/1: 200 OK: a page
	// GET /other: 200 OK: application
}

func ExampleMapStatus() {
	app := middleware.MapStatus(func(_ *wsgi.Environ, status string) string {
		if status == "404 Not Found" {
			return "410 Gone"
		}
		return status
	})(answer("404 Not Found", "moved out"))
	show(app, get("/"))
	// Output:
	// GET /: 410 Gone: moved out
}

func ExampleMapHeaders() {
	app := middleware.MapHeaders(func(_ *wsgi.Environ, _ string, headers wsgi.Headers) wsgi.Headers {
		headers.SetDefault("Cache-Control", "no-store")
		return headers
	})(text("secret"))
	fmt.Println(wsgitest.Record(app, get("/")).Headers.Get("Cache-Control"))
	// Output:
	// no-store
}

func ExampleFilter() {
	loud := func(_ *wsgi.Environ, _ string, headers *wsgi.Headers) middleware.BodyFilter {
		if headers.Get("Content-Type") != "text/plain" {
			return nil
		}
		return func(block []byte, end bool) ([]byte, error) { return bytes.ToUpper(block), nil }
	}
	show(middleware.Filter(loud)(text("hello")), get("/"))
	// Output:
	// GET /: 200 OK: HELLO
}

func ExampleSetEnv() {
	app := middleware.SetEnv(map[string]any{
		"shop.currency": "EUR",
		"HTTP_X_USER":   nil, // a header that only the proxy may send
	})(vars("shop.currency", "HTTP_X_USER"))
	show(app, get("/").With("X-User", "root"))
	// Output:
	// GET /: 200 OK: shop.currency=EUR
	// HTTP_X_USER=absent
}

func ExampleObserve() {
	app := middleware.Observe(middleware.ObserveConfig{
		Finish: func(o *middleware.Observation) {
			fmt.Printf("%s, %d bytes, error: %v\n", o.Status, o.Bytes, o.Err)
		},
	})(streams(nil, "Hello, ", "world"))
	wsgitest.Record(app, get("/"))
	// Output:
	// 200 OK, 12 bytes, error: <nil>
}

func ExampleOnClose() {
	app := middleware.OnClose(func(environ *wsgi.Environ) error {
		fmt.Println("over:", environ.Var("PATH_INFO"))
		return nil
	})(text("hello"))
	show(app, get("/page"))
	// Output:
	// over: /page
	// GET /page: 200 OK: hello
}
