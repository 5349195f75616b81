package server_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"time"

	"github.com/gowsgi/gowsgi/server"
	"github.com/gowsgi/gowsgi/wsgi"
)

// where answers with the two parts of the path.
var where = wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	text := fmt.Sprintf("%q below %q\n", environ.Var("PATH_INFO"), environ.Var("SCRIPT_NAME"))
	_, err := startResponse("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}, nil)
	return wsgi.Strings(text), err
})

func ExampleHandler() {
	ts := httptest.NewServer(server.Handler(where))
	defer ts.Close()

	res, err := http.Get(ts.URL + "/a%20path")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Println(res.Status, res.Header.Get("Content-Length"))
	io.Copy(os.Stdout, res.Body)
	// Output:
	// 200 OK 19
	// "/a path" below ""
}

// What http.StripPrefix takes from the path becomes SCRIPT_NAME.
func ExampleHandler_mounted() {
	mux := http.NewServeMux()
	mux.Handle("/shop/", http.StripPrefix("/shop", server.Handler(where)))
	ts := httptest.NewServer(mux)
	defer ts.Close()

	res, err := http.Get(ts.URL + "/shop/cart")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(os.Stdout, res.Body)
	// Output: "/cart" below "/shop"
}

// Run does the same for SIGINT and SIGTERM.
func ExampleServer_Shutdown() {
	l, err := server.Listen("127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	s := &server.Server{App: where, ScriptName: "/shop"}
	stopped := make(chan error)
	go func() { stopped <- s.Serve(l) }()

	for _, path := range []string{"/shop/cart", "/shopping"} {
		res, err := http.Get("http://" + l.Addr().String() + path)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(res.Status)
		io.Copy(os.Stdout, res.Body)
		res.Body.Close()
	}

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	fmt.Println(s.Shutdown(ctx))
	fmt.Println(<-stopped)
	// Output:
	// 200 OK
	// "/cart" below "/shop"
	// 404 Not Found
	// 404 Not Found
	// <nil>
	// http: Server closed
}

func ExampleListen() {
	dir, err := os.MkdirTemp("", "wsgi")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "http")

	l, err := server.Listen("unix:" + socket)
	if err != nil {
		log.Fatal(err)
	}
	s := &server.Server{App: where}
	go s.Serve(l)
	defer s.Close()

	client := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	defer client.CloseIdleConnections()
	res, err := client.Get("http://localhost/over/a/socket")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(os.Stdout, res.Body)
	// Output: "/over/a/socket" below ""
}

// An interim response lets the client fetch what it will need while the
// application is still at work.
func Example_earlyHints() {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		if hint, ok := environ.Get("wsgi.early_hints").(func(wsgi.Headers) error); ok {
			if err := hint(wsgi.Headers{{Name: "Link", Value: "</style.css>; rel=preload; as=style"}}); err != nil {
				return nil, err
			}
		}
		_, err := startResponse("200 OK", wsgi.Headers{{Name: "Content-Type", Value: "text/html"}}, nil)
		return wsgi.Strings("<!DOCTYPE html>\n"), err
	})
	ts := httptest.NewServer(server.Handler(app))
	defer ts.Close()

	trace := &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			fmt.Println(code, header.Get("Link"))
			return nil
		},
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(context.Background(), trace), "GET", ts.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	fmt.Println(res.Status, res.Header["Link"])
	// Output:
	// 103 </style.css>; rel=preload; as=style
	// 200 OK []
}

// The extension of this server gives deadlines of the application's own, and
// the request of net/http.
func Example_extension() {
	type extension interface {
		HTTPRequest(environ *wsgi.Environ) (*http.Request, bool)
		SetWriteDeadline(t time.Time) error
	}
	app := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		text := "not on this server\n"
		if x, ok := environ.Get("gowsgi.http").(extension); ok {
			if err := x.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
				return nil, err
			}
			if r, ok := x.HTTPRequest(environ); ok {
				text = r.Method + " " + r.URL.Path + "\n"
			}
		}
		_, err := startResponse("200 OK", nil, nil)
		return wsgi.Strings(text), err
	})
	ts := httptest.NewServer(server.Handler(app))
	defer ts.Close()

	res, err := http.Get(ts.URL + "/x")
	if err != nil {
		log.Fatal(err)
	}
	defer res.Body.Close()
	io.Copy(os.Stdout, res.Body)
	// Output: GET /x
}
