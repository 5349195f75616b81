package wsgi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
)

// show plays the server for one request to path and prints the response. A
// real server also validates, frames and transmits; what it does with the
// application is just this.
func show(app wsgi.Application, path string) {
	environ := wsgi.EnvironFromMap(map[string]any{"REQUEST_METHOD": "GET", "PATH_INFO": path})
	body, err := app.Call(environ, func(status string, headers wsgi.Headers, _ error) (wsgi.Write, error) {
		fmt.Println(status)
		for _, field := range headers {
			fmt.Printf("%s: %s\n", field.Name, field.Value)
		}
		return func(block []byte) (int, error) { return fmt.Printf("%s", block) }, nil
	})
	if err != nil {
		fmt.Println("500 Internal Server Error")
		return
	}
	defer body.Close()
	for block, err := range body.Blocks {
		if err != nil {
			fmt.Println("(cut)")
			return
		}
		fmt.Printf("%s", block)
	}
}

// A function is an application.
func ExampleAppFunc() {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}
		if _, err := startResponse("200 OK", headers, nil); err != nil {
			return nil, err
		}
		return wsgi.Strings("Hello from ", environ.Var("PATH_INFO"), "\n"), nil
	})
	show(app, "/here")
	// Output:
	// 200 OK
	// Content-Type: text/plain
	// Hello from /here
}

// countdown is a class in Python's sense: the server's call constructs one, and
// the instance is the body.
type countdown struct {
	environ       *wsgi.Environ
	startResponse wsgi.StartResponse
}

func newCountdown(environ *wsgi.Environ, startResponse wsgi.StartResponse) *countdown {
	return &countdown{environ, startResponse}
}

func (c *countdown) Blocks(yield func([]byte, error) bool) {
	if _, err := c.startResponse("200 OK", nil, nil); err != nil {
		yield(nil, err)
		return
	}
	for n := 3; n > 0; n-- {
		if !yield(fmt.Appendf(nil, "%d\n", n), nil) {
			return
		}
	}
}

func (c *countdown) Close() error {
	fmt.Println("closed after", c.environ.Var("PATH_INFO"))
	return nil
}

// The constructor is the application; the response starts with the iteration.
func ExampleAppClass() {
	show(wsgi.AppClass[*countdown](newCountdown), "/launch")
	// Output:
	// 200 OK
	// 3
	// 2
	// 1
	// closed after /launch
}

// greetings is configured once and called for each request, maybe by many
// goroutines at once: what it keeps, it never changes.
type greetings struct{ language map[string]string }

func (g *greetings) Call(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
	greeting, ok := g.language[environ.ShiftPathInfo()]
	if !ok {
		return wsgi.Response{Status: "404 Not Found"}.Call(environ, startResponse)
	}
	if _, err := startResponse("200 OK", nil, nil); err != nil {
		return nil, err
	}
	return wsgi.Strings(greeting + "\n"), nil
}

// Every type with a method Call is an application.
func ExampleApplication() {
	app := &greetings{language: map[string]string{"en": "hello", "nl": "hallo"}}
	show(app, "/nl")
	show(app, "/xx")
	// Output:
	// 200 OK
	// hallo
	// 404 Not Found
}

// A generator makes its blocks while the server sends them.
func ExampleGenerator() {
	body := wsgi.Generator(func(yield func([]byte, error) bool) {
		defer fmt.Println("cleaned up")
		for n := 1; ; n++ {
			if !yield(fmt.Appendf(nil, "block %d", n), nil) {
				return
			}
		}
	})
	for block := range body.Blocks {
		fmt.Printf("%s\n", block)
		if bytes.HasSuffix(block, []byte("2")) {
			break // the client has left
		}
	}
	// Output:
	// block 1
	// block 2
	// cleaned up
}

// A Response is an application that always gives the same answer.
func ExampleResponse() {
	app := wsgi.Response{
		Status:  "303 See Other",
		Headers: wsgi.Headers{{Name: "Location", Value: "/new"}},
		Body:    wsgi.Strings("moved\n"),
	}
	show(app, "/old")
	// Output:
	// 303 See Other
	// Location: /new
	// moved
}

func ExampleHeaders_AddParams() {
	var headers wsgi.Headers
	headers.AddParams("Content-Disposition", "attachment", wsgi.Header{Name: "filename", Value: `my "own" list.txt`})
	fmt.Print(headers)
	// Output:
	// Content-Disposition: attachment; filename="my \"own\" list.txt"
}

