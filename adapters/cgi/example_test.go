package cgi_test

import (
	"log"

	"github.com/gowsgi/gowsgi/adapters/cgi"
	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A program that is a CGI program where a web server starts it as one, and a server
// of its own otherwise.
func Example() {
	app := wsgi.Response{Status: "200 OK", Body: wsgi.Strings("Hello, world!\n")}
	if cgi.Invoked() { // before anything looks at the arguments
		if err := cgi.Serve(app); err != nil {
			log.Fatal(err)
		}
		return
	}
	log.Fatal(server.ListenAndServe("127.0.0.1:8000", app))
}
