package wsgitest_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// A testCase is a behaviour of the server side, as a client sees it. The cases
// hold for every server: what only the recorder can see is tested elsewhere.
type testCase struct {
	name    string
	why     string // the rule that is shown
	request *wsgitest.Request
	app     wsgi.AppFunc
	want    wire
}

// wire is what a client can tell of a response, whatever carried it.
type wire struct {
	Code    int
	Headers string // names and values of Content-*, X-*, Location, Set-Cookie, one a line
	Body    string
	Cut     bool
	Interim int
}

// visible reduces a response to what every transport shows. Servers may put
// fields of different names into another order.
func visible(res *wsgitest.Response) wire {
	fields := res.Headers.Clone()
	slices.SortStableFunc(fields, func(a, b wsgi.Header) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	var headers strings.Builder
	for _, h := range fields {
		switch name := strings.ToLower(h.Name); {
		case strings.HasPrefix(name, "content-"), strings.HasPrefix(name, "x-"),
			name == "location", name == "set-cookie":
			fmt.Fprintf(&headers, "%s: %s\n", h.Name, h.Value)
		}
	}
	return wire{res.Code, headers.String(), res.Text(), res.Err != nil, len(res.Interim)}
}

const (
	plain  = "Content-Type: text/plain\n"
	size5  = "Content-Length: 5\n"
	failed = "Content-Length: 26\nContent-Type: text/plain; charset=utf-8\n"
	sorry  = "500 Internal Server Error\n"
)

// cases returns the table. Files that it needs are in dir.
func cases(dir string) []testCase {
	return []testCase{{
		name: "one block", why: "LEN-06: its length is the response's",
		request: get(), app: answer("200 OK", text, wsgi.Strings("hello")),
		want: wire{Code: 200, Headers: size5 + plain, Body: "hello"},
	}, {
		name: "many blocks", why: "LEN-07: no length is known",
		request: get(), app: answer("200 OK", text, generate("a", "", "b")),
		want: wire{Code: 200, Headers: plain, Body: "ab"},
	}, {
		name: "no blocks", why: "SRV-04, LEN-12: the head is sent at the end",
		request: get(), app: answer("200 OK", text, wsgi.Empty()),
		want: wire{Code: 200, Headers: "Content-Length: 0\n" + plain},
	}, {
		name: "HEAD", why: "HTTP-15: the body is discarded, the headers are the application's",
		request: head(), app: answer("200 OK", length("5"), wsgi.Strings("hello")),
		want: wire{Code: 200, Headers: size5 + plain},
	}, {
		name: "204 with a body", why: "HTTP-16, LEN-13: neither body nor length",
		request: get(), app: answer("204 No Content", wsgi.Headers{{Name: "Content-Length", Value: "5"}}, wsgi.Strings("hello")),
		want: wire{Code: 204},
	}, {
		name: "short", why: "LEN-04: the client sees that bytes are missing",
		request: get(), app: answer("200 OK", length("9"), generate("hello")),
		want: wire{Code: 200, Headers: "Content-Length: 9\n" + plain, Body: "hello", Cut: true},
	}, {
		name: "long", why: "LEN-01: exactly the declared bytes are sent",
		request: get(), app: answer("200 OK", length("5"), generate("abc", "defgh", "never")),
		want: wire{Code: 200, Headers: size5 + plain, Body: "abcde"},
	}, {
		name: "error", why: "ERR-10: nothing of the stored head is used",
		request: get(),
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", wsgi.Headers{{Name: "X-Old", Value: "1"}}, nil)
			return nil, errBoom
		},
		want: wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "error before the first block", why: "START-08: the head was held back",
		request: get(), app: answer("200 OK", text, fails(errBoom, "", "")),
		want: wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "error after the first block", why: "ERR-11: what was sent is not passed off as the whole",
		request: get(), app: answer("200 OK", text, fails(errBoom, "hello")),
		want: wire{Code: 200, Headers: plain, Body: "hello", Cut: true},
	}, {
		name: "panic", why: "SRV-08",
		request: get(),
		app:     func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) { panic("boom") },
		want:    wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "no start_response", why: "SRV-06",
		request: get(),
		app: func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Strings("hello"), nil
		},
		want: wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "no body", why: "BODY-01",
		request: get(), app: answer("200 OK", text, nil),
		want: wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "second start_response", why: "START-19, ERR-16: ignoring the error does not help",
		request: get(),
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", text, nil)
			start("404 Not Found", text, nil)
			return wsgi.Strings("hello"), nil
		},
		want: wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "exc_info", why: "START-13: status and headers are replaced",
		request: get(),
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			start("200 OK", wsgi.Headers{{Name: "X-Old", Value: "1"}}, nil)
			if _, err := start("503 Service Unavailable", wsgi.Headers{{Name: "X-New", Value: "1"}}, errBoom); err != nil {
				return nil, err
			}
			return wsgi.Strings("later"), nil
		},
		want: wire{Code: 503, Headers: size5 + "X-New: 1\n", Body: "later"},
	}, {
		name: "exc_info too late", why: "START-14, START-26",
		request: get(),
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", text, nil)
			if err != nil {
				return nil, err
			}
			write([]byte("hello"))
			_, err = start("500 Oops", nil, errBoom)
			return nil, err
		},
		want: wire{Code: 200, Headers: plain, Body: "hello", Cut: true},
	}, {
		name: "hop-by-hop header", why: "HDR-13",
		request: get(), app: answer("200 OK", wsgi.Headers{{Name: "Connection", Value: "close"}}, wsgi.Empty()),
		want: wire{Code: 500, Headers: failed, Body: sorry},
	}, {
		name: "write", why: "WRITE-02: what is written precedes what is yielded",
		request: get(),
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", text, nil)
			if err != nil {
				return nil, err
			}
			io.WriteString(write, "hello, ")
			return wsgi.Strings("world"), nil
		},
		want: wire{Code: 200, Headers: plain, Body: "hello, world"},
	}, {
		name: "lazy start", why: "START-05",
		request: get(),
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				if _, err := start("200 OK", text, nil); err != nil {
					yield(nil, err)
					return
				}
				yield([]byte("hello"), nil)
			}), nil
		},
		want: wire{Code: 200, Headers: plain, Body: "hello"},
	}, {
		name: "file", why: "FILE-11, FILE-13: from the position, with the length of the rest",
		request: get(), app: sendFile(dir, text),
		want: wire{Code: 200, Headers: size5 + plain, Body: "world"},
	}, {
		name: "part of a file", why: "FILE-11: a longer file is no fault",
		request: get(), app: sendFile(dir, length("3")),
		want: wire{Code: 200, Headers: "Content-Length: 3\n" + plain, Body: "wor"},
	}, {
		name: "HEAD of a file", why: "FILE-16",
		request: head(), app: sendFile(dir, text),
		want: wire{Code: 200, Headers: plain},
	}, {
		name: "early hints", why: "COM-12",
		request: get(),
		app: func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			if hint, ok := environ.Get("wsgi.early_hints").(func(wsgi.Headers) error); ok {
				if err := hint(wsgi.Headers{{Name: "Link", Value: "</style.css>; rel=preload"}}); err != nil {
					return nil, err
				}
			}
			return wsgi.Response{Status: "200 OK", Headers: text, Body: wsgi.Strings("hello")}.Call(environ, start)
		},
		want: wire{Code: 200, Headers: size5 + plain, Body: "hello", Interim: 1},
	}, {
		name: "repeated headers", why: "HDR-18: none is lost, their order is kept",
		request: get(),
		app: answer("200 OK", wsgi.Headers{
			{Name: "Set-Cookie", Value: "a=1"}, {Name: "Set-Cookie", Value: "b=2"},
		}, wsgi.Empty()),
		want: wire{Code: 200, Headers: "Content-Length: 0\nSet-Cookie: a=1\nSet-Cookie: b=2\n"},
	}, {
		name: "request", why: "CGI-17, CGI-18, CGI-23: the environ tells what was sent",
		request: wsgitest.NewRequest("PUT", "//caf%C3%A9%2F./x%2541?q=%20y&z").
			With("Host", "shop.example:8080").With("X-A", "1").With("X-a", " 2 ").
			With("Cookie", "a=1").With("Cookie", "b=2").With("X_B", "spoofed").With("Proxy", "evil").
			Content("text/plain", "body"),
		app:  show("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "HTTP_HOST", "HTTP_X_A", "HTTP_COOKIE", "HTTP_X_B", "HTTP_PROXY", "CONTENT_TYPE", "CONTENT_LENGTH"),
		want: wire{Code: 200, Headers: plain, Body: "PUT\n//café/./x%41\nq=%20y&z\n//caf%C3%A9%2F./x%2541?q=%20y&z\nshop.example:8080\n1, 2\na=1; b=2\n-\n-\ntext/plain\n4\nbody"},
	}, {
		name: "unknown length", why: "COM-03: no CONTENT_LENGTH, and a body that ends",
		request: &wsgitest.Request{Method: "POST", Stream: strings.NewReader("streamed")},
		app:     show("CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"),
		want:    wire{Code: 200, Headers: plain, Body: "-\n-\nstreamed"},
	}, {
		name: "abort", why: "the application wants the client to see a broken response",
		request: get(), app: answer("200 OK", text, fails(http.ErrAbortHandler, "hello")),
		want: wire{Code: 200, Headers: plain, Body: "hello", Cut: true},
	}}
}
