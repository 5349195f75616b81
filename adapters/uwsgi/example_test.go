package uwsgi_test

import (
	"fmt"
	"log"
	"net"

	"github.com/gowsgi/gowsgi/adapters/uwsgi"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func hello(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	return wsgi.Response{Status: "200 OK", Body: wsgi.Strings("Hello, " + environ.Var("PATH_INFO") + "!")}.Call(environ, startResponse)
}

// A backend, which may as well be uWSGI with an application in Python, and an
// application that lets it answer.
func ExampleClient() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	backend := &uwsgi.Server{App: wsgi.AppFunc(hello)}
	go backend.Serve(l)
	defer backend.Close()

	app := &uwsgi.Client{Addr: l.Addr().String()}
	response := wsgitest.Record(app, wsgitest.NewRequest("GET", "/world"))
	fmt.Println(response.Status, response.Text())
	// Output: 200 OK Hello, /world!
}
