package gateway_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gowsgi/gowsgi/server/gateway"
	"github.com/gowsgi/gowsgi/wsgi"
)

// lineSource has the variables of a request of the protocol of this example, in
// which a request is one line of method and path, and its body follows.
type lineSource map[string]string

// Lookup returns one variable. It is asked for what is used.
func (s lineSource) Lookup(key string) (value string, ok bool) {
	value, ok = s[key]
	return value, ok
}

// All yields all of them.
func (s lineSource) All(yield func(key, value string) bool) {
	for key, value := range s {
		if !yield(key, value) {
			return
		}
	}
}

// lineTransport puts a response on the wire of that protocol: a line for the
// status, one for each header and for each block, and a last one that is a dot.
type lineTransport struct{ w io.Writer }

func (t lineTransport) Head(code int, status string, headers wsgi.Headers) error {
	_, err := fmt.Fprintln(t.w, "status", status)
	for _, h := range headers {
		if err == nil {
			_, err = fmt.Fprintln(t.w, "header", h.Name, h.Value)
		}
	}
	return err
}

func (t lineTransport) Block(block []byte) error {
	_, err := fmt.Fprintf(t.w, "block %q\n", block)
	return err
}

func (t lineTransport) End() error {
	_, err := fmt.Fprintln(t.w, ".")
	return err
}

// serveLine serves one request. A real server does this in a loop, for many
// connections at once.
func serveLine(g *gateway.Gateway, app wsgi.Application, r io.Reader, w io.Writer) error {
	in := bufio.NewReader(r)
	line, err := in.ReadString('\n')
	if err != nil {
		return err
	}
	method, path, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	return g.Serve(context.Background(), app, &gateway.Exchange{
		Source: lineSource{
			"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": "",
			"SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "LINE/1.0",
		},
		Transport: lineTransport{w},
		Method:    method,
		Scheme:    "http",
		Input:     in, // the body ends where the request does
	})
}

// A server for a protocol of one's own is a Source, a Transport and a loop. What
// PEP 3333 asks for is done by Serve: the length of the single block was stated,
// and the second response, which failed after a block was sent, has no end.
func Example() {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}
		if _, err := startResponse("200 OK", headers, nil); err != nil {
			return nil, err
		}
		if environ.Var("PATH_INFO") == "/fails" {
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if yield([]byte("half of"), nil) {
					yield(nil, io.ErrUnexpectedEOF)
				}
			}), nil
		}
		name, err := io.ReadAll(environ.Input())
		return wsgi.Strings("Hello, " + string(name)), err
	})
	g := &gateway.Gateway{Errors: io.Discard}
	for _, request := range []string{"POST /\nAda", "GET /fails\n"} {
		if err := serveLine(g, app, strings.NewReader(request), os.Stdout); err != nil {
			fmt.Println("cut:", err)
		}
	}
	// Output:
	// status 200 OK
	// header Content-Type text/plain
	// header Content-Length 10
	// block "Hello, Ada"
	// .
	// status 200 OK
	// header Content-Type text/plain
	// block "half of"
	// cut: wsgi: the response was cut: unexpected EOF
}
