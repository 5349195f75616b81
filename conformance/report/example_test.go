package report_test

import (
	"context"
	"log"
	"os"

	"github.com/gowsgi/gowsgi/conformance"
	"github.com/gowsgi/gowsgi/conformance/report"
	"github.com/gowsgi/gowsgi/wsgi"
)

// A check of an application from a program, and its table for a terminal.
func Example() {
	hello := wsgi.AppFunc(func(environ *wsgi.Environ, startResponse wsgi.StartResponse) (wsgi.Iterable, error) {
		headers := wsgi.Headers{{Name: "Content-Length", Value: "3"}}
		_, err := startResponse("200 OK", headers, nil)
		return wsgi.Strings("Hello, world!\n"), err
	})
	suite := conformance.Suite{Only: []string{"HDR-24"}}
	found, err := suite.CheckApplication(context.Background(), hello)
	if err != nil {
		log.Fatal(err)
	}
	if report.Failed(found, true) {
		report.Text(os.Stdout, found, report.TextOptions{Strict: true})
	}
	// Output:
	// pass  fail  warn  skip
	// HDR   Status line and response headers     -     -     1     -
	// all                                        -     -     1     -
	//
	// Status line and response headers
	//
	// WARN  HDR-24  SHOULD†
	//       Small HTTP sanity: ETag quoted, weak prefix upper-case `W/`, Location
	//       usable, Content-Length single and numeric.
	//       | Content-Length is right: expected the Content-Length to be the number of
	//       |   bytes, 14, got 3
	//       | in order:
	//       |   server: calls the application with GET /
	//       |   application: start_response("200 OK", Content-Length: 3)
	//       |   application: yields "Hello, world!\n"
	//       |   server: closes the body
	//
	// 1 of 1 SHOULD rules are broken.
	// That is a failure, for --strict is given.
	// To see one rule: gowsgi rules HDR-24; to check it alone: --only HDR-24
}
