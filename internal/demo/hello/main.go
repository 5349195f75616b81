// Hello is a complete WSGI application and its server.
package main

import (
	"log"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

func hello(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}}
	if _, err := startResponse("200 OK", headers, nil); err != nil {
		return nil, err
	}
	return wsgi.Strings("Hello, World!\n"), nil
}

func main() {
	log.Fatal(server.ListenAndServe("127.0.0.1:8000", wsgi.AppFunc(hello)))
}
