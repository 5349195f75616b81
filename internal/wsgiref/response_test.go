package wsgiref_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowsgi/gowsgi/wsgi"
	"github.com/gowsgi/gowsgi/wsgi/wsgitest"
)

// outcome is what a test of one response looks at.
type outcome struct {
	Status  string
	Headers string
	Body    string
	Cut     bool
	Fault   string // what was reported: the rule, or the text of the error
	Closes  int
}

func outcomeOf(res *wsgitest.Response) outcome {
	o := outcome{Status: res.Status, Headers: res.Headers.String(), Body: res.Text(), Cut: res.Err != nil, Closes: res.Closes}
	var broken *wsgi.ContractError
	switch {
	case errors.As(res.Fault, &broken):
		o.Fault = broken.Rule
	case errors.Is(res.Fault, errBoom) && res.Panic() != nil:
		o.Fault = "panic: boom"
	case errors.Is(res.Fault, errBoom):
		o.Fault = "boom"
	case res.Fault != nil:
		o.Fault = res.Fault.Error()
	}
	return o
}

// failed is the answer to a request whose application failed in time.
func failed(fault string, closes int) outcome {
	const text = "500 Internal Server Error\n"
	headers := fields("Content-Type", "text/plain; charset=utf-8", "Content-Length", "26")
	return outcome{Status: "500 Internal Server Error", Headers: headers.String(), Body: text, Fault: fault, Closes: closes}
}