func ExampleEnviron_URL() {
	environ := wsgi.EnvironFromMap(map[string]any{
		"wsgi.url_scheme": "https",
		"SERVER_NAME":     "example.org",
		"SERVER_PORT":     "8443",
		"SCRIPT_NAME":     "/shop",
		"PATH_INFO":       "/new arrivals",
		"QUERY_STRING":    "page=2",
	})
	fmt.Println(environ.URL(true))
	fmt.Println(environ.ApplicationURL())
	// Output:
	// https://example.org:8443/shop/new%20arrivals?page=2
	// https://example.org:8443/shop
}

// Each dispatcher takes its segment and leaves the rest to the next.
func ExampleEnviron_ShiftPathInfo() {
	environ := wsgi.EnvironFromMap(map[string]any{"SCRIPT_NAME": "", "PATH_INFO": "/shop/cart/7"})
	for range 2 {
		segment := environ.ShiftPathInfo()
		fmt.Printf("%s: %s + %s\n", segment, environ.Var("SCRIPT_NAME"), environ.Var("PATH_INFO"))
	}
	// Output:
	// shop: /shop + /cart/7
	// cart: /shop/cart + /7
}

// upperBody is the inner body in capitals. By embedding it has the inner Close,
// which it must forward, and no Len, since an Iterable has none.
type upperBody struct{ wsgi.Iterable }

func (b upperBody) Blocks(yield func([]byte, error) bool) {
	for block, err := range b.Iterable.Blocks {
		// One block out for one block in, an empty one for an empty one: so
		// nothing waits behind the middleware. The block in stays unchanged.
		if !yield(bytes.ToUpper(block), err) {
			return
		}
	}
}

func upper(inner wsgi.Application) wsgi.Application {
	return wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		body, err := inner.Call(environ, func(status string, headers wsgi.Headers, excInfo error) (wsgi.Write, error) {
			write, err := startResponse(status, headers, excInfo)
			if err != nil {
				return nil, err
			}
			return func(block []byte) (int, error) { return write(bytes.ToUpper(block)) }, nil
		})
		if body == nil {
			return nil, err
		}
		return upperBody{body}, err
	})
}

// noisyBody says when it is closed.
type noisyBody struct{ wsgi.Block }

func (noisyBody) Close() error {
	fmt.Println("inner body closed")
	return nil
}

// A middleware that changes each block wraps the body and forwards the rest.
func ExampleMiddleware() {
	inner := wsgi.Response{Status: "200 OK", Body: noisyBody{wsgi.Block("what a whisper\n")}}
	show(wsgi.Middleware(upper)(inner), "/")

	_, innerSized := inner.Body.(wsgi.Sized)
	_, outerSized := wsgi.Iterable(upperBody{inner.Body}).(wsgi.Sized)
	fmt.Println("sized:", innerSized, "inside,", outerSized, "outside")
	// Output:
	// 200 OK
	// WHAT A WHISPER
	// inner body closed
	// sized: true inside, false outside
}

func ExampleInputStream() {
	environ := wsgi.EnvironFromMap(map[string]any{
		"wsgi.input": wsgi.NewInput(strings.NewReader("name,age\nada,36\nalan,41")),
	})
	input := environ.Input()
	head, err := input.ReadLine(-1)
	fmt.Printf("%q %v\n", head, err)
	for line, err := range input.Lines() { // goes on where ReadLine stopped
		fmt.Printf("%q %v\n", line, err)
	}
	_, err = input.ReadLine(-1)
	fmt.Println(errors.Is(err, io.EOF))
	// Output:
	// "name,age\n" <nil>
	// "ada,36\n" <nil>
	// "alan,41" <nil>
	// true
}

// An application gives the file to the wrapper of its environ and returns what
// it gets: the server may then have the operating system send the file.
func ExampleFileWrapper() {
	app := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		file, err := os.Open("testdata/poem.txt")
		if err != nil {
			return wsgi.Response{Status: "404 Not Found"}.Call(environ, startResponse)
		}
		body := environ.FileWrapper()(file, 0) // its Close closes the file
		if _, err := startResponse("200 OK", nil, nil); err != nil {
			body.Close()
			return nil, err
		}
		return body, nil
	})
	show(app, "/poem")
	// Output:
	// 200 OK
	// A server and a program met;
	// they had not seen each other yet.
}

// Text that goes into a header becomes a native string: one byte a character.
func ExampleEncodeLatin1() {
	native, err := wsgi.EncodeLatin1("café")
	fmt.Printf("%q %v\n", native, err)
	_, err = wsgi.EncodeLatin1("5 €")
	fmt.Println(err)
	// Output:
	// "caf\xe9" <nil>
	// wsgi: character U+20AC at byte 2 is not Latin-1 (STR-05)
}
