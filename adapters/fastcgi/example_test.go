package fastcgi_test

import (
	"fmt"
	"log"
	"log/slog"
	"net"

	"github.com/gowsgi/gowsgi/adapters/fastcgi"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// A server, which as a rule stands behind a web server, and here behind a Client. It
// divides the path at the mount, whatever it is sent.
func Example() {
	hello := func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		_, err := startResponse("200 OK", nil, nil)
		return wsgi.Strings("Hello from " + environ.Var("SCRIPT_NAME") + "!"), err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &fastcgi.Server{App: wsgi.AppFunc(hello), ScriptName: "/shop", Logger: slog.New(slog.DiscardHandler)}
	go s.Serve(l)
	defer s.Close()

	app := &fastcgi.Client{Addr: l.Addr().String()}
	for _, path := range []string{"/shop/cart", "/shopping"} {
		response := wsgitest.Record(app, wsgitest.NewRequest("GET", path))
		fmt.Println(path, response.Code, response.Text())
	}
	// Output:
	// /shop/cart 200 Hello from /shop!
	// /shopping 404 404 Not Found
}
