// Command bound answers "Hello, world!" as the smallest application does, without
// Python: what gowsgi serve cannot be faster than.
//
//	bound nethttp ADDR    a handler of net/http
//	bound server ADDR     an application of Go, in gowsgi's own server
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

const body = "Hello, world!\n"

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bound nethttp|server ADDR")
	}
	switch kind, addr := os.Args[1], os.Args[2]; kind {
	case "nethttp":
		log.Fatal(http.ListenAndServe(addr, http.HandlerFunc(handle)))
	case "server":
		log.Fatal(server.ListenAndServe(addr, wsgi.AppFunc(app)))
	default:
		log.Fatalf("%s is not known, expected nethttp or server", kind)
	}
}

func handle(w http.ResponseWriter, r *http.Request) {
	w.Header()["Content-Type"] = []string{"text/plain"}
	w.Header()["Content-Length"] = []string{"14"}
	io.WriteString(w, body)
}

func app(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	_, err := start("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}, {Name: "Content-Length", Value: "14"}}, nil)
	return wsgi.Strings(body), err
}
