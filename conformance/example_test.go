package conformance_test

import (
	"fmt"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

func ExampleLinter() {
	l := &conformance.Linter{Report: func(f conformance.Finding) {
		fmt.Println(f.Rule.ID, f.Side)
		fmt.Println(f.Detail)
	}}
	app := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Type", Value: "text/plain"}, {Name: "Content-Length", Value: "12"}}
		if _, err := startResponse("200 OK", headers, nil); err != nil {
			return nil, err
		}
		return wsgi.Strings("Hello, world!"), nil
	})
	wsgitest.Record(l.Lint(app), wsgitest.NewRequest("GET", "/"))
	// Output:
	// LEN-01 application
	// the body has 13 bytes or more, expected the 12 that Content-Length declares
}

// Lint around an application, with a server that breaks a rule: it has forgotten
// wsgi.url_scheme.
func ExampleLint() {
	app := conformance.Lint(wsgi.Response{Status: "204 No Content"})
	request := wsgitest.NewRequest("GET", "/")
	request.Extra = map[string]any{"wsgi.url_scheme": nil}
	fmt.Print(wsgitest.Record(app, request).Errors)
	// Output:
	// gowsgi lint: ENV-03 (MUST°) broken by the server: environ has no wsgi.url_scheme, expected a value [GET /, wsgi.Response]
}
