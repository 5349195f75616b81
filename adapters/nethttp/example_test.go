package nethttp_test

import (
	"fmt"
	"net/http"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/wsgi"
)

func ExampleApplication() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Hello, %s!\n", r.PathValue("name"))
	})
	app := nethttp.Application(mux)

	// What a server does with it:
	environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "PATH_INFO": "/hello/world"})
	startResponse := func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
		fmt.Println(status)
		fmt.Println("Content-Type:", headers.Get("Content-Type"))
		return nil, nil
	}
	body, err := app.Call(environ, startResponse)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer body.Close()
	for block, err := range body.Blocks {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s", block)
	}
	// Output:
	// 200 OK
	// Content-Type: text/plain; charset=utf-8
	// Hello, world!
}