// TestResponse sends requests over the recorder. The gateway that it runs is
// that of every server, so what holds here holds there.
func TestResponse(t *testing.T) {
	get, head := wsgitest.NewRequest("GET", "/"), wsgitest.NewRequest("HEAD", "/")
	hello := answer("200 OK", fields("Content-Type", "text/plain", "Date", date), wsgi.Strings("good day"))
	tests := []struct {
		name    string
		request *wsgitest.Request
		app     wsgi.AppFunc
		want    outcome
	}{{
		name: "MW-18/wrapped-body-has-no-length", request: get, app: wrap(hello),
		want: outcome{Status: "200 OK", Headers: "Content-Type: text/plain\r\nDate: " + date + "\r\n\r\n", Body: "good day", Closes: 1},
	}, {
		name: "START-22/refused-head", request: get,
		app:  answer("200 OK", fields("Content Type", "text/plain"), wsgi.Strings("good day")),
		want: failed("HDR-09", 0),
	}, {
		name: "HDR-01/status-without-phrase", request: get,
		app: answer("404", plain, wsgi.Strings("x")), want: failed("HDR-01", 0),
	}, {
		name: "HDR-01/status-with-a-letter", request: get,
		app: answer("4O4 Not Found", plain, wsgi.Strings("x")), want: failed("HDR-01", 0),
	}, {
		name: "HDR-01/status-without-blank", request: get,
		app: answer("404Not Found", plain, wsgi.Strings("x")), want: failed("HDR-01", 0),
	}, {
		name: "HDR-05/status-that-is-too-low", request: get,
		app: answer("044 Not Found", plain, wsgi.Strings("x")), want: failed("HDR-05", 0),
	}, {
		name: "HDR-10/name-with-a-colon", request: get,
		app: answer("200 OK", fields("X-Day:", "good"), wsgi.Strings("x")), want: failed("HDR-10", 0),
	}, {
		name: "HDR-09/name-with-a-line-end", request: get,
		app: answer("200 OK", fields("X-Day\n", "good"), wsgi.Strings("x")), want: failed("HDR-09", 0),
	}, {
		name: "HDR-11/value-with-a-line-end", request: get,
		app: answer("200 OK", fields("X-Day", "good\r\nX-Night: bad"), wsgi.Strings("x")), want: failed("HDR-11", 0),
	}, {
		name: "HDR-09/every-token", request: get,
		app:  answer("204 No Content", fields("X-Day-", "1", "_1st_", "2", "!#$%&'*+-.^_`|~", "3"), wsgi.Empty()),
		want: outcome{Status: "204 No Content", Headers: "X-Day-: 1\r\n_1st_: 2\r\n!#$%&'*+-.^_`|~: 3\r\n\r\n", Closes: 1},
	}, {
		// HDR-20 binds applications: nothing is required here, and nothing invented.
		name: "HDR-21/no-type", request: get,
		app:  answer("200 OK", nil, wsgi.Strings("<html>")),
		want: outcome{Status: "200 OK", Headers: "Content-Length: 6\r\n\r\n", Body: "<html>", Closes: 1},
	}, {
		name: "STR-03/bytes", request: get,
		app:  answer("200 OK", plain, wsgi.Bytes([]byte("\x00\x80\xff\r\n"))),
		want: outcome{Status: "200 OK", Headers: "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\n", Body: "\x00\x80\xff\r\n", Closes: 1},
	}, {
		name: "LEN-06/one-block", request: get,
		app:  answer("200 OK", nil, wsgi.Strings("https")),
		want: outcome{Status: "200 OK", Headers: "Content-Length: 5\r\n\r\n", Body: "https", Closes: 1},
	}, {
		name: "LEN-06/bytes-not-characters", request: get,
		app:  answer("200 OK", nil, wsgi.Strings("déjà")),
		want: outcome{Status: "200 OK", Headers: "Content-Length: 6\r\n\r\n", Body: "déjà", Closes: 1},
	}, {
		name: "WRITE-12/written", request: get,
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			if err != nil {
				return nil, err
			}
			_, err = write([]byte("https"))
			return wsgi.Empty(), err
		},
		want: outcome{Status: "200 OK", Headers: "\r\n", Body: "https", Closes: 1},
	}, {
		name: "LEN-13/length-without-a-body", request: head,
		app:  answer("200 OK", fields("Content-Length", "4711"), wsgi.Empty()),
		want: outcome{Status: "200 OK", Headers: "Content-Length: 4711\r\n\r\n", Closes: 1},
	}, {
		// AMB-10: a client that asked with GET waits for the bytes.
		name: "LEN-04/length-without-a-body", request: get,
		app:  answer("200 OK", fields("Content-Length", "4711"), wsgi.Empty()),
		want: outcome{Status: "200 OK", Headers: "Content-Length: 4711\r\n\r\n", Cut: true, Fault: "LEN-04", Closes: 1},
	}, {
		name: "LEN-12/nothing", request: get,
		app:  answer("200 OK", nil, wsgi.Empty()),
		want: outcome{Status: "200 OK", Headers: "Content-Length: 0\r\n\r\n", Closes: 1},
	}, {
		name: "ERR-10/error-before-the-head", request: get,
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			_, err := start("200 OK", fields("X-Stale", "1"), nil)
			return nil, errors.Join(err, errBoom)
		},
		want: failed("boom", 0),
	}, {
		// AMB-28: the status of a response cannot be changed any more, so that
		// the cut is what tells.
		name: "ERR-11/error-after-the-head", request: get,
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			if err != nil {
				return nil, err
			}
			write([]byte("half of"))
			return nil, errBoom
		},
		want: outcome{Status: "200 OK", Headers: "\r\n", Body: "half of", Cut: true, Fault: "boom"},
	}, {
		name: "BODY-09/closed-after-an-error", request: get,
		app: func(_ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			write, err := start("200 OK", nil, nil)
			if err != nil {
				return nil, err
			}
			write([]byte("half "))
			return wsgi.Generator(func(yield func([]byte, error) bool) {
				yield([]byte("of"), nil)
				panic(errBoom)
			}), nil
		},
		want: outcome{Status: "200 OK", Headers: "\r\n", Body: "half of", Cut: true, Fault: "panic: boom", Closes: 1},
	}, {
		name: "BODY-01/no-body", request: get,
		app: answer("200 OK", nil, nil), want: failed("BODY-01", 0),
	}, {
		// AMB-01: the empty block before is none of the rule's.
		name: "SRV-06/block-without-a-head", request: get,
		app: func(*wsgi.Environ, wsgi.StartResponse) (wsgi.Iterable, error) {
			return wsgi.Strings("", "x"), nil
		},
		want: failed("SRV-06", 1),
	}, {
		name: "ERR-15/client-leaves", request: &wsgitest.Request{LeaveAfter: 1},
		app:  answer("200 OK", nil, wsgi.Strings("one", "two")),
		want: outcome{Status: "200 OK", Headers: "\r\n", Body: "one", Cut: true, Closes: 1},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res := wsgitest.Record(tt.app, tt.request)
			if diff := cmp.Diff(tt.want, outcomeOf(res)); diff != "" {
				t.Errorf("response (-want +got):\n%s", diff)
			}
			if res.Errors != "" {
				t.Errorf("wsgi.errors is %q, expected nothing", res.Errors)
			}
		})
	}
}

