package conformance_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/gowsgi/gowsgi/adapters/nethttp"
	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/internal/demo"
	"github.com/gowsgi/gowsgi/wsgi"
)

// TestApplication runs the suite on applications that keep the contract.
func TestApplication(t *testing.T) {
	built, err := demo.Open()
	if err != nil {
		t.Fatal(err)
	}
	for _, sample := range []struct {
		name string
		app  wsgi.Application
	}{
		{"demo", built},
		{"response", wsgi.Response{Status: "200 OK", Headers: text, Body: wsgi.Strings("a ", "response")}},
		{"lazy", wsgi.AppClass[*lazyBody](newLazyBody)},
		{"writing", wsgi.AppFunc(writeAll)},
		{"nethttp", nethttp.Application(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "handled") }))},
		{"uppercase", uppercase(wsgi.AppFunc(writeAll))},
	} {
		t.Run(sample.name, func(t *testing.T) { conformance.TestApplication(t, sample.app) })
	}
}

var text = wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}}

// lazyBody is a class: its instance is the body and starts the response.
type lazyBody struct{ start wsgi.StartResponse }

func newLazyBody(_ *wsgi.Environ, start wsgi.StartResponse) *lazyBody { return &lazyBody{start} }

func (b *lazyBody) Blocks(yield func([]byte, error) bool) {
	if _, err := b.start("200 OK", text.Clone(), nil); err != nil {
		yield(nil, err)
		return
	}
	_ = yield([]byte("lazy "), nil) && yield([]byte("body"), nil)
}

func (b *lazyBody) Close() error { return nil }

// writeAll uses write for everything, and exc_info for its errors.
func writeAll(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
	write, err := start("200 OK", text.Clone(), nil)
	if err != nil {
		return nil, err
	}
	if environ.Var("REQUEST_METHOD") == "POST" {
		_, err := start("405 Method Not Allowed", wsgi.Headers{{Name: "Allow", Value: "GET, HEAD"}}, errors.New("no POST here"))
		return wsgi.Empty(), err
	}
	_, err = io.WriteString(write, "written")
	return wsgi.Empty(), err
}