// TestHopByHop has the server refuse what is not the application's to say.
func TestHopByHop(t *testing.T) {
	accepted := func(name string) bool {
		res := wsgitest.Record(answer("200 OK", fields(name, "x"), wsgi.Empty()), &wsgitest.Request{})
		return res.Code == 200
	}
	spellings := func(name string) []string {
		return []string{name, strings.ToLower(name), strings.ToUpper(name), http.CanonicalHeaderKey(name)}
	}
	tests := []struct {
		name, fields string
		hop          bool
	}{
		{"HDR-15/hop-by-hop", "Connection Keep-Alive Proxy-Authenticate Proxy-Authorization Proxy-Connection " +
			"TE Trailer Trailers Transfer-Encoding Upgrade", true},
		{"HDR-13/end-to-end", "Age Allow ETag Expires Last-Modified Location Retry-After Server Vary Via " +
			"Connections X-Connection TES", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name := range strings.FieldsSeq(tt.fields) {
				for _, spelling := range spellings(name) {
					if got := wsgi.IsHopByHop(spelling); got != tt.hop {
						t.Errorf("IsHopByHop(%q) = %t", spelling, got)
					}
					if accepted(spelling) == tt.hop {
						t.Errorf("start_response accepted %s: %t", spelling, tt.hop)
					}
				}
			}
		})
	}
}

// TestClosed is about the end of a body.
func TestClosed(t *testing.T) {
	t.Run("BODY-19/read-once-then-closed", func(t *testing.T) {
		var events []string
		wsgitest.Do(t, answer("200 OK", nil, body{
			func(yield func([]byte, error) bool) {
				events = append(events, "read")
				yield([]byte("x"), nil)
			},
			func() error { events = append(events, "close"); return nil },
		}), &wsgitest.Request{})
		if diff := cmp.Diff([]string{"read", "close"}, events); diff != "" {
			t.Errorf("what became of the body (-want +got):\n%s", diff)
		}
	})
	// What a Close needs in order to tell what failed is still there, when the
	// client has been gone for long.
	t.Run("ERR-15/environ-outlives-the-response", func(t *testing.T) {
		ctx, leave := context.WithCancelCause(t.Context())
		req := &wsgitest.Request{Target: "/orders/7?all", Context: ctx}
		var told string
		res := wsgitest.Record(wsgi.AppFunc(func(environ *wsgi.Environ, start wsgi.StartResponse) (wsgi.Iterable, error) {
			return answer("201 Created", nil, body{
				func(yield func([]byte, error) bool) {
					leave(errBoom)
					yield([]byte("x"), nil)
				},
				func() error {
					told = environ.Var("PATH_INFO") + " " + environ.Var("QUERY_STRING") + " " + context.Cause(environ.Context()).Error()
					return nil
				},
			})(environ, start)
		}), req)
		if want := "/orders/7 all boom"; told != want {
			t.Errorf("Close could tell %q, expected %q", told, want)
		}
		if !errors.Is(res.Err, errBoom) || res.Fault != nil {
			t.Errorf("the response ended in %v and the report %v, expected boom and none", res.Err, res.Fault)
		}
	})
}
